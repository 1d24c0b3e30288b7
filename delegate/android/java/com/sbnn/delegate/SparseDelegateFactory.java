package com.sbnn.delegate;

import org.jetbrains.annotations.NotNull;
import org.tensorflow.lite.Delegate;
import org.tensorflow.lite.DelegateFactory;
import org.tensorflow.lite.RuntimeFlavor;

/**
 * Makes a {@link SparseDelegate} for each interpreter, which closes it at its own end.
 *
 * <pre>{@code
 * InterpreterApi.Options options =
 *     new InterpreterApi.Options()
 *         .setRuntime(TfLiteRuntime.FROM_APPLICATION_ONLY)
 *         .addDelegateFactory(new SparseDelegateFactory());
 * }</pre>
 */
public final class SparseDelegateFactory implements DelegateFactory {
  private final SparseDelegate.Options options;

  /** Of delegates with the default options. */
  public SparseDelegateFactory() {
    this(new SparseDelegate.Options());
  }

  /** @param options of all delegates; changes count for those that are made later */
  public SparseDelegateFactory(@NotNull SparseDelegate.Options options) {
    if (options == null) throw new IllegalArgumentException("options: expected some, found null");
    this.options = options;
  }

  /**
   * @throws IllegalStateException the interpreter is that of Google Play services, which takes no
   *     delegates of others
   * @throws IllegalArgumentException an option is wrong
   */
  @Override
  @NotNull
  public Delegate create(@NotNull RuntimeFlavor flavor) {
    if (flavor != RuntimeFlavor.APPLICATION) {
      throw new IllegalStateException(
          "expected the TensorFlow Lite that the app brings, found "
              + flavor
              + ", which takes no delegates of others: set TfLiteRuntime.FROM_APPLICATION_ONLY");
    }
    return new SparseDelegate(options);
  }
}
