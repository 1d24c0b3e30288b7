package com.sbnn.benchmark;

import static org.robolectric.Shadows.shadowOf;

import android.content.Intent;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.os.Looper;
import android.view.View;
import android.view.ViewGroup;
import android.widget.Button;
import android.widget.TextView;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.robolectric.Robolectric;
import org.robolectric.android.controller.ActivityController;

/** The activity as a user sees it. */
final class Screen implements AutoCloseable {
  private static final long PATIENCE_NANOSECONDS = 120_000_000_000L;
  final ActivityController<BenchmarkActivity> controller;

  /** {@code arguments}: of the intent; null: it is started by a finger. */
  Screen(String arguments) {
    Intent intent = new Intent();
    if (arguments != null) intent.putExtra("args", arguments);
    controller = Robolectric.buildActivity(BenchmarkActivity.class, intent).setup();
  }

  @Override
  public void close() {
    controller.pause().stop().destroy();
  }

  View root() {
    return controller.get().getWindow().getDecorView();
  }

  /** All words on it. */
  String text() {
    StringBuilder words = new StringBuilder();
    for (View view : views(root(), new ArrayList<>())) {
      if (view instanceof TextView && view.isShown()) {
        words.append(((TextView) view).getText()).append('\n');
      }
    }
    return words.toString();
  }

  Button button(String label) {
    for (View view : views(root(), new ArrayList<>())) {
      if (view instanceof Button && ((Button) view).getText().toString().equals(label)) {
        return (Button) view;
      }
    }
    throw new AssertionError("expected a button \"" + label + "\", found:\n" + text());
  }

  /** Lets things happen until {@code words} are there. */
  void waitFor(String words) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE_NANOSECONDS;
    while (!text().contains(words)) {
      if (System.nanoTime() > end) {
        throw new AssertionError("expected \"" + words + "\", found:\n" + text());
      }
      Thread.sleep(5);
      shadowOf(Looper.getMainLooper()).idle();
    }
  }

  /** Keeps a picture of it. */
  void picture(String name) throws IOException {
    shadowOf(Looper.getMainLooper()).idle();
    View root = root();
    Bitmap bitmap = Bitmap.createBitmap(root.getWidth(), root.getHeight(), Bitmap.Config.ARGB_8888);
    root.draw(new Canvas(bitmap));
    File file = new File(System.getProperty("sbnn.pictures"), name + ".png");
    try (FileOutputStream out = new FileOutputStream(file)) {
      bitmap.compress(Bitmap.CompressFormat.PNG, 100, out);
    }
  }

  private static List<View> views(View view, List<View> found) {
    found.add(view);
    if (view instanceof ViewGroup) {
      ViewGroup group = (ViewGroup) view;
      for (int i = 0; i < group.getChildCount(); ++i) views(group.getChildAt(i), found);
    }
    return found;
  }
}
