package com.sbnn.delegate;

import org.jetbrains.annotations.NotNull;

/** Receives what a {@link SparseDelegate} decides and measures. */
public interface ReportListener {
  /**
   * Called with each record, on the thread that makes, resizes, runs or closes an interpreter; where
   * several threads do, calls overlap. It may not make another interpreter with the same delegate. An
   * exception that it throws is logged, and goes no further.
   *
   * @param record an object of JSON in one line: its member {@code record} is the kind of record, and
   *     {@code text}, where there is one, says it in words
   */
  void onReport(@NotNull String record);
}
