package com.sbnn.benchmark;

import android.content.Context;
import android.graphics.Typeface;
import android.view.Gravity;
import android.widget.HorizontalScrollView;
import android.widget.TableLayout;
import android.widget.TableRow;
import android.widget.TextView;
import java.util.List;
import java.util.Locale;

/** Results as a table; in each cell of times the least, and the median behind it. */
final class ResultsTable extends HorizontalScrollView {
  private static final String[] HEAD = {
    "model", "zeros", "dense ms", "sparse ms", "ratio", "difference", "claimed"
  };

  private final TableLayout table;

  ResultsTable(Context context) {
    super(context);
    table = new TableLayout(context);
    addView(table);
    setPadding(0, 0, 0, (int) (8 * getResources().getDisplayMetrics().density)); // its scroll bar
  }

  void show(List<Result> results) {
    table.removeAllViews();
    if (results.isEmpty()) return;
    add(true, HEAD);
    for (Result result : results) {
      if (result.error != null) {
        add(false, result.model.title, result.error);
        continue;
      }
      add(
          false,
          result.model.title,
          Double.isNaN(result.model.zeros) ? "–" : format("%.0f %%", result.model.zeros * 100),
          format("%.2f (%.2f)", result.dense.min, result.dense.median),
          format("%.2f (%.2f)", result.sparse.min, result.sparse.median),
          format("%.2f×", result.speedup()),
          format("%.1e", result.difference),
          format("%d of %d", result.claimed, result.nodes));
    }
  }

  private void add(boolean head, String... cells) {
    TableRow row = new TableRow(getContext());
    int space = (int) (6 * getResources().getDisplayMetrics().density);
    for (int i = 0; i < cells.length; ++i) {
      TextView cell = new TextView(getContext());
      cell.setText(cells[i]);
      cell.setTextSize(12);
      cell.setPadding(0, space / 2, 2 * space, space / 2);
      if (head) cell.setTypeface(Typeface.DEFAULT_BOLD);
      boolean message = cells.length < HEAD.length && i == cells.length - 1;
      cell.setGravity(i == 0 || message ? Gravity.START : Gravity.END);
      TableRow.LayoutParams place = new TableRow.LayoutParams();
      if (message) place.span = HEAD.length - i;
      row.addView(cell, place);
    }
    table.addView(row);
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
