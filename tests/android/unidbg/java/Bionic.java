import com.github.unidbg.AndroidEmulator;
import com.github.unidbg.Module;
import com.github.unidbg.Symbol;
import com.github.unidbg.arm.backend.DynarmicFactory;
import com.github.unidbg.linux.android.AndroidEmulatorBuilder;
import com.github.unidbg.linux.android.AndroidResolver;
import com.github.unidbg.linux.android.dvm.AbstractJni;
import com.github.unidbg.linux.android.dvm.DvmClass;
import com.github.unidbg.linux.android.dvm.DvmObject;
import com.github.unidbg.linux.android.dvm.VM;
import com.github.unidbg.linux.android.dvm.array.ArrayObject;
import com.github.unidbg.linux.android.dvm.array.ByteArray;
import com.github.unidbg.pointer.UnidbgPointer;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/**
 * BITS TFLITE DELEGATE MODEL: runs a model in stock TensorFlow Lite and in the delegate, both Android's
 * libraries, on Android's own libc in an emulated process of ARM, 32 bits or 64; the delegate is made and
 * asked through its JNI functions. Prints a line of JSON.
 */
public final class Bionic {
  private static final int API = 23;
  private final AndroidEmulator emulator;
  private final VM vm;
  private final Module tflite;
  private final DvmClass delegates;

  private Bionic(int bits, File tfliteLibrary, File delegateLibrary) {
    emulator =
        bits == 64
            ? AndroidEmulatorBuilder.for64Bit()
                .addBackendFactory(new DynarmicFactory(false))
                .build()
            : AndroidEmulatorBuilder.for32Bit().build();
    emulator.getMemory().setLibraryResolver(new AndroidResolver(API));
    vm = emulator.createDalvikVM();
    vm.setJni(new AbstractJni() {});
    tflite = vm.loadLibrary(tfliteLibrary, true).getModule();
    vm.loadLibrary(delegateLibrary, true);
    delegates = vm.resolveClass("com/sbnn/delegate/NativeDelegate");
  }

  /** A long is as wide as an address is there. */
  private long call(String function, Object... arguments) {
    Symbol symbol = tflite.findSymbolByName(function, false);
    if (symbol == null) throw new IllegalStateException("no " + function);
    if (emulator.is64Bit()) return symbol.call(emulator, arguments).longValue();
    Object[] words = arguments.clone();
    for (int i = 0; i < words.length; ++i) {
      if (words[i] instanceof Long) words[i] = ((Long) words[i]).intValue();
    }
    return symbol.call(emulator, words).longValue() & 0xffffffffL;
  }

  private void succeed(String function, Object... arguments) {
    if ((int) call(function, arguments) != 0) throw new IllegalStateException(function);
  }

  private UnidbgPointer put(byte[] bytes) {
    UnidbgPointer pointer = emulator.getMemory().malloc(bytes.length + 64, true).getPointer();
    pointer.write(0, bytes, 0, bytes.length);
    return pointer;
  }

  private ByteArray bytes(String text) {
    return new ByteArray(vm, text.getBytes(StandardCharsets.UTF_8));
  }

  /** A delegate, by NativeDelegate.create. */
  private long create(String... pairs) {
    DvmObject<?>[] words = new DvmObject<?>[pairs.length];
    for (int i = 0; i < pairs.length; ++i) words[i] = bytes(pairs[i]);
    ArrayObject failure = new ArrayObject(new DvmObject<?>[1]);
    long handle =
        delegates.callStaticJniMethodLong(
            emulator,
            "create([[BLcom/sbnn/delegate/ReportListener;[[B)J",
            new ArrayObject(words),
            null,
            failure);
    if (handle == 0) {
      byte[] why = ((ByteArray) failure.getValue()[0]).getValue();
      throw new IllegalArgumentException(new String(why, StandardCharsets.UTF_8));
    }
    return handle;
  }

  private String report(long handle) {
    ByteArray bytes = delegates.callStaticJniMethodObject(emulator, "report(JZ)[B", handle, 0);
    return new String(bytes.getValue(), StandardCharsets.UTF_8);
  }

  /** {@code delegate}: 0: none. */
  private float[] run(byte[] file, long delegate) {
    long model = call("TfLiteModelCreate", put(file), (long) file.length);
    long options = call("TfLiteInterpreterOptionsCreate");
    call("TfLiteInterpreterOptionsSetNumThreads", options, 1);
    if (delegate != 0) call("TfLiteInterpreterOptionsAddDelegate", options, delegate);
    long interpreter = call("TfLiteInterpreterCreate", model, options);
    if (interpreter == 0) throw new IllegalStateException("no interpreter");
    succeed("TfLiteInterpreterAllocateTensors", interpreter);
    long input = call("TfLiteInterpreterGetInputTensor", interpreter, 0);
    float[] values = new float[(int) call("TfLiteTensorByteSize", input) / 4];
    Random random = new Random(1);
    for (int i = 0; i < values.length; ++i) values[i] = random.nextFloat() * 2 - 1;
    data(input).write(0, values, 0, values.length);
    succeed("TfLiteInterpreterInvoke", interpreter);
    long output = call("TfLiteInterpreterGetOutputTensor", interpreter, 0);
    int count = (int) call("TfLiteTensorByteSize", output) / 4;
    float[] outputs = data(output).getFloatArray(0, count);
    call("TfLiteInterpreterDelete", interpreter);
    return outputs;
  }

  private UnidbgPointer data(long tensor) {
    return UnidbgPointer.pointer(emulator, call("TfLiteTensorData", tensor));
  }

  public static void main(String[] arguments) throws Exception {
    Bionic bionic =
        new Bionic(Integer.parseInt(arguments[0]), new File(arguments[1]), new File(arguments[2]));
    byte[] model = Files.readAllBytes(Path.of(arguments[3]));
    String refused = "";
    try {
      bionic.create("num_threads", "0");
    } catch (IllegalArgumentException e) {
      refused = e.getMessage();
    }
    float[] stock = bionic.run(model, 0);
    long handle = bionic.create("claim", "all");
    long delegate = bionic.delegates.callStaticJniMethodLong(bionic.emulator, "address(J)J", handle);
    float[] ours = bionic.run(model, delegate);
    String report = bionic.report(handle);
    bionic.delegates.callStaticJniMethod(bionic.emulator, "delete(J)V", handle);
    double largest = 0;
    double difference = 0;
    for (int i = 0; i < stock.length; ++i) {
      largest = Math.max(largest, Math.abs(stock[i]));
      difference = Math.max(difference, Math.abs(stock[i] - ours[i]));
    }
    System.out.printf(
        "{\"largest\":%.9g,\"difference\":%.9g,\"refused\":\"%s\",\"report\":%s}%n",
        largest, difference, refused.replace("\"", "'"), report.replace("\n", ""));
    bionic.emulator.close();
    System.exit(0); // the emulator's threads would stay
  }
}
