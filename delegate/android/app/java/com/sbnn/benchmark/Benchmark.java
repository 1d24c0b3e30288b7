package com.sbnn.benchmark;

import android.content.Context;
import com.sbnn.delegate.SparseDelegate;
import java.io.IOException;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.tensorflow.lite.Interpreter;

/** Times a dense model in stock TensorFlow Lite against a sparse one in the delegate. */
final class Benchmark {
  private static final long WARM_UP_NANOSECONDS = 300_000_000;

  /** Is told how far it is. */
  interface Progress {
    /** False: stop. */
    boolean at(int round, int rounds);
  }

  private Benchmark() {}

  /**
   * The two take turns, in an order that changes every round, so that a clock that goes down meets both;
   * in a turn a side runs twice, and the second run counts. The dense model may be another function,
   * with other weights: outputs are compared with those of the sparse one in stock TensorFlow Lite.
   *
   * @param baseline null: what the model names itself
   */
  static Result run(
      Context context, Model model, String baseline, Settings settings, Progress progress) {
    Result result = new Result();
    result.model = model;
    result.settings = settings;
    try {
      measure(context, baseline, result, progress);
    } catch (IOException | IllegalArgumentException | IllegalStateException | JSONException e) {
      result.error = e.getMessage() == null ? e.toString() : e.getMessage();
    }
    return result;
  }

  private static void measure(
      Context context, String baseline, Result result, Progress progress)
      throws IOException, JSONException {
    Settings settings = result.settings;
    SparseDelegate.Options options =
        new SparseDelegate.Options()
            .setNumThreads(settings.threads)
            .setAllowFp16(settings.allowFp16);
    Interpreter.Options stock =
        new Interpreter.Options().setNumThreads(settings.threads).setUseXNNPACK(true);
    try (SparseDelegate delegate = new SparseDelegate(options);
        Interpreter ours =
            new Interpreter(
                result.model.load(context),
                new Interpreter.Options()
                    .setNumThreads(settings.threads)
                    .addDelegate(delegate));
        Interpreter theirs =
            new Interpreter(result.model.baseline(context, baseline).load(context), stock)) {
      Side dense = new Side(theirs);
      Side sparse = new Side(ours);
      result.before = Device.state(context);
      warmUp(dense);
      warmUp(sparse);
      long[][] times = new long[2][settings.rounds];
      for (int round = 0; round < settings.rounds; ++round) {
        if (!progress.at(round, settings.rounds)) throw new IllegalStateException("stopped");
        for (int turn = 0; turn < 2; ++turn) {
          int side = (round + turn) % 2;
          Side now = side == 0 ? dense : sparse;
          now.run();
          times[side][round] = now.run();
        }
      }
      result.after = Device.state(context);
      result.dense = new Times(times[0]);
      result.sparse = new Times(times[1]);
      result.difference = fromStock(context, result.model, stock, sparse);
      count(new JSONArray(delegate.report()), result);
    }
  }

  /** How far {@code ours} is from what stock TensorFlow Lite computes of the same file. */
  private static double fromStock(
      Context context, Model model, Interpreter.Options stock, Side ours) throws IOException {
    try (Interpreter interpreter = new Interpreter(model.load(context), stock)) {
      Side same = new Side(interpreter);
      same.run();
      return same.difference(ours);
    }
  }

  private static void warmUp(Side side) {
    long end = System.nanoTime() + WARM_UP_NANOSECONDS;
    do {
      side.run();
    } while (System.nanoTime() < end);
  }

  private static void count(JSONArray records, Result result) throws JSONException {
    for (int i = 0; i < records.length(); ++i) {
      JSONObject record = records.getJSONObject(i);
      if (!record.getString("record").equals("node")) continue;
      ++result.nodes;
      if (record.getBoolean("claimed")) ++result.claimed;
    }
  }
}
