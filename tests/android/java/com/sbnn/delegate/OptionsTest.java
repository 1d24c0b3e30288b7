package com.sbnn.delegate;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.File;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.tensorflow.lite.Interpreter;

public class OptionsTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private static SparseDelegate.Options options() {
    return new SparseDelegate.Options();
  }

  private static String refused(SparseDelegate.Options options) {
    return assertThrows(IllegalArgumentException.class, () -> new SparseDelegate(options))
        .getMessage();
  }

  private static String report(SparseDelegate.Options options) {
    try (SparseDelegate delegate = new SparseDelegate(options)) {
      try (Interpreter interpreter = Models.with(Models.sparse(), delegate)) {
        Models.run(interpreter);
      }
      return delegate.report();
    }
  }

  @Test
  public void theInstructionSetIsTheBestOfTheCpu() {
    assertEquals(Models.instructionSets()[0], SparseDelegate.instructionSet());
    assertTrue(report(options()).contains("\"isa\":\"" + SparseDelegate.instructionSet() + "\""));
  }

  @Test
  public void theVersionIsTheProjects() {
    assertEquals(System.getProperty("sbnn.version"), SparseDelegate.version());
  }

  @Test
  public void threadsAreChecked() {
    for (int threads : new int[] {0, -1, 257}) {
      String message = refused(options().setNumThreads(threads));
      assertEquals("num_threads: expected 1 to 256, found \"" + threads + "\"", message);
    }
    assertTrue(report(options().setNumThreads(3)).contains("\"num_threads\":3"));
  }

  @Test
  public void theInstructionSetCanBeChosen() {
    assertTrue(report(options().setInstructionSet("scalar")).contains("\"isa\":\"scalar\""));
    String message = refused(options().setInstructionSet("neon"));
    assertTrue(message, message.contains("isa: expected one of") && message.contains("\"neon\""));
    assertTrue(refused(options().setInstructionSet("avx2\0")).contains("without a NUL"));
  }

  @Test
  public void claimsAreAllOrWhatIsFaster() {
    String all = report(options().setClaim(SparseDelegate.Claim.ALL));
    assertFalse(all, all.contains("\"claimed\":false"));
    assertThrows(IllegalArgumentException.class, () -> options().setClaim(null));
  }

  @Test
  public void halfPrecisionSaysWhereItCannotBeHad() {
    assertTrue(report(options().setAllowFp16(true)).contains("\"kind\":\"no_fp16\""));
    assertFalse(report(options().setAllowFp16(false)).contains("no_fp16"));
  }

  @Test
  public void weightsAreCachedInAFile() throws Exception {
    File file = new File(folder.getRoot(), "gewichte \ud83d\ude80.sbnn");
    String first = report(options().setCacheFile(file));
    assertTrue(file.length() > 10000);
    long written = file.lastModified();
    assertEquals(records(first), records(report(options().setCacheFile(file))));
    assertEquals(written, file.lastModified());
    report(options().setCacheFile(null));
  }

  @Test
  public void weightsAreCachedInAFolder() {
    report(options().setCacheDirectory(folder.getRoot(), "mobilenet-1.0"));
    assertTrue(new File(folder.getRoot(), "mobilenet-1.0.sbnn").isFile());
    String tooLong = new String(new char[101]).replace('\0', 'a');
    for (String token : new String[] {null, "", "a/b", "a b", tooLong}) {
      assertThrows(
          IllegalArgumentException.class,
          () -> options().setCacheDirectory(folder.getRoot(), token));
    }
    File missing = new File(folder.getRoot(), "none");
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> options().setCacheDirectory(missing, "a"))
            .getMessage();
    assertTrue(message, message.contains("expected an existing folder") && message.contains("none"));
    assertThrows(IllegalArgumentException.class, () -> options().setCacheDirectory(null, "a"));
  }

  @Test
  public void aCacheThatCannotBeWrittenIsAWarning() {
    File nowhere = new File(folder.getRoot(), "none/weights.sbnn");
    assertTrue(report(options().setCacheFile(nowhere)).contains("\"kind\":\"cache_not_written\""));
  }

  @Test
  public void profilesAreReportedWhenTheInterpreterGoes() {
    assertTrue(report(options().setProfile(true)).contains("\"record\":\"step_profile\""));
    assertFalse(report(options().setProfile(false)).contains("_profile"));
  }

  @Test
  public void noOptionsAreAnError() {
    assertThrows(IllegalArgumentException.class, () -> new SparseDelegate(null));
    assertThrows(IllegalArgumentException.class, () -> new SparseDelegateFactory(null));
  }

  // How many nodes are claimed, and what the packed weights take.
  private static String records(String report) {
    int at = report.indexOf("\"record\":\"subgraph\"");
    return report.substring(at, report.indexOf('\n', at));
  }
}
