package com.sbnn.benchmark;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.Application;
import android.content.Context;
import android.content.Intent;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import java.io.File;
import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.robolectric.shadows.ShadowLog;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = "w411dp-h891dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class AppTest {
  private static final String SPARSE = "mobilenet_v1_50.tflite";
  private static final String INT8 = "mobilenet_v1_int8_70.tflite";

  private static Context context() {
    return RuntimeEnvironment.getApplication();
  }

  private static File push(String name, byte[] content) throws Exception {
    File file = new File(Model.folder(context()), name);
    Files.write(file.toPath(), content);
    return file;
  }

  private static JSONObject logged() throws Exception {
    List<ShadowLog.LogItem> lines = ShadowLog.getLogsForTag(Session.TAG);
    assertEquals(lines.toString(), 1, lines.size());
    return new JSONObject(lines.get(0).msg);
  }

  private static void checkMeasured(JSONObject json) throws Exception {
    for (String side : new String[] {"baseline", "delegate"}) {
      JSONObject times = json.getJSONObject(side);
      assertTrue(times.getDouble("min_ms") > 0);
      assertTrue(times.getDouble("median_ms") >= times.getDouble("min_ms"));
    }
    double ratio =
        json.getJSONObject("baseline").getDouble("min_ms")
            / json.getJSONObject("delegate").getDouble("min_ms");
    assertEquals(ratio, json.getDouble("speedup_min"), 1e-9 * ratio);
    assertTrue(json.getString("isa"), json.getString("isa").startsWith("avx"));
    assertTrue(json.getInt("claimed_nodes") > 27);
    assertTrue(json.getInt("total_nodes") >= json.getInt("claimed_nodes"));
  }

  @Test
  public void modelsOfTheAppAndOfItsFolderAreListed() throws Exception {
    push("pushed.tflite", new byte[] {1});
    try (Screen screen = new Screen(null)) {
      String text = screen.text();
      assertTrue(text, text.contains("MobileNet-v1, 50 % zeros\n"));
      assertTrue(text, text.contains("MobileNet-v1 int8, 70 % zeros\n"));
      assertTrue(text, text.contains("pushed.tflite\n"));
      assertFalse("what others are compared with is no choice", text.contains("dense.tflite"));
      assertFalse(screen.button("Share").isEnabled());
      screen.picture("1-list");
    }
  }

  @Test
  public void aRunFillsTableAndChartAndCanBeShared() throws Exception {
    try (Screen screen = new Screen(null)) {
      screen.button("Run").performClick();
      screen.waitFor("Run again");
      String text = screen.text();
      for (String head : new String[] {"model", "zeros", "dense ms", "sparse ms", "ratio"}) {
        assertTrue(text, text.contains(head + "\n"));
      }
      assertTrue(text, text.contains("50 %\n") && text.contains("before: ") && text.contains("×"));
      screen.picture("3-results");

      screen.button("Share").performClick();
      Intent chooser = shadowOf((Application) context()).getNextStartedActivity();
      Intent send = chooser.getParcelableExtra(Intent.EXTRA_INTENT, Intent.class);
      assertEquals(Intent.ACTION_SEND, send.getAction());
      Uri uri = send.getParcelableExtra(Intent.EXTRA_STREAM, Uri.class);
      try (ParcelFileDescriptor file = context().getContentResolver().openFileDescriptor(uri, "r");
          FileInputStream stream = new FileInputStream(file.getFileDescriptor())) {
        byte[] bytes = new byte[(int) file.getStatSize()];
        assertEquals(bytes.length, stream.read(bytes));
        JSONArray shared = new JSONArray(new String(bytes, StandardCharsets.UTF_8));
        assertEquals(2, shared.length());
        for (int i = 0; i < 2; ++i) {
          checkMeasured(shared.getJSONObject(i));
          assertEquals(i == 0 ? 0.5 : 0.7, shared.getJSONObject(i).getDouble("zeros"), 0);
        }
      }

      screen.button("Run again").performClick();
      screen.waitFor("done");
      assertEquals("a row a run", 3, screen.text().split("\n50 %\n", -1).length);
    }
  }

  @Test
  public void aRunShowsHowFarItIsAndCanBeStopped() throws Exception {
    try (Screen screen = new Screen("--graph=" + SPARSE + " --rounds=100000")) {
      screen.waitFor("MobileNet-v1, 50 % zeros, round ");
      screen.picture("2-running");
      screen.button("Stop").performClick();
      screen.waitFor("Run again");
      assertEquals("stopped", logged().getString("error"));
    }
  }

  @Test
  public void anIntentsArgumentsStartARunAndOneLineIsLogged() throws Exception {
    try (Screen screen = new Screen("--graph=" + SPARSE + " --num_threads=2 --rounds=5")) {
      screen.waitFor("done");
      JSONObject json = logged();
      assertEquals(SPARSE, json.getString("model"));
      assertEquals(2, json.getInt("threads"));
      assertEquals(5, json.getInt("rounds"));
      double difference = json.getDouble("max_abs_diff"); // of logits around 1
      assertTrue(json.toString(), difference > 0 && difference < 1e-3);
      checkMeasured(json);
    }
  }

  @Test
  public void aQuantizedModelIsMeasured() throws Exception {
    try (Screen screen = new Screen("--graph=" + INT8 + " --rounds=3")) {
      screen.waitFor("done");
      checkMeasured(logged());
      // A few steps of logits: TensorFlow Lite's own kernels, which run here, round unlike XNNPACK's.
      assertTrue(logged().toString(), logged().getDouble("max_abs_diff") < 0.2);
    }
  }

  @Test
  public void outputsAreComparedWithThoseOfTheSameFile() throws Exception {
    // The dense network that a sparse one is timed against may be another function.
    File other = new File(System.getProperty("sbnn.models"), "mobilenet_g1.tflite");
    push("other.tflite", Files.readAllBytes(other.toPath()));
    String arguments = "--graph=" + SPARSE + " --baseline=other.tflite --rounds=2";
    try (Screen screen = new Screen(arguments)) {
      screen.waitFor("done");
      double difference = logged().getDouble("max_abs_diff");
      assertTrue(logged().toString(), difference > 0 && difference < 1e-3);
    }
  }

  @Test
  public void aPathAndABaselineCanBeNamed() throws Exception {
    File model = new File(System.getProperty("sbnn.models"), "mobilenet_g4.tflite");
    File file = push("mine.tflite", Files.readAllBytes(model.toPath()));
    String arguments =
        "--graph=" + file + " --baseline=mine.tflite --rounds=2 --allow_fp16=true";
    try (Screen screen = new Screen(arguments)) {
      screen.waitFor("done");
      JSONObject json = logged();
      checkMeasured(json);
      assertTrue(json.getBoolean("allow_fp16"));
      assertTrue(json.toString(), json.getDouble("max_abs_diff") < 1e-3);
      assertFalse(json.has("zeros"));
    }
  }

  @Test
  public void wrongArgumentsAreNamed() throws Exception {
    String[][] cases = {
      {"--num_threads=4", "expected --graph=FILE"},
      {"--graph=" + SPARSE + " --num_threads=0", "num_threads: expected 1 to 16, found 0"},
      {"--graph=" + SPARSE + " --rounds=x", "--rounds: expected a number, found \"x\""},
      {"--graph=" + SPARSE + " --allow_fp16=1", "expected true or false"},
      {"--graph=" + SPARSE + " --turbo", "found \"--turbo\""},
      {"--graph=none.tflite", "found no none.tflite"},
    };
    for (String[] each : cases) {
      ShadowLog.clear();
      try (Screen screen = new Screen(each[0])) {
        assertTrue(screen.text(), screen.text().contains(each[1]));
        assertTrue(logged().getString("error").contains(each[1]));
      }
    }
  }

  @Test
  public void aTurnedScreenGoesOn() throws Exception {
    try (Screen screen = new Screen("--graph=" + SPARSE + " --rounds=200")) {
      screen.waitFor("Stop");
      BenchmarkActivity before = screen.controller.get();
      screen.controller.recreate();
      assertTrue(before != screen.controller.get());
      screen.waitFor("done");
      assertEquals(200, logged().getInt("rounds"));
      RuntimeEnvironment.setQualifiers("land");
      screen.controller.recreate();
      assertTrue(screen.text().contains("Run again"));
      screen.picture("4-landscape");
    }
  }

  @Test
  public void aBrokenModelIsARowOfTheTable() throws Exception {
    push("broken.tflite", new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
    push("twin.json", "{".getBytes(StandardCharsets.UTF_8));
    try (Screen screen = new Screen("--graph=broken.tflite --rounds=1")) {
      screen.waitFor("done");
      JSONObject json = logged();
      assertEquals("broken.tflite", json.getString("model"));
      assertNotNull(json.getString("error"));
      assertFalse(json.has("delegate"));
      screen.picture("5-broken");
    }
  }
}
