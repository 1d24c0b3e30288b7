package com.sbnn.benchmark;

import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** In a package without assets. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = "w411dp-h891dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class NoModelsTest {
  @Test
  public void withoutModelsTheScreenSaysWhereTheyGo() throws Exception {
    try (Screen screen = new Screen(null)) {
      assertTrue(screen.text(), screen.text().contains("No models. Push some: adb push"));
      assertFalse(screen.button("Run").isEnabled());
      screen.picture("6-no-models");
    }
  }
}
