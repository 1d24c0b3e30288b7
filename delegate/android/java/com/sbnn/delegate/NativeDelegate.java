package com.sbnn.delegate;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/**
 * The native part of a {@link SparseDelegate}.
 *
 * <p>An interpreter uses a delegate until its own end, and holds on to the Java object that long. So the
 * native part goes when nothing holds on to that object any more, even where it was closed before; it
 * is small, and the weights are the interpreter's.
 */
final class NativeDelegate extends PhantomReference<SparseDelegate> {
  private static final ReferenceQueue<SparseDelegate> UNREACHABLE = new ReferenceQueue<>();
  private static final Set<NativeDelegate> ALIVE =
      Collections.newSetFromMap(new ConcurrentHashMap<NativeDelegate, Boolean>());
  @Nullable private static final String MISSING = load();

  private final long handle;

  /** What is wrong with the options is an IllegalArgumentException. */
  NativeDelegate(
      @NotNull SparseDelegate owner,
      @NotNull Iterable<String> pairs,
      int words,
      @Nullable ReportListener listener) {
    super(owner, UNREACHABLE);
    checkLoaded();
    deleteUnreachable();
    byte[][] bytes = new byte[words][];
    int count = 0;
    for (String word : pairs) {
      if (word.indexOf('\0') >= 0) {
        throw new IllegalArgumentException(
            "expected text without a NUL, found one in \"" + word.replace('\0', '?') + "\"");
      }
      bytes[count++] = word.getBytes(StandardCharsets.UTF_8);
    }
    byte[][] failure = new byte[1][];
    handle = create(bytes, listener, failure);
    if (handle == 0) {
      throw new IllegalArgumentException(new String(failure[0], StandardCharsets.UTF_8));
    }
    ALIVE.add(this);
  }

  /** Of the TfLiteDelegate. */
  long address() {
    return address(handle);
  }

  @NotNull
  String report(boolean text) {
    return new String(report(handle, text), StandardCharsets.UTF_8);
  }

  /** Forgets the listener, and all reports. */
  void silence() {
    silence(handle);
  }

  /** Only where no interpreter has got the address. */
  void delete() {
    if (ALIVE.remove(this)) delete(handle);
  }

  static void deleteUnreachable() {
    for (Reference<?> gone; (gone = UNREACHABLE.poll()) != null; ) {
      ((NativeDelegate) gone).delete();
    }
  }

  static int alive() {
    return ALIVE.size();
  }

  /** Throws an IllegalStateException where the library can't be loaded. */
  static void checkLoaded() {
    if (MISSING != null) throw new IllegalStateException(MISSING);
  }

  private static String load() {
    try {
      System.loadLibrary("sbnn_delegate");
      return null;
    } catch (UnsatisfiedLinkError e) {
      return "libsbnn_delegate.so can't be loaded: expected an app with a library for "
          + System.getProperty("os.arch")
          + " (the AAR's folder jni/ says which it has), found: "
          + e.getMessage();
    }
  }

  private static native long create(byte[][] pairs, ReportListener listener, byte[][] failure);

  private static native long address(long handle);

  private static native byte[] report(long handle, boolean text);

  private static native void silence(long handle);

  private static native void delete(long handle);

  static native String version();

  static native String instructionSet();
}
