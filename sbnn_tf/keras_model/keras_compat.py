"""Where Keras 3 and `tf_keras` differ, in one place. Imports neither: a model brings its own."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any


def api(model: Any) -> ModuleType:
    """The Keras that a model belongs to: the module `keras` or `tf_keras`.

    Raises:
      TypeError: not a Keras model, or one of a Keras that does not run on TensorFlow.
    """
    for name in ("keras", "tf_keras"):
        module = sys.modules.get(name)
        if module is not None and isinstance(model, module.Model):
            if name == "keras" and module.backend.backend() != "tensorflow":
                raise TypeError(
                    f"Keras runs on {module.backend.backend()} here; sbnn_tf needs the TensorFlow "
                    "backend (environment variable KERAS_BACKEND=tensorflow)."
                )
            return module
    raise TypeError(
        f"Expected a Keras model (keras.Model or tf_keras.Model), not {type(model).__name__}."
    )


def sublayers(layer: Any) -> list:
    """The layers directly inside a layer or model, in the order of creation."""
    if not hasattr(layer, "_flatten_layers"):  # an operation in a functional model
        return []
    found = layer._flatten_layers(include_self=False, recursive=False)
    return list({id(each): each for each in found}.values())


def all_layers(model: Any) -> list:
    """A model and the layers inside it, however deep."""
    return list(model._flatten_layers())


def is_trainable(model: Any, variable: Any) -> bool:
    """Whether a variable is trained with its model: neither it nor a layer around it is frozen."""
    return any(variable is other for other in model.trainable_variables)


def own_variables(layer: Any) -> list:
    """A layer's variables that train unless it is frozen, without those of its sublayers."""
    for name in ("_trainable_variables", "_trainable_weights"):  # Keras 3, tf_keras
        if hasattr(layer, name):
            return list(getattr(layer, name))
    return []


def weights(model: Any) -> list:
    """A model's weights, in an order that does not depend on what is frozen."""
    own = {id(variable) for variable in model.weights}
    found = {}
    for layer in all_layers(model):
        for name in ("_trainable_variables", "_trainable_weights"):
            for variables in (getattr(layer, name, ()), getattr(layer, f"_non{name}", ())):
                found |= {id(v): v for v in variables if id(v) in own}
    found |= {id(v): v for v in model.weights}  # what no layer holds
    return list(found.values())


def graph(layer: Any) -> Any | None:
    """The functional graph of a layer, or None where its wiring is plain Python code."""
    graph_ = getattr(layer, "_functional", None) or layer  # Keras 3's Sequential keeps one inside
    return graph_ if getattr(graph_, "_nodes_by_depth", None) else None


def calls(graph_: Any) -> Iterator[tuple[Any, list, list]]:
    """The calls in a functional graph, inputs first: (layer or operation, its inputs, outputs).

    Inputs and outputs are lists of symbolic tensors; a tensor is the same object where it leaves
    one call and where it enters another.
    """
    for depth in sorted(graph_._nodes_by_depth, reverse=True):
        for node in graph_._nodes_by_depth[depth]:
            if hasattr(node, "operation"):
                yield node.operation, list(node.input_tensors), list(node.outputs)
            else:
                import tensorflow as tf

                yield node.layer, list(node.keras_inputs), tf.nest.flatten(node.outputs)


def components(variable: Any) -> list:
    """The TensorFlow variables behind a Keras variable: it, and its copies on the replicas."""
    variable = getattr(variable, "_value", variable)  # Keras 3
    variable = getattr(variable, "_variable", variable)  # tf_keras: inside an AutoCastVariable
    copies = getattr(variable, "values", None)  # tf.distribute
    return [variable, *copies] if isinstance(copies, (list, tuple)) else [variable]


@contextlib.contextmanager
def constrained(variable: Any, constraint: Callable) -> Iterator[None]:
    """Gives a variable, and its copies on replicas, another constraint for a while."""
    # Both keep it under this name; only Keras 3 has a public setter, on a variable of its own.
    holders = [variable] if hasattr(variable, "_value") else components(variable)
    before = [getattr(holder, "_constraint", None) for holder in holders]
    for holder in holders:
        holder._constraint = constraint
    try:
        yield
    finally:
        for holder, own in zip(holders, before):
            holder._constraint = own


@contextlib.contextmanager
def replaced(owner: Any, method: str, function: Callable) -> Iterator[None]:
    """Gives one object another method for a while."""
    # Not setattr: both Keras would track what is set on a model or an optimizer.
    attributes = vars(owner)
    before = attributes.get(method)
    attributes[method] = function
    try:
        yield
    finally:
        del attributes[method]
        if before is not None:
            attributes[method] = before


def strategy(model: Any) -> Any:
    """The tf.distribute strategy that a model was made in."""
    import tensorflow as tf

    return getattr(model, "distribute_strategy", None) or tf.distribute.get_strategy()


def workers() -> int:
    """Processes that train together, as the environment variable TF_CONFIG has it; at least 1."""
    import tensorflow as tf

    cluster = tf.distribute.cluster_resolver.TFConfigClusterResolver().cluster_spec().as_dict()
    return max(sum(len(cluster.get(job, ())) for job in ("chief", "worker")), 1)


def is_chief(model: Any) -> bool:
    """Whether this process is the one of its strategy's workers that writes files."""
    resolver = getattr(strategy(model), "cluster_resolver", None)
    return resolver is None or not resolver.task_id


def steps_per_execution(model: Any) -> int:
    """Train steps in one call of the train function."""
    steps = getattr(model, "steps_per_execution", None)  # Keras 3
    if steps is None:
        steps = getattr(model, "_steps_per_execution", None)  # tf_keras: None or a variable
    return 1 if steps is None else int(getattr(steps, "numpy", lambda: steps)())


def accumulated_steps(model: Any) -> int:
    """Train steps whose gradients the model's optimizer adds up before it makes use of them."""
    optimizer = getattr(model, "optimizer", None)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    return getattr(optimizer, "gradient_accumulation_steps", None) or 1


def is_keras(thing: Any) -> bool:
    """Whether an object or method is one of Keras' own, and of no class made by someone else."""
    module = getattr(thing, "__module__", None) or ""
    return module.split(".")[0] in ("keras", "tf_keras")


def new_train_function(model: Any) -> Callable:
    """A train function that has not been traced yet; the model has it from now on."""
    model.train_function = None
    made = model.make_train_function()
    if made is not None:  # tf_keras returns it
        model.train_function = made
    return model.train_function
