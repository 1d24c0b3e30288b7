package com.sbnn.benchmark;

/** What `am start ... --es args '--graph=... --num_threads=4'` says, as for TFLite's own app. */
final class Arguments {
  /** A file's path, or its name in the app's folder. */
  final String graph;

  /** That of the model to compare with; null: as the graph says itself. */
  final String baseline;

  final Settings settings;

  /** IllegalArgumentException, where they cannot be understood. */
  Arguments(String text) {
    String graph = null;
    String baseline = null;
    int threads = 1;
    int rounds = 50;
    boolean allowFp16 = false;
    for (String word : text.trim().split("\\s+")) {
      int equals = word.indexOf('=');
      String name = equals < 0 ? word : word.substring(0, equals);
      String value = equals < 0 ? "" : word.substring(equals + 1);
      switch (name) {
        case "--graph":
          graph = value;
          break;
        case "--baseline":
          baseline = value;
          break;
        case "--num_threads":
          threads = number(name, value);
          break;
        case "--rounds":
          rounds = number(name, value);
          break;
        case "--allow_fp16":
          allowFp16 = flag(name, value);
          break;
        default:
          throw new IllegalArgumentException(
              "expected --graph=FILE, --baseline=FILE, --num_threads=N, --rounds=N or"
                  + " --allow_fp16=true, found \""
                  + word
                  + "\"");
      }
    }
    if (graph == null || graph.isEmpty()) {
      throw new IllegalArgumentException("expected --graph=FILE, found \"" + text + "\"");
    }
    this.graph = graph;
    this.baseline = baseline;
    this.settings = new Settings(threads, rounds, allowFp16);
  }

  private static int number(String name, String value) {
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(name + ": expected a number, found \"" + value + "\"");
    }
  }

  private static boolean flag(String name, String value) {
    if (!value.equals("true") && !value.equals("false")) {
      throw new IllegalArgumentException(
          name + ": expected true or false, found \"" + value + "\"");
    }
    return value.equals("true");
  }
}
