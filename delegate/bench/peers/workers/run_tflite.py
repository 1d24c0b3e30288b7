"""TensorFlow Lite with XNNPACK; with a delegate's library as argument, that delegate: PATH [ISA]."""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, load_delegate
from protocol import serve  # first: see there


def load(model, x):
    delegates = None
    if sys.argv[1:]:
        options = {"num_threads": "1", **({"isa": sys.argv[2]} if sys.argv[2:] else {})}
        delegates = [load_delegate(sys.argv[1], options)]
    made = Interpreter(model, num_threads=1, experimental_delegates=delegates)
    made.allocate_tensors()
    made.set_tensor(
        made.get_input_details()[0]["index"], np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    )
    index = made.get_output_details()[0]["index"]

    def run():
        made.invoke()
        return made.get_tensor(index)

    return run, ""


serve(load)
