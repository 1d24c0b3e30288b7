package com.sbnn.benchmark;

import java.util.Arrays;
import org.json.JSONException;
import org.json.JSONObject;

/** Milliseconds an inference. */
final class Times {
  final double min;
  final double median;

  Times(long[] nanoseconds) {
    long[] sorted = nanoseconds.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    min = sorted[0] * 1e-6;
    median =
        (sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2.0)
            * 1e-6;
  }

  JSONObject toJson() throws JSONException {
    return new JSONObject().put("min_ms", min).put("median_ms", median);
  }
}
