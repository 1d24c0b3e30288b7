package com.sbnn.delegate;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.util.HashMap;
import java.util.Map;
import org.junit.Test;
import org.tensorflow.lite.Interpreter;

/** Of every instruction set of this CPU, with weights of every kind. */
public class OutputsTest {
  private static final double BAR = 1e-4; // relative to the largest output
  private static final String[] FLOATS = {"g1", "g2", "g4", "g8", "g16", "unstructured"};
  private static final String[] INT8 = {"dense", "g1", "g2", "g4", "4x4"};

  private interface Check {
    void check(String words, Interpreter stock, Interpreter ours);
  }

  private static void each(String prefix, String[] kinds, Check check) {
    for (String kind : kinds) {
      File model = Models.get(prefix + kind + ".tflite");
      for (String isa : Models.instructionSets()) {
        SparseDelegate.Options options =
            new SparseDelegate.Options()
                .setInstructionSet(isa)
                .setClaim(SparseDelegate.Claim.ALL)
                .setNumThreads(2);
        try (SparseDelegate delegate = new SparseDelegate(options);
            Interpreter ours = Models.with(model, delegate);
            Interpreter stock = new Interpreter(model, new Interpreter.Options())) {
          check.check(model.getName() + ", " + isa, stock, ours);
          assertFalse(delegate.report(), delegate.report().contains("\"claimed\":false"));
          assertTrue(delegate.report().contains("\"isa\":\"" + isa + "\""));
        }
      }
    }
  }

  @Test
  public void floatsAreThoseOfTensorFlowLite() {
    each(
        "mobilenet_",
        FLOATS,
        (words, stock, ours) ->
            assertEquals(words, 0, Models.difference(Models.run(stock), Models.run(ours)), BAR));
  }

  // Those of XNNPACK, which TensorFlow Lite does not apply by itself here: test_x86_64.py.
  @Test
  public void int8sAreTheSameBitsOnEveryInstructionSet() {
    Map<String, byte[]> first = new HashMap<>();
    each(
        "mobilenet_int8_",
        INT8,
        (words, stock, ours) -> {
          byte[] found = Models.runBytes(ours);
          byte[] wanted = first.putIfAbsent(words.split(",")[0], found);
          if (wanted != null) assertArrayEquals(words, wanted, found);
        });
    assertEquals(INT8.length, first.size());
  }
}
