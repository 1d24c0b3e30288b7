package com.sbnn.benchmark;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.Context;
import android.database.Cursor;
import android.database.MatrixCursor;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import android.provider.OpenableColumns;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;

/** Lets an app that the user chose read the shared results: one file. */
public final class ResultsProvider extends ContentProvider {
  static final String TYPE = "application/json";
  private static final String NAME = "sbnn-benchmark.json";

  /** Writes the results to share, and returns where they can be read. */
  static Uri share(Context context, List<Result> results) throws IOException {
    JSONArray all = new JSONArray();
    for (Result result : results) all.put(result.toJson());
    try (FileOutputStream out = new FileOutputStream(file(context))) {
      out.write(all.toString(2).getBytes(StandardCharsets.UTF_8));
    } catch (JSONException e) {
      throw new IllegalStateException(e);
    }
    return Uri.parse("content://" + context.getPackageName() + ".results/" + NAME);
  }

  private static File file(Context context) {
    return new File(context.getCacheDir(), NAME);
  }

  @Override
  public boolean onCreate() {
    return true;
  }

  @Override
  public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
    return ParcelFileDescriptor.open(file(getContext()), ParcelFileDescriptor.MODE_READ_ONLY);
  }

  @Override
  public Cursor query(
      Uri uri, String[] projection, String selection, String[] arguments, String order) {
    MatrixCursor cursor =
        new MatrixCursor(new String[] {OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE});
    cursor.addRow(new Object[] {NAME, file(getContext()).length()});
    return cursor;
  }

  @Override
  public String getType(Uri uri) {
    return TYPE;
  }

  @Override
  public Uri insert(Uri uri, ContentValues values) {
    throw new UnsupportedOperationException("results can be read only");
  }

  @Override
  public int delete(Uri uri, String selection, String[] arguments) {
    throw new UnsupportedOperationException("results can be read only");
  }

  @Override
  public int update(Uri uri, ContentValues values, String selection, String[] arguments) {
    throw new UnsupportedOperationException("results can be read only");
  }
}
