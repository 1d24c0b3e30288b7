"""MNN's Python package."""

import MNN
import numpy as np
from protocol import serve  # first: see there


def load(model, x):
    interpreter = MNN.Interpreter(model)
    session = interpreter.createSession(
        {"backend": "CPU", "numThread": 1, "precision": "high", "memory": "normal"}
    )
    source = interpreter.getSessionInput(session)
    kind = MNN.Tensor_DimensionType_Caffe
    source.copyFrom(MNN.Tensor(x.shape, MNN.Halide_Type_Float, x, kind))
    target = interpreter.getSessionOutput(session)
    shape = target.getShape()
    host = MNN.Tensor(shape, MNN.Halide_Type_Float, np.zeros(shape, np.float32), kind)

    def run():
        interpreter.runSession(session)
        target.copyToHostTensor(host)
        return host.getNumpyData()

    return run, f"version {MNN.version()}"


serve(load)
