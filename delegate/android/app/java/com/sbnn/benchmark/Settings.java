package com.sbnn.benchmark;

/** How to time: what the screen or an intent's arguments say. */
final class Settings {
  static final int MOST_THREADS = 16;
  static final int MOST_ROUNDS = 100000;

  final int threads;
  final int rounds;
  final boolean allowFp16;

  /** IllegalArgumentException, where a number is out of range. */
  Settings(int threads, int rounds, boolean allowFp16) {
    check("num_threads", threads, MOST_THREADS);
    check("rounds", rounds, MOST_ROUNDS);
    this.threads = threads;
    this.rounds = rounds;
    this.allowFp16 = allowFp16;
  }

  private static void check(String name, int value, int most) {
    if (value < 1 || value > most) {
      throw new IllegalArgumentException(
          name + ": expected 1 to " + most + ", found " + value);
    }
  }
}
