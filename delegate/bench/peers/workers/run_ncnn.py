"""ncnn on one core, all in float32."""

import ncnn
import numpy as np
from protocol import serve  # first: see there


def load(model, x):
    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.use_vulkan_compute = False
    for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{option}", False)
    if net.load_param(model) or net.load_model(model.replace(".param", ".bin")):
        raise ValueError(f"ncnn cannot load {model}")
    image = np.ascontiguousarray(x[0])

    def run():
        extractor = net.create_extractor()
        extractor.input("x", ncnn.Mat(image))
        failed, y = extractor.extract("y")
        if failed:
            raise ValueError("ncnn cannot run the model")
        return np.array(y)

    return run, ""


serve(load)
