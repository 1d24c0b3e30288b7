"""Sparse from the start: which units of a layer feed which units of the next.

    from sbnn_tf import topology

    graphs = topology.group_to_group([784, 1024, 1024], groups=8, p_inter=0.15, outputs=4, seed=1)
    topology.connect(model, {"block_1": graphs[0], "block_2": graphs[1]}, "group4")
    topology.plot(graphs[0])

A layer's kernel has weights where its `Graph` has an edge and zeros elsewhere. `group_to_group` is
the arrangement of G2GNet (Konstantaropoulos et al., "Neuro-inspired Ensemble-to-Ensemble
Communication Primitives for Sparse and Efficient ANNs", 2025): units (of Dense layers) or channels
(of convolutions) in groups that are dense inside and sparsely connected to each other. `random`,
`nearest` and `small_world` make graphs of ensembles: consecutive units that have all of their
connections in common.

The zeros stay in training under a callback that starts from them: `SET(pattern, sparsity,
budget="present", fraction=0)` leaves every connection where it is, and without `fraction=0`, or
with `RigL` or `HebbianRewiring`, they move by the pattern's groups.

What runs fast: the engine skips what four output channels skip together, so targets have to be
whole groups of 4: `group_to_group(..., outputs=4)`, or ensembles that `connect(...,
pattern="group4")` splits so. That needs a number of channels that 4 divides. How many sources feed
a target is free. `sbnn.summary(model)` prints the group that the zeros follow.
"""

from sbnn_tf.topology.connecting import connect, mask
from sbnn_tf.topology.graphs import Graph, nearest, random, small_world
from sbnn_tf.topology.groups import GROUPINGS, group_to_group
from sbnn_tf.topology.networks import g2gnet_cnn, g2gnet_mlp
from sbnn_tf.topology.picture import plot

__all__ = [
    "Graph",
    "connect",
    "g2gnet_cnn",
    "g2gnet_mlp",
    "GROUPINGS",
    "group_to_group",
    "mask",
    "nearest",
    "plot",
    "random",
    "small_world",
]
