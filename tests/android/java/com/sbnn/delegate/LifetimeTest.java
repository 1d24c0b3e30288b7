package com.sbnn.delegate;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.Test;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.InterpreterApi;
import org.tensorflow.lite.RuntimeFlavor;

public class LifetimeTest {
  private static final double BAR = 1e-4;
  private final float[] expected = Models.stock(Models.sparse());

  private void check(InterpreterApi interpreter) {
    assertEquals(0, Models.difference(expected, Models.run(interpreter)), BAR);
  }

  /** The native delegates that are left once those that nobody holds are gone. */
  private static int alive() throws InterruptedException {
    for (int i = 0; i < 50 && NativeDelegate.alive() > 0; ++i) {
      System.gc();
      Thread.sleep(20);
      NativeDelegate.deleteUnreachable();
    }
    return NativeDelegate.alive();
  }

  @Test
  public void itComputesWhatTensorFlowLiteDoes() {
    try (SparseDelegate delegate = new SparseDelegate();
        Interpreter interpreter = Models.with(Models.sparse(), delegate)) {
      check(interpreter);
      assertTrue(delegate.report(), delegate.report().contains("\"claimed\":true"));
    }
  }

  @Test
  public void closingTwiceIsClosingOnce() {
    SparseDelegate delegate = new SparseDelegate();
    delegate.close();
    delegate.close();
  }

  @Test
  public void aClosedDelegateSaysSo() {
    SparseDelegate delegate = new SparseDelegate();
    delegate.close();
    for (org.junit.function.ThrowingRunnable use :
        new org.junit.function.ThrowingRunnable[] {
          delegate::getNativeHandle,
          delegate::report,
          delegate::reportText,
          () -> Models.with(Models.sparse(), delegate)
        }) {
      String message = assertThrows(IllegalStateException.class, use).getMessage();
      assertEquals("expected an open SparseDelegate, found one that was closed", message);
    }
  }

  @Test
  public void anInterpreterOutlivesItsDelegatesClose() throws Exception {
    SparseDelegate delegate = new SparseDelegate();
    try (Interpreter interpreter = Models.with(Models.sparse(), delegate)) {
      check(interpreter);
      delegate.close();
      delegate = null;
      System.gc();
      NativeDelegate.deleteUnreachable();
      check(interpreter);
      interpreter.resizeInput(0, new int[] {2, 96, 96, 3});
      assertEquals(2 * expected.length, Models.run(interpreter).length);
      interpreter.resizeInput(0, new int[] {1, 96, 96, 3});
      check(interpreter);
    }
  }

  @Test
  public void nativeDelegatesGoWithTheirLastHolder() throws Exception {
    for (int i = 0; i < 5; ++i) {
      SparseDelegate closed = new SparseDelegate();
      try (Interpreter interpreter = Models.with(Models.sparse(), closed)) {
        if (i % 2 == 0) closed.close();
        check(interpreter);
      }
      closed.close();
      new SparseDelegate();  // never closed
    }
    assertEquals(0, alive());
  }

  @Test
  public void interpretersMayShareADelegate() throws Exception {
    try (SparseDelegate delegate = new SparseDelegate()) {
      inThreads(
          4,
          () -> {
            for (int i = 0; i < 5; ++i) {
              try (Interpreter interpreter = Models.with(Models.sparse(), delegate)) {
                check(interpreter);
              }
            }
          });
    }
  }

  @Test
  public void fourThreadsMakeTwentyInterpretersEach() throws Exception {
    inThreads(
        4,
        () -> {
          for (int i = 0; i < 20; ++i) {
            try (SparseDelegate delegate =
                    new SparseDelegate(new SparseDelegate.Options().setNumThreads(1 + i % 3));
                Interpreter interpreter = Models.with(Models.sparse(), delegate)) {
              check(interpreter);
            }
          }
        });
  }

  @Test
  public void anInputMayBeResized() {
    try (SparseDelegate delegate = new SparseDelegate();
        Interpreter interpreter = Models.with(Models.sparse(), delegate);
        Interpreter stock = new Interpreter(Models.sparse(), new Interpreter.Options())) {
      for (int[] shape : new int[][] {{3, 96, 96, 3}, {1, 112, 76, 3}, {1, 96, 96, 3}}) {
        stock.resizeInput(0, shape);
        interpreter.resizeInput(0, shape);
        assertEquals(0, Models.difference(Models.run(stock), Models.run(interpreter)), BAR);
      }
      check(interpreter);
    }
  }

  @Test
  public void aFactoryMakesAndClosesDelegates() throws Exception {
    List<String> records = new ArrayList<>();
    SparseDelegate.Options options =
        new SparseDelegate.Options().setNumThreads(2).setReportListener(records::add);
    for (int i = 0; i < 2; ++i) {
      try (InterpreterApi interpreter =
          InterpreterApi.create(
              Models.sparse(),
              new InterpreterApi.Options()
                  .setRuntime(InterpreterApi.Options.TfLiteRuntime.FROM_APPLICATION_ONLY)
                  .addDelegateFactory(new SparseDelegateFactory(options)))) {
        check(interpreter);
      }
    }
    assertEquals(2, records.stream().filter(r -> r.contains("\"record\":\"engine\"")).count());
    assertEquals(0, alive());
    new SparseDelegateFactory().create(RuntimeFlavor.APPLICATION).close();
  }

  @Test
  public void aFactoryRefusesPlayServices() {
    String message =
        assertThrows(
                IllegalStateException.class,
                () -> new SparseDelegateFactory().create(RuntimeFlavor.SYSTEM))
            .getMessage();
    assertTrue(message, message.contains("FROM_APPLICATION_ONLY"));
  }

  @Test
  public void aBrokenModelIsAnError() {
    ByteBuffer nonsense = ByteBuffer.allocateDirect(64).order(ByteOrder.nativeOrder());
    try (SparseDelegate delegate = new SparseDelegate()) {
      assertThrows(
          IllegalArgumentException.class,
          () -> new Interpreter(nonsense, new Interpreter.Options().addDelegate(delegate)));
      try (Interpreter interpreter = Models.with(Models.sparse(), delegate)) {
        check(interpreter);
      }
    }
  }

  @Test
  public void theModelIsAlive() {
    // Else nothing above would tell a right output from a wrong one.
    assertNotEquals(expected[0], expected[1], 1e-6);
    assertArrayEquals(expected, Models.stock(Models.sparse()), 0);
  }

  private interface Work {
    void run() throws Exception;
  }

  private static void inThreads(int count, Work work) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(count);
    List<Future<?>> all = new ArrayList<>();
    for (int i = 0; i < count; ++i) {
      all.add(
          pool.submit(
              () -> {
                work.run();
                return null;
              }));
    }
    for (Future<?> each : all) each.get();
    pool.shutdown();
  }
}
