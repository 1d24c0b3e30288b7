package com.sbnn.benchmark;

import android.content.Context;
import android.content.res.AssetFileDescriptor;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * A `.tflite` of the app's assets or of its folder. Beside it may be a file of the same name that ends
 * in `.json`, with what a file can't say itself: `title`, `zeros` (of the pruned weights, 0 to 1) and
 * `baseline`, the name of the dense model to compare with.
 */
final class Model {
  private static final String FILE = ".tflite";
  private static final String ASSETS = "models";

  final String name;
  final String title;
  final double zeros; // NaN: nobody says
  private final String baseline; // null: this model itself
  private final File folder; // null: in the assets

  private Model(String name, File folder, JSONObject about) {
    this.name = name;
    this.folder = folder;
    title = about.optString("title", name);
    zeros = about.optDouble("zeros", Double.NaN);
    baseline = about.has("baseline") ? about.optString("baseline") : null;
  }

  /** The app's folder, where `adb push` puts models. */
  static File folder(Context context) {
    File external = context.getExternalFilesDir(null);
    return external == null ? context.getFilesDir() : external;
  }

  /** All to choose from: not those that only others are compared with. */
  static List<Model> list(Context context) throws IOException {
    List<Model> found = new ArrayList<>();
    String[] assets = context.getAssets().list(ASSETS);
    add(context, found, assets, null);
    File folder = folder(context);
    add(context, found, folder.list(), folder);
    List<Model> shown = new ArrayList<>();
    for (Model model : found) {
      boolean only = false;
      for (Model other : found) {
        only |= model.name.equals(other.baseline) && model.folder == other.folder;
      }
      if (!only) shown.add(model);
    }
    return shown;
  }

  /** A file by its path, or its name in the app's folder or among the assets. */
  static Model find(Context context, String name) throws IOException {
    File file = new File(name);
    if (!file.isAbsolute()) file = new File(folder(context), name);
    if (file.isFile()) return open(context, file.getName(), file.getParentFile());
    if (exists(context, name)) return open(context, name, null);
    throw new FileNotFoundException(
        "expected a model of the app or a file in " + folder(context) + ", found no " + name);
  }

  /** What it is compared with: what it names itself, or `other`, where that is not null. */
  Model baseline(Context context, String other) throws IOException {
    if (other != null) return find(context, other);
    return baseline == null ? this : open(context, baseline, folder);
  }

  /** The file, mapped into memory where that is possible. */
  ByteBuffer load(Context context) throws IOException {
    if (folder != null) {
      try (FileInputStream stream = new FileInputStream(new File(folder, name))) {
        FileChannel channel = stream.getChannel();
        return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
      }
    }
    try (AssetFileDescriptor asset = context.getAssets().openFd(ASSETS + "/" + name);
        FileInputStream stream = new FileInputStream(asset.getFileDescriptor())) {
      return stream
          .getChannel()
          .map(FileChannel.MapMode.READ_ONLY, asset.getStartOffset(), asset.getLength());
    }
  }

  private static boolean exists(Context context, String name) throws IOException {
    return Arrays.asList(context.getAssets().list(ASSETS)).contains(name);
  }

  private static void add(Context context, List<Model> models, String[] names, File folder)
      throws IOException {
    if (names == null) return;
    Arrays.sort(names);
    for (String name : names) {
      if (name.endsWith(FILE)) models.add(open(context, name, folder));
    }
  }

  private static Model open(Context context, String name, File folder) throws IOException {
    String beside = name.replaceAll("\\.tflite$", "") + ".json";
    if (folder == null ? !exists(context, beside) : !new File(folder, beside).isFile()) {
      return new Model(name, folder, new JSONObject());
    }
    try (InputStream stream =
        folder == null
            ? context.getAssets().open(ASSETS + "/" + beside)
            : new FileInputStream(new File(folder, beside))) {
      return new Model(name, folder, new JSONObject(read(stream)));
    } catch (JSONException e) {
      throw new IOException(beside + ": expected an object of JSON: " + e.getMessage());
    }
  }

  private static String read(InputStream stream) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] some = new byte[4096];
    for (int count; (count = stream.read(some)) > 0; ) bytes.write(some, 0, count);
    return new String(bytes.toByteArray(), StandardCharsets.UTF_8);
  }
}
