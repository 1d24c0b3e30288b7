"""What optimizers keep for each weight of a model, in both Keras versions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from sbnn_tf.keras_model import keras_compat

# Both Keras keep averages of weights in `_model_variables_moving_average`; wrappers such as
# MovingAverage, SWA and Lookahead in slots of these names.
_AVERAGES = re.compile(r"average|ema(_|$)|slow|shadow|swa", re.IGNORECASE)
_OF_GRADIENTS = re.compile("grad", re.IGNORECASE)


def of(model: Any, *others: Any) -> list:
    """The optimizers that a model trains with.

    Args:
      model: a Keras model: its own optimizer, and those among the attributes of it and of the
        models inside it (a GAN's).
      others: optimizers that the model knows nothing of, or None.
    """
    own = getattr(model, "optimizer", None)  # Keras 3 has none before it is compiled
    models = [layer for layer in keras_compat.all_layers(model) if hasattr(layer, "train_step")]
    held = [value for part in models for value in _held(part)]
    return list(_optimizers([own, *others, *held]).values())


def slots(optimizer: Any, variable: Any) -> list[tuple[str, Any]]:
    """What an optimizer keeps for each weight of a variable: momenta, averages, as far as built.

    Returns:
      names and variables of the same shape. Factored ones, such as Adafactor's, are none of them.
    """
    found = {
        id(slot): (name, slot)
        for part in nested([optimizer])
        for name, slot in kept(part, variable)
        if tuple(slot.shape) == tuple(variable.shape)
    }
    return list(found.values())


def kept(optimizer: Any, variable: Any) -> list[tuple[str, Any]]:
    """What one optimizer, and none inside it, keeps for a variable, in whatever shape.

    Returns:
      names and variables; each has the same name in every optimizer of the class.
    """
    legacy = hasattr(optimizer, "get_slot_names")
    found = _legacy_slots(optimizer, variable) if legacy else _listed_slots(optimizer, variable)
    return [(name, slot) for name, slot in found if len(slot.shape) or not len(variable.shape)]


def averages(optimizer: Any, variable: Any) -> list:
    """What an optimizer keeps of a variable's own values, to take their place one day."""
    return [slot for name, slot in slots(optimizer, variable) if is_average(name)]


def is_average(name: str) -> bool:
    """Whether what an optimizer keeps under a name is an average of a variable's own values."""
    return bool(_AVERAGES.search(name) and not _OF_GRADIENTS.search(name))


def keeps_averages(optimizer: Any) -> bool:
    """Whether there may be any `averages`: known faster than of all variables."""
    for part in nested([optimizer]):
        names = [name for name, value in vars(part).items() if isinstance(value, list) and value]
        names += part.get_slot_names() if hasattr(part, "get_slot_names") else []
        if any(map(is_average, names)):
            return True
    return False


def fresh(optimizer: Any, variables: list) -> Any:
    """An optimizer with the same arguments that has not made a step yet, for these variables.

    Raises:
      Exception: whatever its class raises where it can't be made from its `get_config`.
    """
    with keras_compat.replaced(optimizer, "_learning_rate", 0.0):  # some schedules have no config
        config = optimizer.get_config()
    made = type(optimizer).from_config(config)
    if hasattr(made, "_create_all_weights"):  # tf_keras.optimizers.legacy
        made._create_all_weights(variables)
    else:
        made.build(variables)
    return made


def count(model: Any, *others: Any) -> int:
    """The batches that an optimizer of a model was given; where there are several, the most.

    Args:
      others: optimizers that the model knows nothing of, or None.
    """
    parts = nested(of(model, *others))
    # Keras 3 divides those of `iterations` by the batches whose gradients it accumulates.
    counts = [getattr(part, "_iterations", None) for part in parts]
    counts = [part.iterations if c is None else c for part, c in zip(parts, counts)]
    return max((int(c.numpy()) for c in counts), default=0)


def innermost(trained_by: Iterable[Any]) -> list:
    """The optimizers that make the updates: those that wrap others leave it to them."""
    return [part for part in nested(trained_by) if not _optimizers(_held(part))]


def _held(owner: Any) -> Iterator[Any]:
    """What is among an object's attributes, and in the lists and dictionaries there."""
    for value in vars(owner).values():
        yield value
        if isinstance(value, dict):
            yield from value.values()
        elif isinstance(value, (list, tuple)):
            yield from value


def _optimizers(objects: Iterable[Any]) -> dict[int, Any]:
    """Those of the objects that are optimizers, by identity."""
    return {id(o): o for o in objects if hasattr(type(o), "apply_gradients")}


def nested(objects: Iterable[Any]) -> list:
    """Optimizers, and those that they wrap: loss scaling, averaging, several in one."""
    found: dict[int, Any] = {}
    new = _optimizers(objects)
    while new:
        found.update(new)
        held = _optimizers(value for part in new.values() for value in _held(part))
        new = {key: part for key, part in held.items() if key not in found}
    return list(found.values())


def _legacy_slots(optimizer: Any, variable: Any) -> Iterator[tuple[str, Any]]:
    """Slots of one of tf_keras.optimizers.legacy."""
    for name in optimizer.get_slot_names():
        try:
            yield name, optimizer.get_slot(variable, name)
        except KeyError:  # a variable that it has not trained yet
            pass


def _listed_slots(optimizer: Any, variable: Any) -> Iterator[tuple[str, Any]]:
    """Slots of any other optimizer: they are in lists, one entry for each trained variable."""
    places = getattr(optimizer, "_trainable_variables_indices", None)  # Keras 3
    places = getattr(optimizer, "_index_dict", {}) if places is None else places
    place = places.get(optimizer._var_key(variable)) if places else None
    if place is None:
        return
    for name, entries in vars(optimizer).items():
        if not isinstance(entries, list) or len(entries) != len(places):
            continue
        slot = entries[place]
        if slot is not variable and hasattr(slot, "assign"):
            yield name, slot
