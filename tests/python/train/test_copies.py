"""Callbacks are copied and pickled by tuners, before and after a fit."""

import copy
import pickle

import numpy as np
import pytest

from sbnn_tf.plan.importance import Random
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import ConstantSparsity, IterativeMagnitude, PolynomialDecay
from sbnn_tf.train.admm import ADMM
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.rewiring import SET, HebbianRewiring, Rewiring, RigL


def _teacher(K):
    return K.Sequential([K.Input((4, 4, 3)), K.layers.Flatten(), K.layers.Dense(5)])


def _steepest(layer):
    return np.abs(layer.gradient)


KINDS = {
    "pruning": lambda K, path: Pruning(
        "kernel4x2",
        PolynomialDecay(0.0, 0.5, 0, 8, frequency=2),
        Policy(pattern={"hidden": "group4"}),
        score=Random(3),
        budget="erk",
        state=path / "state.npz",
        log_dir=path / "logs",
    ),
    "gradients": lambda K, path: Pruning(
        "group4",
        IterativeMagnitude(0.5, 4, 8, 4, rewind_step=1),
        score="taylor",
        budget="global",
        log_dir=path / "logs",
    ),
    "teacher": lambda K, path: Pruning("group4", ConstantSparsity(0.5, 0), teacher=_teacher(K)),
    "ADMM": lambda K, path: ADMM("group4", 0.5, 4, frequency=2, log_dir=path / "logs"),
    "Rewiring": lambda K, path: Rewiring(
        "group4", 0.5, _steepest, gathers=["gradient"], update_every=2, log_dir=path / "logs"
    ),
    "SET": lambda K, path: SET("group4", 0.5, update_every=2, log_dir=path / "logs"),
    "RigL": lambda K, path: RigL("group4", 0.5, update_every=2, log_dir=path / "logs"),
    "HebbianRewiring": lambda K, path: HebbianRewiring("group4", 0.5, log_dir=path / "logs"),
}


@pytest.mark.parametrize(
    "K, kind",
    [*(("keras", kind) for kind in KINDS), ("tf_keras", "gradients"), ("tf_keras", "teacher")],
    indirect=["K"],
)
def test_a_copy_has_the_arguments_and_no_run(K, functional, data, tmp_path, kind):
    callback = KINDS[kind](K, tmp_path)
    copied = [copy.deepcopy(callback), pickle.loads(pickle.dumps(callback))]
    assert not (tmp_path / "logs").exists()
    attributes = set(vars(callback))
    model = functional()
    model.fit(*data, verbose=0, callbacks=[callback])
    assert set(vars(callback)) == attributes  # a copy forgets all that a run has made
    copied += [copy.deepcopy(callback), pickle.loads(pickle.dumps(callback)), copy.copy(callback)]
    assert callback.step == 8 and callback.sparsity == pytest.approx(0.5, abs=0.02)  # as it was
    for again in copied:
        assert again.step == 0 and again.sparsity == 0.0 and again.model is None
    (tmp_path / "state.npz").unlink(missing_ok=True)
    other = functional()
    other.fit(*data, verbose=0, callbacks=[copied[3]])
    assert copied[3].step == 8 and copied[3].sparsity == callback.sparsity
    assert all(a is not b for a, b in zip(copied[3]._masks, callback._masks))
