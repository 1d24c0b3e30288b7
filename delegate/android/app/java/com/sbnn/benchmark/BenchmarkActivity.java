package com.sbnn.benchmark;

import android.app.Activity;
import android.content.Intent;
import android.os.Build;
import android.os.Bundle;
import android.util.Log;
import android.view.View;
import android.widget.ArrayAdapter;
import android.widget.Button;
import android.widget.CheckBox;
import android.widget.LinearLayout;
import android.widget.ProgressBar;
import android.widget.ScrollView;
import android.widget.Spinner;
import android.widget.TextView;
import com.sbnn.delegate.SparseDelegate;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.json.JSONException;
import org.json.JSONObject;

/** The one screen: models to choose, a run, and what came of it. */
public final class BenchmarkActivity extends Activity implements Session.Observer {
  private static final String ARGUMENTS = "args";
  private static final int ROUNDS = 50;
  private static final Integer[] THREADS = {1, 2, 3, 4, 6, 8};

  private Session session;
  private final List<CheckBox> boxes = new ArrayList<>();
  private List<Model> models = new ArrayList<>();
  private Spinner threads;
  private CheckBox allowFp16;
  private Button run;
  private Button share;
  private ProgressBar progress;
  private TextView status;
  private ResultsTable table;
  private BarChart chart;

  @Override
  protected void onCreate(Bundle state) {
    super.onCreate(state);
    Object kept = getLastNonConfigurationInstance();
    session = kept == null ? new Session(this) : (Session) kept;
    build();
    session.observe(this);
    changed();
    String arguments = getIntent().getStringExtra(ARGUMENTS);
    if (arguments != null && kept == null && state == null) obey(arguments);
  }

  @Override
  public Object onRetainNonConfigurationInstance() {
    return session;
  }

  @Override
  protected void onDestroy() {
    session.observe(null);
    if (!isChangingConfigurations()) session.stop();
    super.onDestroy();
  }

  /** As the intent says; what can't be done is said in the log, too. */
  private void obey(String text) {
    try {
      Arguments arguments = new Arguments(text);
      Model model = Model.find(this, arguments.graph);
      session.start(
          Collections.singletonList(model), arguments.baseline, arguments.settings);
    } catch (IOException | IllegalArgumentException e) {
      status.setText(e.getMessage());
      try {
        Log.i(Session.TAG, new JSONObject().put("error", e.getMessage()).toString());
      } catch (JSONException impossible) {
        throw new IllegalStateException(impossible);
      }
    }
  }

  private void build() {
    LinearLayout column = new LinearLayout(this);
    column.setOrientation(LinearLayout.VERTICAL);
    int space = (int) (12 * getResources().getDisplayMetrics().density);
    column.setPadding(space, space, space, space);
    column.addView(text(device()));
    list(column);
    column.addView(controls());
    progress = new ProgressBar(this, null, android.R.attr.progressBarStyleHorizontal);
    column.addView(progress);
    status = text("");
    column.addView(status);
    table = new ResultsTable(this);
    column.addView(table);
    chart = new BarChart(this);
    LinearLayout.LayoutParams place =
        new LinearLayout.LayoutParams(
            LinearLayout.LayoutParams.MATCH_PARENT, LinearLayout.LayoutParams.WRAP_CONTENT);
    place.topMargin = space;
    column.addView(chart, place);
    ScrollView scroll = new ScrollView(this);
    scroll.addView(column);
    setContentView(scroll);
  }

  private String device() {
    String name = Device.name() + ", Android " + Build.VERSION.RELEASE;
    try {
      return name + "\nSparseByteNN " + SparseDelegate.version() + ", "
          + SparseDelegate.instructionSet();
    } catch (IllegalStateException e) {
      return name + "\n" + e.getMessage();
    }
  }

  private void list(LinearLayout column) {
    try {
      models = Model.list(this);
    } catch (IOException e) {
      column.addView(text(e.getMessage()));
    }
    if (models.isEmpty()) {
      column.addView(text("No models. Push some: adb push model.tflite " + Model.folder(this)));
    }
    for (Model model : models) {
      CheckBox box = new CheckBox(this);
      box.setText(model.title);
      box.setChecked(true);
      boxes.add(box);
      column.addView(box);
    }
  }

  private LinearLayout controls() {
    LinearLayout row = new LinearLayout(this);
    threads = new Spinner(this);
    threads.setContentDescription("threads");
    List<String> names = new ArrayList<>();
    for (Integer count : THREADS) names.add(count + (count == 1 ? " thread" : " threads"));
    ArrayAdapter<String> adapter =
        new ArrayAdapter<>(this, android.R.layout.simple_spinner_item, names);
    adapter.setDropDownViewResource(android.R.layout.simple_spinner_dropdown_item);
    threads.setAdapter(adapter);
    row.addView(threads);
    allowFp16 = new CheckBox(this);
    allowFp16.setText("fp16");
    row.addView(allowFp16);
    run = new Button(this);
    run.setOnClickListener(
        new View.OnClickListener() {
          @Override
          public void onClick(View view) {
            runOrStop();
          }
        });
    row.addView(run);
    share = new Button(this);
    share.setText("Share");
    share.setOnClickListener(
        new View.OnClickListener() {
          @Override
          public void onClick(View view) {
            share();
          }
        });
    row.addView(share);
    return row;
  }

  private void runOrStop() {
    if (session.running()) {
      session.stop();
      return;
    }
    List<Model> chosen = new ArrayList<>();
    for (int i = 0; i < models.size(); ++i) {
      if (boxes.get(i).isChecked()) chosen.add(models.get(i));
    }
    if (chosen.isEmpty()) {
      status.setText("Choose a model.");
      return;
    }
    int count = THREADS[threads.getSelectedItemPosition()];
    session.start(chosen, null, new Settings(count, ROUNDS, allowFp16.isChecked()));
  }

  private void share() {
    try {
      Intent intent =
          new Intent(Intent.ACTION_SEND)
              .setType(ResultsProvider.TYPE)
              .putExtra(Intent.EXTRA_STREAM, ResultsProvider.share(this, session.results()))
              .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION);
      startActivity(Intent.createChooser(intent, "Share results"));
    } catch (IOException e) {
      status.setText("The results can't be written: " + e.getMessage());
    }
  }

  @Override
  public void changed() {
    boolean again = !session.results().isEmpty();
    run.setText(session.running() ? "Stop" : again ? "Run again" : "Run");
    run.setEnabled(session.running() || !models.isEmpty());
    share.setEnabled(again && !session.running());
    progress.setVisibility(session.running() ? View.VISIBLE : View.GONE);
    progress.setMax(session.total());
    progress.setProgress(session.done());
    status.setText(session.doing() + (again ? "\n" + lastState() : ""));
    table.show(session.results());
    chart.show(session.results());
  }

  private String lastState() {
    Result last = session.results().get(session.results().size() - 1);
    return last.after == null ? "" : "before: " + last.before + "\nafter: " + last.after;
  }

  private TextView text(String words) {
    TextView view = new TextView(this);
    view.setText(words);
    return view;
  }
}
