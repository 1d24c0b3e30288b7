"""to_mnn.py MODEL.onnx OUT.mnn PARAMETERS.json GROUP: convert with MNN's converter.

A group of 0 converts without looking for zeros. Else zeros are looked for in groups of so many
outputs (1: unstructured).
"""

import json
import sys

# `MNN.tools.mnnconvert` would install a package when it is imported; this is what it calls.
import _tools


def main(source: str, target: str, parameters: str, group: str) -> None:
    command = ["mnnconvert", "-f", "ONNX", "--modelFile", source, "--MNNModel", target]
    if int(group):
        kind = {"type": "RANDOM", "levelPrunerParams": {}}
        if int(group) > 1:
            kind = {"type": "SIMD_OC", "simdOcPrunerParams": {"ocBlocks": [int(group)]}}
        with open(parameters, "w") as file:
            json.dump({"version": "0.0.0", "algo": [{"type": "PRUNE", "pruneParams": kind}]}, file)
        command += ["--detectSparseSpeedUp", "--compressionParamsFile", parameters]
    _tools.mnnconvert(command)


if __name__ == "__main__":
    main(*sys.argv[1:])
