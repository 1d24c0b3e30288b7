"""Group-to-group networks: ensembles of units, and which ensembles feed which.

    from sbnn_tf import topology

    graph = topology.small_world(16, 16, density=0.25, seed=1)      # 16 ensembles feed 16 others
    topology.connect(model, {"block_1": graph, "block_2": graph}, "group4")
    topology.plot({"block_1": graph})

The units (of a Dense layer) or channels (of a convolution) of consecutive layers are split into
ensembles, in their order, and ensemble is connected to ensemble: a layer's kernel has weights where
its graph has an edge and zeros elsewhere. Our reading of "sparse, modular connectivity across
feedforward layers" (Konstantaropoulos et al., "Neuro-inspired Ensemble-to-Ensemble Communication
Primitives for Sparse and Efficient ANNs", 2025, abstract).

The zeros stay in training under a callback that starts from them: `SET(pattern, sparsity,
budget="present", fraction=0)` leaves every connection where it is, and without `fraction=0`, or
with `RigL` or `HebbianRewiring`, they move by the pattern's groups.

What runs fast: the engine skips what four output channels skip together, so output ensembles have
to be whole groups of 4. `connect(..., pattern="group4")` splits the channels so, and needs a
number of them that 4 divides, four an ensemble at least. How many ensembles feed one, and how many
inputs they have, is free. `sbnn.summary(model)` prints the group that the zeros follow.
"""

from sbnn_tf.topology.connecting import connect, mask
from sbnn_tf.topology.graphs import Graph, nearest, random, small_world
from sbnn_tf.topology.networks import g2gnet_cnn, g2gnet_mlp
from sbnn_tf.topology.picture import plot

__all__ = [
    "Graph",
    "connect",
    "g2gnet_cnn",
    "g2gnet_mlp",
    "mask",
    "nearest",
    "plot",
    "random",
    "small_world",
]
