"""What optimizers keep for each weight of a model, in both Keras versions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from sbnn_tf.models import keras_compat

# Both Keras keep averages of weights in `_model_variables_moving_average`; wrappers such as
# MovingAverage, SWA and Lookahead in slots of these names.
_AVERAGES = re.compile(r"average|ema(_|$)|slow|shadow|swa", re.IGNORECASE)
_OF_GRADIENTS = re.compile("grad", re.IGNORECASE)


def of(model: Any, *others: Any) -> list:
    """The optimizers that a model trains with.

    Args:
      model: a Keras model: its own optimizer, and those among the attributes of it and of its
        layers (a GAN's).
      others: optimizers that the model knows nothing of, or None.
    """
    own = getattr(model, "optimizer", None)  # Keras 3 has none before it is compiled
    held = [value for layer in keras_compat.all_layers(model) for value in _held(layer)]
    return list(_optimizers([own, *others, *held]).values())


def slots(optimizer: Any, variable: Any) -> list[tuple[str, Any]]:
    """What an optimizer keeps for each weight of a variable: momenta, averages, as far as built.

    Returns:
      names and variables of the same shape. Factored ones, such as Adafactor's, are none of them.
    """
    found: dict[int, tuple[str, Any]] = {}
    for part in nested([optimizer]):
        legacy = hasattr(part, "get_slot_names")
        named = _legacy_slots(part, variable) if legacy else _listed_slots(part, variable)
        found.update((id(slot), (name, slot)) for name, slot in named)
    return list(found.values())


def averages(optimizer: Any, variable: Any) -> list:
    """What an optimizer keeps of a variable's own values, to take their place one day."""
    return [
        slot
        for name, slot in slots(optimizer, variable)
        if _AVERAGES.search(name) and not _OF_GRADIENTS.search(name)
    ]


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
        same_shape = tuple(getattr(slot, "shape", ())) == tuple(variable.shape)
        if slot is not variable and hasattr(slot, "assign") and same_shape:
            yield name, slot
