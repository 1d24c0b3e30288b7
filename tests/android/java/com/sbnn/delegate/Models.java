package com.sbnn.delegate;

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Random;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.InterpreterApi;
import org.tensorflow.lite.Tensor;

/** Models that tests run: their folder is the property sbnn.models. */
final class Models {
  private Models() {}

  static File get(String name) {
    return new File(System.getProperty("sbnn.models"), name);
  }

  /** MobileNet-v1 0.25/96, half of whose weights are zeros, in groups of 4. */
  static File sparse() {
    return get("mobilenet_g4.tflite");
  }

  /** Of random inputs. */
  static float[] run(InterpreterApi interpreter) {
    FloatBuffer input = buffer(interpreter.getInputTensor(0));
    Random random = new Random(1);
    for (int i = 0; i < input.capacity(); ++i) input.put(i, random.nextFloat() * 2 - 1);
    interpreter.allocateTensors();
    FloatBuffer output = buffer(interpreter.getOutputTensor(0));
    interpreter.run(input, output);
    float[] values = new float[output.capacity()];
    output.rewind();
    output.get(values);
    return values;
  }

  /** The same, where inputs and outputs have 8 bits. */
  static byte[] runBytes(InterpreterApi interpreter) {
    byte[] bytes = new byte[interpreter.getInputTensor(0).numBytes()];
    new Random(1).nextBytes(bytes);
    interpreter.allocateTensors();
    byte[] values = new byte[interpreter.getOutputTensor(0).numBytes()];
    interpreter.run(ByteBuffer.wrap(bytes), ByteBuffer.wrap(values));
    return values;
  }

  /** Those that this CPU has, best first. */
  static String[] instructionSets() {
    return System.getProperty("sbnn.isas").split(",");
  }

  /** Without our delegate. */
  static float[] stock(File model) {
    try (Interpreter interpreter = new Interpreter(model, new Interpreter.Options())) {
      return run(interpreter);
    }
  }

  static Interpreter with(File model, SparseDelegate delegate) {
    return new Interpreter(model, new Interpreter.Options().addDelegate(delegate));
  }

  /** Relative to the largest expected value. */
  static double difference(float[] expected, float[] found) {
    if (expected.length != found.length) throw new AssertionError("sizes differ");
    double largest = 0, difference = 0;
    for (int i = 0; i < expected.length; ++i) {
      largest = Math.max(largest, Math.abs(expected[i]));
      difference = Math.max(difference, Math.abs(expected[i] - found[i]));
    }
    return difference / largest;
  }

  private static FloatBuffer buffer(Tensor tensor) {
    return ByteBuffer.allocateDirect(tensor.numBytes())
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }
}
