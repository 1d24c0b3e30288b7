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
    (entry,), (result,) = made.get_input_details(), made.get_output_details()
    image = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    if entry["dtype"] == np.int8:
        scale, zero_point = entry["quantization"]
        image = np.clip(np.rint(image / scale) + zero_point, -128, 127).astype(np.int8)
    made.set_tensor(entry["index"], image)
    scale, zero_point = result["quantization"]

    def run():
        made.invoke()
        y = made.get_tensor(result["index"])
        return (y.astype(np.float32) - zero_point) * scale if y.dtype == np.int8 else y

    return run, ""


serve(load)
