"""SparseByteNN for TensorFlow: prune a Keras model so that TensorFlow Lite gets faster.

    import sbnn_tf as sbnn

    pruning = sbnn.Pruning(pattern=sbnn.Group(4), schedule=sbnn.PolynomialDecay(0.0, 0.5, 0, 2000))
    model.fit(train, epochs=4, callbacks=[pruning])
    tflite = sbnn.convert(model, quantize="int8", representative_dataset=train)
    delegate = sbnn.load_delegate(num_threads=1)

Importing this package imports nothing heavy: each name is fetched on first use, so that training
needs Keras, conversion of a `.tflite` only numpy and flatbuffers (to int8 TensorFlow), and running only a TensorFlow
Lite interpreter.
"""

import importlib
import sys
import types

from sbnn_tf.version import __version__

_HOME = {
    "Pruning": "train.callback",
    "ADMM": "train.admm",
    "Rewiring": "train.rewiring",
    "SET": "train.rewiring",
    "RigL": "train.rewiring",
    "HebbianRewiring": "train.rewiring",
    "LayerState": "train.rewired",
    "Pattern": "patterns",
    "Group": "patterns",
    "Unstructured": "patterns",
    "KernelPattern": "patterns",
    "DepthwiseTaps": "patterns",
    "NofM": "patterns",
    "Block": "patterns",
    "Auto": "patterns",
    "Score": "plan.importance",
    "Magnitude": "plan.importance",
    "Taylor": "plan.importance",
    "Movement": "plan.importance",
    "Random": "plan.importance",
    "Distillation": "train.distillation",
    "ConstantSparsity": "plan.schedules",
    "OneShot": "plan.schedules",
    "PolynomialDecay": "plan.schedules",
    "CosineDecay": "plan.schedules",
    "ExponentialDecay": "plan.schedules",
    "IterativeMagnitude": "plan.schedules",
    "Policy": "plan.policy",
    "Budget": "plan.budgets",
    "Uniform": "plan.budgets",
    "ERK": "plan.budgets",
    "Global": "plan.budgets",
    "Present": "plan.budgets",
    "Sensitive": "plan.budgets",
    "Latency": "plan.budgets",
    "CostTable": "plan.cost_table",
    "sensitivity": "plan.sensitivity",
    "profile": "run.profiling",
    "latency": "run.profiling",
    "plot": "keras_model.plotting",
    "rearrange": "rearrange",
    "summary": "keras_model.summary",
    "convert": "convert",
    "inspect": "convert",
    "load_delegate": "run.runtime",
    "verify": "run.verify",
    "benchmark": "run.benchmark",
    "explain": "run.explaining",
    "SbnnError": "errors",
}

_MODULES = ("topology",)

__all__ = ["__version__", *_HOME, *_MODULES]


def __getattr__(name: str):
    if name in _MODULES:
        return importlib.import_module(f"sbnn_tf.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'sbnn_tf' has no attribute {name!r}")
    return getattr(importlib.import_module(f"sbnn_tf.{_HOME[name]}"), name)


class _Package(types.ModuleType):
    """Keeps `sbnn_tf.convert` the function after its submodule of the same name is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, types.ModuleType) and _HOME.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted(__all__)
