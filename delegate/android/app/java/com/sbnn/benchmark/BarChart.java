package com.sbnn.benchmark;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.view.View;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The least time of each side as a pair of bars: the shorter, the faster. */
final class BarChart extends View {
  private static final int DENSE = 0xff9e9e9e;
  private static final int SPARSE = 0xff1565c0;
  private static final int ROW = 64; // all in dp
  private static final int BAR = 14;
  private static final int TEXT = 12;
  private static final int VALUE = 76; // room behind the longest bar

  private final Paint paint = new Paint(Paint.ANTI_ALIAS_FLAG);
  private final float dp;
  private List<Result> results = new ArrayList<>();

  BarChart(Context context) {
    super(context);
    dp = getResources().getDisplayMetrics().density;
    paint.setTextSize(TEXT * dp);
  }

  /** Those without an error are drawn. */
  void show(List<Result> all) {
    results = new ArrayList<>();
    StringBuilder words = new StringBuilder();
    for (Result result : all) {
      if (result.error != null) continue;
      results.add(result);
      words.append(
          String.format(
              Locale.ROOT,
              "%s: dense %.2f ms, sparse %.2f ms. ",
              result.model.title,
              result.dense.min,
              result.sparse.min));
    }
    setContentDescription(words);
    requestLayout();
    invalidate();
  }

  @Override
  protected void onMeasure(int width, int height) {
    setMeasuredDimension(MeasureSpec.getSize(width), (int) (results.size() * ROW * dp));
  }

  @Override
  protected void onDraw(Canvas canvas) {
    double longest = 0;
    for (Result result : results) {
      longest = Math.max(longest, Math.max(result.dense.min, result.sparse.min));
    }
    for (int i = 0; i < results.size(); ++i) {
      Result result = results.get(i);
      float top = i * ROW * dp;
      paint.setColor(0xff212121);
      canvas.drawText(result.model.title, 0, top + (TEXT + 3) * dp, paint);
      bar(canvas, top + 20 * dp, result.dense.min, longest, DENSE, "dense");
      bar(canvas, top + 37 * dp, result.sparse.min, longest, SPARSE, "sparse");
    }
  }

  private void bar(Canvas canvas, float top, double ms, double longest, int color, String name) {
    float start = 52 * dp;
    float width = (float) (ms / longest) * (getWidth() - start - VALUE * dp);
    paint.setColor(0xff616161);
    canvas.drawText(name, 0, top + TEXT * dp, paint);
    canvas.drawText(
        String.format(Locale.ROOT, "%.2f ms", ms), start + width + 6 * dp, top + TEXT * dp, paint);
    paint.setColor(color);
    canvas.drawRect(start, top, start + width, top + BAR * dp, paint);
  }
}
