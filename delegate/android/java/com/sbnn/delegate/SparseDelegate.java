package com.sbnn.delegate;

import java.io.File;
import java.util.ArrayList;
import java.util.List;
import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;
import org.tensorflow.lite.Delegate;

/**
 * Runs sparse models faster: a delegate for TensorFlow Lite that skips the zeros of their weights.
 *
 * <pre>{@code
 * try (SparseDelegate delegate = new SparseDelegate(new SparseDelegate.Options().setNumThreads(4));
 *     Interpreter interpreter =
 *         new Interpreter(model, new Interpreter.Options().addDelegate(delegate))) {
 *   interpreter.run(input, output);
 *   Log.i("model", delegate.reportText());
 * }
 * }</pre>
 *
 * <p>A delegate may serve several interpreters, of several threads. Interpreters that have it go on as
 * before where it is closed before them. Every method may be called on any thread.
 */
public final class SparseDelegate implements Delegate {
  /** What the delegate takes. */
  public enum Claim {
    /** The parts of a network that are expected to run faster than in TensorFlow Lite. */
    FASTER,
    /** All that it can run. */
    ALL
  }

  /** How a delegate works. What is wrong with an option is said when the delegate is made. */
  public static final class Options {
    private int numThreads = 1;
    @Nullable private File cacheFile;
    private boolean allowFp16;
    @NotNull private Claim claim = Claim.FASTER;
    private boolean explain;
    private boolean profile;
    @Nullable private String instructionSet;
    @Nullable private ReportListener listener;

    /** One thread, no cache, 32-bit floats, what is faster, and no reports. */
    public Options() {}

    /** @param numThreads threads that one inference may use, 1 to 256; by default 1 */
    @NotNull
    public Options setNumThreads(int numThreads) {
      this.numThreads = numThreads;
      return this;
    }

    /**
     * Keeps packed weights in a file, from which the next start reads them: it is written anew when the
     * model, the CPU or the version has changed. One file a model; its folder must be the app's own, as
     * {@code Context.getCodeCacheDir()} is.
     *
     * @param file null, the default: none
     */
    @NotNull
    public Options setCacheFile(@Nullable File file) {
      cacheFile = file;
      return this;
    }

    /**
     * As {@link #setCacheFile}, with a name of its own for each model.
     *
     * @param directory an existing folder
     * @param modelToken the model's name: letters, digits, '.', '_' and '-', at most 100
     * @throws IllegalArgumentException for other folders and names
     */
    @NotNull
    public Options setCacheDirectory(@NotNull File directory, @NotNull String modelToken) {
      if (directory == null || !directory.isDirectory()) {
        throw new IllegalArgumentException(
            "directory: expected an existing folder, found " + directory);
      }
      if (modelToken == null || !modelToken.matches("[A-Za-z0-9._-]{1,100}")) {
        throw new IllegalArgumentException(
            "modelToken: expected 1 to 100 letters, digits, '.', '_' and '-', found " + modelToken);
      }
      return setCacheFile(new File(directory, modelToken + ".sbnn"));
    }

    /**
     * Lets operators compute in 16-bit floats where the CPU can (Armv8.2 FP16): faster, and less
     * accurate.
     *
     * @param allow by default false
     */
    @NotNull
    public Options setAllowFp16(boolean allow) {
      allowFp16 = allow;
      return this;
    }

    /** @param claim what the delegate takes; by default {@link Claim#FASTER} */
    @NotNull
    public Options setClaim(@NotNull Claim claim) {
      if (claim == null) {
        throw new IllegalArgumentException("claim: expected FASTER or ALL, found null");
      }
      this.claim = claim;
      return this;
    }

    /** @param explain true: what is claimed, and why the rest is not, goes to logcat */
    @NotNull
    public Options setExplain(boolean explain) {
      this.explain = explain;
      return this;
    }

    /** @param profile true: times of operators are reported when an interpreter is closed */
    @NotNull
    public Options setProfile(boolean profile) {
      this.profile = profile;
      return this;
    }

    /**
     * @param name as {@link SparseDelegate#instructionSet} may answer, or {@code "scalar"}; null, the
     *     default: the best
     */
    @NotNull
    public Options setInstructionSet(@Nullable String name) {
      instructionSet = name;
      return this;
    }

    /** @param listener is called with each record until the delegate is closed; null: nobody is */
    @NotNull
    public Options setReportListener(@Nullable ReportListener listener) {
      this.listener = listener;
      return this;
    }

    private List<String> pairs() {
      List<String> pairs = new ArrayList<>();
      add(pairs, "num_threads", Integer.toString(numThreads));
      add(pairs, "claim", claim == Claim.ALL ? "all" : "faster");
      if (cacheFile != null) add(pairs, "cache_path", cacheFile.getPath());
      if (allowFp16) add(pairs, "allow_fp16", "1");
      if (explain) add(pairs, "explain", "1");
      if (profile) add(pairs, "profile", "1");
      if (instructionSet != null) add(pairs, "isa", instructionSet);
      return pairs;
    }

    private static void add(List<String> pairs, String key, String value) {
      pairs.add(key);
      pairs.add(value);
    }
  }

  private final NativeDelegate nativeDelegate;
  private boolean closed;
  private boolean handedOut;

  /** A delegate with the default options. */
  public SparseDelegate() {
    this(new Options());
  }

  /**
   * @param options may be changed and used again afterwards
   * @throws IllegalArgumentException an option is wrong; the message says what was expected
   * @throws IllegalStateException the app has no library for this device
   */
  public SparseDelegate(@NotNull Options options) {
    if (options == null) throw new IllegalArgumentException("options: expected some, found null");
    List<String> pairs = options.pairs();
    nativeDelegate = new NativeDelegate(this, pairs, pairs.size(), options.listener);
  }

  /**
   * For TensorFlow Lite, which calls it when an interpreter is made.
   *
   * @throws IllegalStateException the delegate is closed
   */
  @Override
  public synchronized long getNativeHandle() {
    checkOpen();
    handedOut = true;
    return nativeDelegate.address();
  }

  /**
   * What the delegate has decided and measured so far, for programs.
   *
   * @return a list of JSON of the records that a {@link ReportListener} gets; those that came again
   *     unchanged, once
   * @throws IllegalStateException the delegate is closed
   */
  @NotNull
  public synchronized String report() {
    checkOpen();
    return nativeDelegate.report(false);
  }

  /**
   * What {@link #report} says, for people: a line each.
   *
   * @throws IllegalStateException the delegate is closed
   */
  @NotNull
  public synchronized String reportText() {
    checkOpen();
    return nativeDelegate.report(true);
  }

  /** No interpreter can be made with it, nor anything be asked of it any more. May be called again. */
  @Override
  public synchronized void close() {
    if (closed) return;
    closed = true;
    if (handedOut) {
      nativeDelegate.silence();
    } else {
      nativeDelegate.delete();
    }
    NativeDelegate.deleteUnreachable();
  }

  /**
   * The version of the library, such as {@code 1.2.3}.
   *
   * @throws IllegalStateException the app has no library for this device
   */
  @NotNull
  public static String version() {
    NativeDelegate.checkLoaded();
    return NativeDelegate.version();
  }

  /**
   * The best instruction set of the library on this device: {@code "neon"}, {@code "avx2"}, ...
   *
   * @throws IllegalStateException the app has no library for this device
   */
  @NotNull
  public static String instructionSet() {
    NativeDelegate.checkLoaded();
    return NativeDelegate.instructionSet();
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("expected an open SparseDelegate, found one that was closed");
    }
  }
}
