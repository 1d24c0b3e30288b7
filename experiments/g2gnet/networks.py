"""The networks of G2GNet's table, and how they are trained."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import keras
import numpy as np

import sbnn_tf as sbnn
from experiments import data
from experiments.experiment import zeros
from sbnn_tf import topology

RATE, WEIGHT_DECAY, BATCH = 1e-3, 1e-4, 256
UPDATES = 100  # of the connections, where they move
STOPS = 0.75  # of the steps: no connection moves any more
MEASURED = 5  # the last epochs, over which the test accuracy is averaged
RULES = {"set": sbnn.SET, "rigl": sbnn.RigL, "hebbian": sbnn.HebbianRewiring}


@dataclasses.dataclass(frozen=True)
class Regime:
    """How much is seen, and how.

    Attributes:
      share: of the training images, drawn by the seed.
      epochs: of that.
      augmented: images are flipped left-right or not, and moved by two pixels at most.
    """

    share: float
    epochs: int
    augmented: bool

    @property
    def name(self) -> str:
        augmented = "_augmented" if self.augmented else ""
        return f"{'all' if self.share == 1 else 'tenth'}_{self.epochs}{augmented}"

    @property
    def title(self) -> str:
        images = "all images" if self.share == 1 else "a tenth of the images"
        return f"{images}, {self.epochs} epochs{', augmented' if self.augmented else ''}"

    def batches(self, name: str, seed: int) -> keras.utils.PyDataset:
        """Of the data set of this name; the same for all networks of a seed."""
        split = _images(name)[0]
        count = round(self.share * len(split.labels))
        drawn = np.random.default_rng(seed).permutation(len(split.labels))[:count]
        split = data.Split(split.images[drawn], split.labels[drawn])
        return data.Augmented(split, BATCH, seed, 2 if self.augmented else 0, self.augmented)


@functools.lru_cache(1)
def _images(name: str) -> tuple[data.Split, data.Split]:
    return data.load(name)


@dataclasses.dataclass(frozen=True)
class Network:
    """One row of the table, but for its regime.

    Attributes:
      title: for readers.
      build: `topology.g2gnet_mlp` or `g2gnet_cnn`, with its widths.
      connections: as of `build`; None is dense.
      pattern: as of `build`, and what moves together.
      rule: of `RULES`, how connections move; "" leaves them.
    """

    title: str
    build: Callable
    connections: Callable | None = None
    pattern: str = "unstructured"
    rule: str = ""

    def train(self, setting, seed: int, regime: Regime) -> keras.Model:
        """From scratch; the seed sets weights, connections, images and batches."""
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        name = setting.data.name
        model = self.build(
            self.connections,
            input_shape=setting.data.shape,
            classes=setting.data.classes,
            pattern=self.pattern,
            seed=seed,
        )
        batches = regime.batches(name, seed)
        callbacks = []
        if self.connections is not None:
            steps = regime.epochs * len(batches)
            end = round(STOPS * steps)
            options = {} if self.rule else {"fraction": 0.0}
            rule = RULES[self.rule or "set"]
            callbacks.append(
                rule(
                    self.pattern,
                    zeros(model),
                    update_every=max(1, end // UPDATES),
                    end_step=end,
                    seed=seed,
                    policy=sbnn.Policy("block_*", first_and_last=True),
                    budget="present",
                    **options,
                )
            )
        model.compile(
            keras.optimizers.AdamW(RATE, weight_decay=WEIGHT_DECAY),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=False,
        )
        test = _images(name)[1]
        model.fit(
            batches,
            epochs=regime.epochs,
            shuffle=False,
            callbacks=callbacks,
            validation_data=tuple(test),
            validation_batch_size=1000,
            verbose=2,
        )
        return model


def last_epochs(setting, model: keras.Model) -> float:
    """The mean of its test accuracies behind the last epochs."""
    return float(np.mean(model.history.history["val_accuracy"][-MEASURED:]))


def _groups(density: float, grouping: str, outputs: int = 1) -> Callable:
    """`group_to_group` of this density: 8 groups, or 16 where those alone would be denser."""
    groups = 8 if density > 1 / 8 else 16
    p_inter = (density - 1 / groups) * groups / (groups - 1)
    return functools.partial(
        topology.group_to_group, groups=groups, p_inter=p_inter, grouping=grouping, outputs=outputs
    )


def _random(density: float) -> Callable:
    """An Erdős–Rényi graph: one group, whose edges are drawn alike."""
    return functools.partial(topology.group_to_group, groups=1, p_intra=density)


DENSITY = 0.125 + 0.875 * 0.15
WORDS = {"": "static", "set": "+ SET", "rigl": "+ RigL", "hebbian": "+ Hebbian"}


def _table() -> dict[str, Network]:
    mlp = functools.partial(topology.g2gnet_mlp, units=(1024, 1024, 1024))
    narrow = functools.partial(topology.g2gnet_mlp, units=(512, 512, 512))
    cnn = functools.partial(topology.g2gnet_cnn, channels=(64, 128), stem=32)
    table = {
        "dense": Network("dense", mlp),
        "narrow": Network("dense of equal parameters", narrow),
    }
    for rule, words in WORDS.items():
        suffix = f"_{rule}" if rule else ""
        graph = _random(DENSITY)
        table[f"erdos_renyi{suffix}"] = Network(f"random graph, {words}", mlp, graph, rule=rule)
        for grouping in topology.GROUPINGS:
            graph = _groups(DENSITY, grouping)
            table[grouping + suffix] = Network(f"{grouping}, {words}", mlp, graph, rule=rule)
    for percent in (50, 90):
        graph = _groups(1 - percent / 100, "index")
        table[f"index_{percent}"] = Network(f"index, static, {percent} %", mlp, graph)
    graph = _groups(DENSITY, "mixer", outputs=4)
    table["mixer4"] = Network("mixer, static, whole groups of 4", mlp, graph, "group4")
    table["cnn_dense"] = Network("CNN, dense", cnn)
    table["cnn_erdos_renyi"] = Network("CNN, random graph, static", cnn, _random(DENSITY))
    for grouping in topology.GROUPINGS:
        graph = _groups(DENSITY, grouping)
        table[f"cnn_{grouping}"] = Network(f"CNN, {grouping}, static", cnn, graph)
    return table


NETWORKS = _table()
