package com.sbnn.benchmark;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.tensorflow.lite.DataType;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.Tensor;

/** One of the two interpreters that are compared, with its inputs and outputs. */
final class Side {
  private final Interpreter interpreter;
  private final Object[] inputs;
  private final Map<Integer, Object> outputs = new HashMap<>();

  /** With the same random inputs as any other of the same shapes. */
  Side(Interpreter interpreter) {
    this.interpreter = interpreter;
    interpreter.allocateTensors();
    Random random = new Random(1);
    inputs = new Object[interpreter.getInputTensorCount()];
    for (int i = 0; i < inputs.length; ++i) inputs[i] = draw(interpreter.getInputTensor(i), random);
    for (int i = 0; i < interpreter.getOutputTensorCount(); ++i) {
      outputs.put(i, buffer(interpreter.getOutputTensor(i)));
    }
  }

  /** Nanoseconds of one inference, without the copies to and from Java. */
  long run() {
    for (Object input : inputs) ((ByteBuffer) input).rewind();
    for (Object output : outputs.values()) ((ByteBuffer) output).rewind();
    interpreter.runForMultipleInputsOutputs(inputs, outputs);
    return interpreter.getLastNativeInferenceDurationNanoseconds();
  }

  /** The largest difference of outputs, of whatever type, as numbers. */
  double difference(Side other) {
    if (outputs.size() != other.outputs.size()) {
      throw new IllegalArgumentException(
          "expected " + outputs.size() + " outputs, found " + other.outputs.size());
    }
    double largest = 0;
    for (int i = 0; i < outputs.size(); ++i) {
      double[] mine = values(i);
      double[] others = other.values(i);
      if (mine.length != others.length) {
        throw new IllegalArgumentException(
            "output " + i + ": expected " + mine.length + " numbers, found " + others.length);
      }
      for (int k = 0; k < mine.length; ++k) {
        double difference = Math.abs(mine[k] - others[k]);
        // A NaN in one place only is a difference as large as can be.
        if (Double.isNaN(difference) && !(Double.isNaN(mine[k]) && Double.isNaN(others[k]))) {
          difference = mine[k] == others[k] ? 0 : Double.MAX_VALUE;
        }
        largest = Math.max(largest, difference);
      }
    }
    return largest;
  }

  private double[] values(int output) {
    Tensor tensor = interpreter.getOutputTensor(output);
    ByteBuffer bytes = (ByteBuffer) outputs.get(output);
    bytes.rewind();
    double[] values = new double[tensor.numElements()];
    float scale = tensor.quantizationParams().getScale();
    for (int i = 0; i < values.length; ++i) {
      switch (tensor.dataType()) {
        case FLOAT32:
          values[i] = bytes.getFloat();
          break;
        case INT8:
          values[i] = bytes.get() * (double) scale;
          break;
        case UINT8:
          values[i] = (bytes.get() & 0xff) * (double) scale;
          break;
        case INT32:
          values[i] = bytes.getInt();
          break;
        case INT64:
          values[i] = bytes.getLong();
          break;
        default:
          throw new IllegalArgumentException(
              "output " + output + ": expected numbers, found " + tensor.dataType());
      }
    }
    return values;
  }

  private static ByteBuffer draw(Tensor tensor, Random random) {
    ByteBuffer bytes = buffer(tensor);
    if (tensor.dataType() == DataType.FLOAT32) {
      while (bytes.hasRemaining()) bytes.putFloat(random.nextFloat());
    } else if (tensor.dataType() == DataType.INT8 || tensor.dataType() == DataType.UINT8) {
      random.nextBytes(bytes.array());
    }
    return bytes; // others are zeros: they may be indices
  }

  private static ByteBuffer buffer(Tensor tensor) {
    return ByteBuffer.wrap(new byte[tensor.numBytes()]).order(ByteOrder.nativeOrder());
  }
}
