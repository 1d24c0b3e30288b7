package com.sbnn.benchmark;

import org.json.JSONException;
import org.json.JSONObject;

/** What was measured of one model, named as in `sbnn benchmark --json`; or why it could not be. */
final class Result {
  Model model;
  Settings settings;
  String error; // null: the rest is there
  Times dense;
  Times sparse;
  double difference; // the largest, of the sparse model's outputs from stock TensorFlow Lite's
  int claimed;
  int nodes;
  Device.State before;
  Device.State after;

  double speedup() {
    return dense.min / sparse.min;
  }

  JSONObject toJson() {
    try {
      JSONObject json = new JSONObject();
      json.put("model", model.name);
      if (!Double.isNaN(model.zeros)) json.put("zeros", model.zeros);
      json.put("device", Device.name());
      if (error != null) return json.put("error", error);
      json.put("threads", settings.threads);
      json.put("rounds", settings.rounds);
      json.put("allow_fp16", settings.allowFp16);
      json.put("isa", com.sbnn.delegate.SparseDelegate.instructionSet());
      json.put("version", com.sbnn.delegate.SparseDelegate.version());
      json.put("tflite", org.tensorflow.lite.TensorFlowLite.runtimeVersion());
      json.put("baseline", dense.toJson());
      json.put("delegate", sparse.toJson());
      json.put("speedup_min", dense.min / sparse.min);
      json.put("speedup_median", dense.median / sparse.median);
      json.put("max_abs_diff", difference);
      json.put("claimed_nodes", claimed);
      json.put("total_nodes", nodes);
      json.put("before", before.toJson());
      json.put("after", after.toJson());
      return json;
    } catch (JSONException e) { // a number that is none
      throw new IllegalStateException(e);
    }
  }
}
