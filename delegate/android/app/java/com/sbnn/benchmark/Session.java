package com.sbnn.benchmark;

import android.content.Context;
import android.os.Handler;
import android.os.Looper;
import android.util.Log;
import java.util.ArrayList;
import java.util.List;

/** Runs of this process and their results; outlives an activity that is turned. */
final class Session {
  static final String TAG = "SbnnBenchmark";

  /** Called on the main thread, when something is to be shown anew. */
  interface Observer {
    void changed();
  }

  private final Context context; // the application's
  private final Handler main = new Handler(Looper.getMainLooper());
  private final List<Result> results = new ArrayList<>(); // of the main thread
  private volatile boolean stopping;
  private Observer observer;
  private boolean running;
  private int done;
  private int total;
  private String doing = "";

  Session(Context context) {
    this.context = context.getApplicationContext();
  }

  void observe(Observer observer) {
    this.observer = observer;
  }

  boolean running() {
    return running;
  }

  int done() {
    return done;
  }

  int total() {
    return total;
  }

  /** What happens now, for people. */
  String doing() {
    return doing;
  }

  List<Result> results() {
    return results;
  }

  void stop() {
    stopping = true;
  }

  /** One model after the other, on a thread of its own. Does nothing while it runs already. */
  void start(final List<Model> models, final String baseline, final Settings settings) {
    if (running) return;
    running = true;
    stopping = false;
    done = 0;
    doing = "warming up";
    total = models.size() * settings.rounds;
    changed();
    new Thread("benchmark") {
      @Override
      public void run() {
        for (int i = 0; i < models.size() && !stopping; ++i) {
          time(models.get(i), i, baseline, settings);
        }
        main.post(
            new Runnable() {
              @Override
              public void run() {
                running = false;
                doing = stopping ? "stopped" : "done";
                changed();
              }
            });
      }
    }.start();
  }

  private void time(
      final Model model, final int index, String baseline, final Settings settings) {
    Benchmark.Progress progress =
        new Benchmark.Progress() {
          @Override
          public boolean at(final int round, final int rounds) {
            main.post(
                new Runnable() {
                  @Override
                  public void run() {
                    done = index * settings.rounds + round;
                    doing = model.title + ", round " + (round + 1) + " of " + rounds;
                    changed();
                  }
                });
            return !stopping;
          }
        };
    final Result result = Benchmark.run(context, model, baseline, settings, progress);
    log(result);
    main.post(
        new Runnable() {
          @Override
          public void run() {
            done = (index + 1) * settings.rounds;
            results.add(result);
            changed();
          }
        });
  }

  /** One line of JSON, which android_benchmark.py reads. */
  static void log(Result result) {
    Log.i(TAG, result.toJson().toString());
  }

  private void changed() {
    if (observer != null) observer.changed();
  }
}
