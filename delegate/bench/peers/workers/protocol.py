"""What every worker speaks: one engine in a process of its own, commands on stdin, answers on stdout.

    load MODEL INPUT OUTPUT   loads a model and runs it on a file of float32 (1, 3, height, width);
                              writes its output there. Answers `ok` and what to know about the
                              model, or `error` and why not
    turn INDEX                runs the model that was loaded as that one, twice; answers the second
                              one's milliseconds

A line each; paths hold no blanks. Works with any Python from 3.8 and numpy.
"""

import os
import sys
import time

import numpy as np

# Engines print what they like, some already when they are imported: import this before them. The
# answers go where stdout was.
_ANSWERS = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


def serve(load) -> None:
    """Answer commands until stdin ends.

    Args:
      load: from the model's path and the input (1, 3, size, size), float32, to a pair: a function
        that runs the model once and returns its output, and a text about the model, if any.
    """
    runs = []
    for line in sys.stdin:
        command, *words = line.split()
        if command == "load":
            try:
                model, source, target = words
                x = np.fromfile(source, np.float32)
                side = round((x.size / 3) ** 0.5)
                run, about = load(model, x.reshape(1, 3, side, side))
                np.asarray(run(), np.float32).reshape(-1).tofile(target)
                runs.append(run)
                _ANSWERS.write(f"ok {about}\n")
            except Exception as error:  # whatever an engine throws is its answer
                _ANSWERS.write(f"error {type(error).__name__}: {' '.join(str(error).split())}\n")
        else:
            run = runs[int(words[0])]
            run()
            start = time.perf_counter()
            run()
            _ANSWERS.write(f"{(time.perf_counter() - start) * 1e3:.6f}\n")
