"""DeepSparse. It falls back to a bundled ONNX Runtime without a word: its share of operators is told."""

import os

from protocol import serve  # first: see there

os.environ["NM_DISABLE_ANALYTICS"] = "True"

from deepsparse import Engine  # noqa: E402


def load(model, x):
    engine = Engine(model, batch_size=1, num_cores=1)
    share = engine.fraction_of_supported_ops
    if share < 0.9:
        raise ValueError(f"its own kernels run only {share:.0%} of the operators")
    return lambda: engine.run([x])[0], f"fraction_of_supported_ops {share:.2f}"


serve(load)
