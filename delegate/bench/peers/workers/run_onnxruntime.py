"""ONNX Runtime on its CPU provider."""

import onnxruntime
from protocol import serve  # first: see there


def load(model, x):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})[0], ""


serve(load)
