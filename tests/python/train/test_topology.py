"""Ensembles connected to ensembles: graphs, masks, networks, pictures."""

import functools

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf import topology

MAKERS = {
    "random": topology.random,
    "nearest": topology.nearest,
    "small_world": topology.small_world,
}


class TestGraphs:
    @pytest.mark.parametrize("kind", MAKERS)
    @pytest.mark.parametrize(
        "sources, targets, density", [(16, 16, 0.25), (10, 20, 0.3), (7, 5, 0.33)]
    )
    def test_have_the_density_and_even_in_degrees(self, kind, sources, targets, density):
        graph = MAKERS[kind](sources, targets, density, seed=3)
        edges = round(density * sources * targets)
        assert graph.edges.shape == (sources, targets)
        assert graph.density == edges / (sources * targets)
        assert graph.in_degree.sum() == graph.out_degree.sum() == edges
        assert graph.in_degree.max() - graph.in_degree.min() <= 1
        again = MAKERS[kind](sources, targets, density, seed=3)
        np.testing.assert_array_equal(graph.edges, again.edges)

    @pytest.mark.parametrize("kind", MAKERS)
    def test_skip_self_connections(self, kind):
        graph = MAKERS[kind](12, 12, 0.5, self_connections=False, seed=1)
        assert not graph.edges.diagonal().any() and graph.edges.sum() == 72
        with pytest.raises(ValueError, match="more than 0.9167"):
            MAKERS[kind](12, 12, 1.0, self_connections=False)

    def test_random_graphs_differ_by_seed_and_have_even_out_degrees(self):
        graphs = [topology.random(16, 16, 0.25, seed=seed) for seed in range(8)]
        assert len({graph.edges.tobytes() for graph in graphs}) == 8
        for graph in graphs:
            assert set(graph.out_degree) <= {3, 4, 5}

    def test_nearest_are_on_a_ring(self):
        graph = topology.nearest(8, 8, 3 / 8)
        for target in range(8):
            assert set(np.flatnonzero(graph.edges[:, target])) == {
                (target + step) % 8 for step in (-1, 0, 1)
            }
        wide = topology.nearest(4, 8, 0.25)
        np.testing.assert_array_equal(wide.edges.argmax(axis=0), np.arange(8) // 2)

    def test_small_worlds_are_between_order_and_chance(self):
        near = topology.nearest(32, 32, 0.125, seed=2)
        none = topology.small_world(32, 32, 0.125, rewired=0.0, seed=2)
        np.testing.assert_array_equal(near.edges, none.edges)
        some = topology.small_world(32, 32, 0.125, rewired=0.2, seed=2)
        moved = (near.edges & ~some.edges).sum()
        assert 0.1 * 128 < moved < 0.3 * 128
        assert near.modularity() > some.modularity() > topology.random(32, 32, 0.125).modularity()

    def test_modularity(self):
        """By hand: four communities of their own, and one for all."""
        blocks = topology.Graph(np.kron(np.eye(4), np.ones((2, 3))))
        assert blocks.modularity(4) == pytest.approx(0.75)  # 1 - 4 x (1/4)^2
        assert blocks.modularity(1) == pytest.approx(0.0)
        away = topology.Graph(np.roll(blocks.edges, 2, axis=0))
        assert away.modularity(4) == pytest.approx(-0.25)
        with pytest.raises(ValueError, match="13 ensembles are more than there are units: 8"):
            blocks.modularity(13)

    def test_mistakes(self):
        with pytest.raises(ValueError, match="0.05 leaves ensembles without.*0.0625 at least"):
            topology.random(16, 16, 0.05)
        with pytest.raises(ValueError, match="nothing feeds targets \\[1\\]"):
            topology.Graph([[True, False], [True, False]])
        with pytest.raises(ValueError, match="edges must be"):
            topology.Graph([True])
        with pytest.raises(ValueError, match=r"density must be in \(0, 1\], not 0"):
            topology.nearest(4, 4, 0)
        with pytest.raises(ValueError, match=r"rewired must be in \[0, 1\]"):
            topology.small_world(4, 4, 0.5, 2.0)
        with pytest.raises(TypeError, match="targets must be a whole number"):
            topology.random(4, 4.5, 0.5)


class TestGroupToGroup:
    """G2GNet's own arrangement: 8 groups, all edges inside, 15 % between them."""

    LAYERS = (784, 1024, 1024)

    @pytest.mark.parametrize("grouping", topology.GROUPINGS)
    def test_densities_are_those_asked_for(self, grouping):
        graphs = topology.group_to_group(self.LAYERS, grouping=grouping, seed=3)
        assert [graph.edges.shape for graph in graphs] == [(784, 1024), (1024, 1024)]
        for graph in graphs:
            # 0.256 with a standard deviation of sqrt(7/8 * 0.15 * 0.85 / edges).
            deviation = (7 / 8 * 0.15 * 0.85 / graph.edges.size) ** 0.5
            assert graph.density == pytest.approx(0.25625, abs=5 * deviation)
            # All of its own group, an eighth of the sources, and some of the others.
            assert (graph.in_degree > graph.sources // 8).all() and (graph.out_degree > 0).all()

    def test_inside_and_between(self):
        edges = topology.group_to_group((800, 400), 4, 0.8, 0.1, seed=1)[0].edges
        blocks = edges.reshape(4, 200, 4, 100).mean(axis=(1, 3))
        np.testing.assert_allclose(blocks, np.where(np.eye(4), 0.8, 0.1), atol=0.015)

    def test_mixer_takes_turns(self):
        one, two, three = topology.group_to_group((8, 8, 8, 8), 2, 1, 0, grouping="mixer")
        halves = np.kron(np.eye(2), np.ones((4, 4)))
        np.testing.assert_array_equal(one.edges, halves)
        np.testing.assert_array_equal(two.edges, np.tile(np.eye(2), (4, 4)))
        np.testing.assert_array_equal(three.edges, halves)
        # Without an edge between groups, what goes in reaches all: by index it would not.
        assert (one.edges.astype(int) @ two.edges).all()
        index = topology.group_to_group((8, 8, 8), 2, 1, 0)
        assert not (index[0].edges.astype(int) @ index[1].edges).all()

    def test_random_groups_are_drawn_for_each_connection(self):
        one, two = topology.group_to_group((64, 64, 64), 4, 1, 0, grouping="random", seed=2)
        assert (one.in_degree == 16).all() and (two.in_degree == 16).all()
        assert (one.edges != two.edges).any()
        # One layer's groups are not the next one's.
        assert (one.edges.astype(int) @ two.edges > 0).mean() > 0.9

    def test_seeds(self):
        same = [topology.group_to_group((32, 32), seed=5)[0].edges for _ in range(2)]
        np.testing.assert_array_equal(*same)
        assert (same[0] != topology.group_to_group((32, 32), seed=6)[0].edges).any()

    def test_whole_groups_of_four(self, K):
        fours = functools.partial(topology.group_to_group, outputs=4)
        model = topology.g2gnet_mlp(fours, (64, 64), pattern="group4", keras=K)
        for name, inputs in (("block_1", 784), ("block_2", 64)):
            keep = model.get_layer(name).get_weights()[0] != 0
            assert keep.shape == (inputs, 64) and sbnn.Group(4).explains(~keep)
            assert keep.mean() == pytest.approx(0.256, abs=0.04)

    def test_starts_as_wide_as_the_dense_network(self, K):
        """The variance of each unit's sum is that of Kaiming's start, whatever its fan-in."""
        sparse = topology.g2gnet_mlp(units=(256, 256), seed=1, keras=K)
        weights = sparse.get_layer("block_2").get_weights()[0]
        assert (weights**2).sum(axis=0).mean() == pytest.approx(2.0, rel=0.05)

    def test_mistakes(self):
        with pytest.raises(ValueError, match="16 ensembles are more than there are units: 8"):
            topology.group_to_group((8, 8), 16)
        with pytest.raises(ValueError, match="grouping must be one of index, random, mixer"):
            topology.group_to_group((8, 8), 2, grouping="modular")
        with pytest.raises(ValueError, match=r"p_inter must be in \[0, 1\], not 1.5"):
            topology.group_to_group((8, 8), 2, p_inter=1.5)
        with pytest.raises(ValueError, match="two layers at least, found \\[8\\]"):
            topology.group_to_group((8,), 2)
        with pytest.raises(ValueError, match="10 outputs are no whole number of groups of 4"):
            topology.group_to_group((8, 10), 2, outputs=4)
        with pytest.raises(ValueError, match="nothing feeds targets"):
            topology.group_to_group((8, 64), 2, 0.05, 0.05)
        with pytest.raises(TypeError, match="layers must be a whole number"):
            topology.group_to_group((8, 8.5), 2)


class TestMasks:
    def test_edges_become_blocks(self):
        graph = topology.Graph([[True, False], [True, True]])
        expected = np.array([[1, 1, 0, 0]] * 3 + [[1, 1, 1, 1]] * 3, bool)
        np.testing.assert_array_equal(topology.mask(graph, (6, 4)), expected)
        windowed = topology.mask(graph, (3, 2, 6, 4))
        assert windowed.shape == (3, 2, 6, 4) and (windowed == expected).all()

    @pytest.mark.parametrize("outputs, group", [(40, 4), (44, 4), (24, 8), (30, 1)])
    def test_follow_the_engines_groups(self, outputs, group):
        graph = topology.random(3, 3, 0.4, seed=1)
        keep = topology.mask(graph, (40, outputs), sbnn.Group(group))
        assert sbnn.Group(group).explains(~keep)
        assert keep.any(axis=0).all() and not keep.all()
        # One layer's outputs and the next one's inputs fall into the same ensembles.
        one = topology.mask(topology.Graph(np.eye(3)), (40, outputs), f"group{group}")
        two = topology.mask(topology.Graph(np.eye(3)), (outputs, 40), f"group{group}")
        np.testing.assert_array_equal(one, two.T)

    def test_more_ensembles_than_units(self):
        graph = topology.random(8, 8, 0.5)
        with pytest.raises(ValueError, match="8 ensembles are more than there are units: 6"):
            topology.mask(graph, (16, 6))
        with pytest.raises(ValueError, match="more than there are groups of 4 among 16 units: 4"):
            topology.mask(graph, (16, 16), "group4")
        with pytest.raises(ValueError, match="18 outputs are no whole number of groups of 4"):
            topology.mask(graph, (16, 18), "group4")


class TestConnect:
    def test_zeroes_what_no_edge_connects_and_keeps_the_variance(self, K):
        model = topology.g2gnet_mlp(None, (64, 64), keras=K)
        dense = model.get_layer("block_2").get_weights()[0]
        graph = topology.nearest(8, 8, 0.25)
        topology.connect(model, {"block_2": graph}, "group4")
        weights = model.get_layer("block_2").get_weights()[0]
        keep = topology.mask(graph, (64, 64), "group4")
        np.testing.assert_array_equal(weights != 0, keep)
        np.testing.assert_allclose(weights[keep], 2 * dense[keep], rtol=1e-6)
        assert (model.get_layer("block_1").get_weights()[0] != 0).all()

    def test_mistakes_leave_the_model_as_it_was(self, K):
        model = topology.g2gnet_cnn(None, keras=K)
        before = model.get_weights()
        graph = topology.random(10, 10, 0.5)
        with pytest.raises(ValueError, match="'blok' has no ensembles.*stem, block_1, block_2"):
            topology.connect(model, {"block_1": graph, "blok": graph})
        with pytest.raises(ValueError, match="'block_1': 30 ensembles are more than.*units: 24"):
            wide = topology.random(30, 10, 0.5)
            topology.connect(model, {"block_2": graph, "block_1": wide})
        with pytest.raises(ValueError, match="'logits': 10 outputs are no whole number"):
            topology.connect(model, {"block_2": graph, "logits": graph}, "group4")
        for a, b in zip(before, model.get_weights()):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "make", [functools.partial(topology.g2gnet_mlp, units=(160, 160)), topology.g2gnet_cnn]
)
def test_networks_are_rewired_by_groups(K, make):
    """From the ensembles on, within the engine's groups, at the density of the graph."""
    fours = functools.partial(topology.group_to_group, groups=4, p_inter=1 / 3, outputs=4)
    model = make(fours, pattern="group4", seed=4, keras=K)
    loss = K.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, jit_compile=False)
    before = {k: model.get_layer(k).get_weights()[0] != 0 for k in ("block_1", "block_2")}
    for keep in before.values():
        assert keep.mean() == pytest.approx(0.5, abs=0.05) and sbnn.Group(4).explains(~keep)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(96, 28, 28, 1)).astype("float32"), rng.integers(0, 10, 96)
    policy = sbnn.Policy("block_*", first_and_last=True)
    callback = sbnn.HebbianRewiring(
        "group4", 0.5, update_every=2, end_step=9, budget="present", policy=policy
    )
    model.fit(x, y, batch_size=32, epochs=2, verbose=0, callbacks=[callback])
    for mask in callback._masks:
        assert mask.kept == before[mask.name].sum() and (mask.keep != before[mask.name]).any()
        assert sbnn.Group(4).explains(~mask.keep)


def test_networks_of_a_seed_are_the_same(K):
    first, same, other = (topology.g2gnet_mlp(units=(64, 64), seed=s, keras=K) for s in (1, 1, 2))
    masks = [[w != 0 for w in m.get_weights() if w.ndim == 2] for m in (first, same, other)]
    for a, b in zip(*masks[:2]):
        np.testing.assert_array_equal(a, b)
    assert (masks[0][1] != masks[2][1]).any()
    assert topology.g2gnet_mlp(None, (64, 64), keras=K).count_params() == first.count_params()


def test_plot(tmp_path):
    graphs = {"one": topology.nearest(6, 8, 0.5), "two": topology.random(8, 4, 0.25)}
    figure = topology.plot(graphs)
    for axes, graph in zip(figure.axes, graphs.values()):
        lines = sum(len(collection.get_segments()) for collection in axes.collections)
        assert lines == graph.edges.sum()
        dots = [len(line.get_xdata()) for line in axes.lines]
        assert dots == list(graph.edges.shape)
    assert "50% of edges, 3 into each" in figure.axes[0].get_title()
    figure.savefig(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000
    assert len(topology.plot(graphs["one"]).axes) == 1


def test_many_units_are_drawn_as_a_matrix():
    graph = topology.group_to_group((100, 80), 4)[0]
    axes = topology.plot(graph).axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), graph.edges)
    assert axes.get_xlabel() == "80 out" and "modularity" in axes.get_title()
