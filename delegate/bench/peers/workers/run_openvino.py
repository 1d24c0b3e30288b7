"""OpenVINO on the CPU, told to compute in float32 (it would take bfloat16 where there is some)."""

import openvino
from protocol import serve  # first: see there

CORE = openvino.Core()


def load(model, x):
    compiled = CORE.compile_model(
        model,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
        },
    )
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(x))

    def run():
        request.infer()
        return request.get_output_tensor(0).data

    return run, f"precision {compiled.get_property('INFERENCE_PRECISION_HINT')}"


serve(load)
