package com.sbnn.delegate;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.Test;
import org.tensorflow.lite.Interpreter;

public class ReportTest {
  @Test
  public void theListenerGetsWhatTheReportHas() {
    List<String> lines = Collections.synchronizedList(new ArrayList<>());
    try (SparseDelegate delegate =
        new SparseDelegate(new SparseDelegate.Options().setReportListener(lines::add))) {
      assertEquals(1, lines.size());
      assertTrue(lines.get(0).contains("\"record\":\"engine\""));
      try (Interpreter interpreter = Models.with(Models.sparse(), delegate)) {
        Models.run(interpreter);
      }
      assertEquals("[" + String.join(",\n", lines) + "]", delegate.report());
      String text = delegate.reportText();
      assertTrue(text, text.contains("CONV_2D claimed") && text.endsWith("\n"));
      for (String line : text.split("\n")) assertFalse(line.isEmpty());
    }
  }

  @Test
  public void aReportIsEmptyOfGraphsBeforeTheFirst() {
    try (SparseDelegate delegate = new SparseDelegate()) {
      assertEquals(1, delegate.report().split("\n").length);
      assertTrue(delegate.reportText().startsWith("SparseByteNN " + SparseDelegate.version()));
    }
  }

  @Test
  public void whatIsPreparedAgainIsReportedOnce() {
    try (SparseDelegate delegate = new SparseDelegate()) {
      String[] reports = new String[3];
      for (int i = 0; i < reports.length; ++i) {
        try (Interpreter interpreter = Models.with(Models.sparse(), delegate)) {
          Models.run(interpreter);
        }
        reports[i] = delegate.report();
      }
      assertEquals(Arrays.asList(reports[0], reports[0], reports[0]), Arrays.asList(reports));
    }
  }

  @Test
  public void aListenerThatThrowsHarmsNobody() {
    float[] expected = Models.stock(Models.sparse());
    SparseDelegate.Options options =
        new SparseDelegate.Options()
            .setReportListener(
                record -> {
                  throw new IllegalStateException("on purpose");
                });
    try (SparseDelegate delegate = new SparseDelegate(options);
        Interpreter interpreter = Models.with(Models.sparse(), delegate)) {
      assertEquals(0, Models.difference(expected, Models.run(interpreter)), 1e-4);
      assertTrue(delegate.report().contains("\"record\":\"part\""));
    }
  }

  @Test
  public void aClosedDelegateTellsNobody() {
    List<String> lines = Collections.synchronizedList(new ArrayList<>());
    SparseDelegate delegate =
        new SparseDelegate(
            new SparseDelegate.Options().setProfile(true).setReportListener(lines::add));
    try (Interpreter interpreter = Models.with(Models.sparse(), delegate)) {
      Models.run(interpreter);
      delegate.close();
      lines.clear();
    }
    assertTrue(lines.toString(), lines.isEmpty());
  }

  @Test
  public void explainGoesToTheSystemsLog() {
    // The lines are on standard error, where the runner of these tests looks for them.
    try (SparseDelegate delegate =
            new SparseDelegate(new SparseDelegate.Options().setExplain(true).setAllowFp16(true));
        Interpreter interpreter = Models.with(Models.sparse(), delegate)) {
      Models.run(interpreter);
    }
  }
}
