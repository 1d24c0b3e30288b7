package com.sbnn.benchmark;

import android.content.Context;
import android.content.Intent;
import android.content.IntentFilter;
import android.os.BatteryManager;
import android.os.Build;
import java.io.BufferedReader;
import java.io.File;
import java.io.FileReader;
import java.io.IOException;
import java.util.Locale;
import org.json.JSONException;
import org.json.JSONObject;

/** What the system lets an app know of the device's pace. */
final class Device {
  private static final String CPUS = "/sys/devices/system/cpu";

  private Device() {}

  static String name() {
    return Build.MANUFACTURER + " " + Build.MODEL;
  }

  /** At one moment; NaN is what can't be known. */
  static final class State {
    final double clockMhz; // of the fastest core
    final double fullClockMhz; // that it may reach
    final double batteryCelsius;

    State(double clockMhz, double fullClockMhz, double batteryCelsius) {
      this.clockMhz = clockMhz;
      this.fullClockMhz = fullClockMhz;
      this.batteryCelsius = batteryCelsius;
    }

    JSONObject toJson() throws JSONException {
      JSONObject json = new JSONObject();
      if (!Double.isNaN(clockMhz)) json.put("clock_mhz", clockMhz);
      if (!Double.isNaN(fullClockMhz)) json.put("full_clock_mhz", fullClockMhz);
      if (!Double.isNaN(batteryCelsius)) json.put("battery_celsius", batteryCelsius);
      return json;
    }

    @Override
    public String toString() {
      String clock =
          Double.isNaN(clockMhz)
              ? "clock unknown"
              : String.format(Locale.ROOT, "%.0f of %.0f MHz", clockMhz, fullClockMhz);
      return Double.isNaN(batteryCelsius)
          ? clock + ", temperature unknown"
          : clock + String.format(Locale.ROOT, ", battery %.1f °C", batteryCelsius);
    }
  }

  static State state(Context context) {
    double now = Double.NaN;
    double full = Double.NaN;
    for (int cpu = 0; new File(CPUS, "cpu" + cpu).isDirectory(); ++cpu) {
      String folder = CPUS + "/cpu" + cpu + "/cpufreq/";
      now = larger(now, number(folder + "scaling_cur_freq") / 1000);
      full = larger(full, number(folder + "cpuinfo_max_freq") / 1000);
    }
    Intent battery =
        context.registerReceiver(null, new IntentFilter(Intent.ACTION_BATTERY_CHANGED));
    int tenths =
        battery == null
            ? Integer.MIN_VALUE
            : battery.getIntExtra(BatteryManager.EXTRA_TEMPERATURE, Integer.MIN_VALUE);
    return new State(now, full, tenths == Integer.MIN_VALUE ? Double.NaN : tenths / 10.0);
  }

  private static double larger(double a, double b) {
    return Double.isNaN(a) || b > a ? b : a;
  }

  private static double number(String path) {
    try (BufferedReader reader = new BufferedReader(new FileReader(path))) {
      return Double.parseDouble(reader.readLine().trim());
    } catch (IOException | NumberFormatException | NullPointerException e) {
      return Double.NaN; // many devices keep it from apps
    }
  }
}
