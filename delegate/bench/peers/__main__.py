"""Times MobileNet-v1 in our delegate and in other engines, with the same zeros, one thread.

    make bench-peers
    make bench-peers OPTIONS="--mnn-source ~/MNN --mnn-build ~/MNN/build --rounds 20"
    make bench-peers OPTIONS=--int8        the network in int8, beside TensorFlow Lite's in floats

Needs the network for the first run: the engines are installed below build/peers-venv, and what
cannot be installed is left out. MNN's package has no AVX-512 kernels. To compare with an MNN built
from source (cmake -DMNN_AVX512=ON -DMNN_SEP_BUILD=OFF), name its source and build folders.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from delegate.bench.networks import provenance
from delegate.bench.peers import measure, record
from delegate.bench.peers.rivals import SPARSITIES, rivals


def main(arguments: Sequence[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30, metavar="N", help="turns of each")
    parser.add_argument(
        "--sparsities",
        nargs="+",
        type=float,
        default=SPARSITIES,
        metavar="S",
        help="shares of zeros",
    )
    parser.add_argument("--size", type=int, default=224, metavar="PIXELS", help="input, both ways")
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="TEXT", help="engines whose name contains it"
    )
    parser.add_argument(
        "--int8", action="store_true", help="of int8; results go to a folder of their own"
    )
    parser.add_argument("--mnn-source", type=Path, metavar="FOLDER", help="of an MNN of your own")
    parser.add_argument("--mnn-build", type=Path, metavar="FOLDER", help="with its libMNN.so")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="for results (default: below build/bench)"
    )
    options = parser.parse_args(arguments)
    if (options.mnn_source is None) != (options.mnn_build is None):
        parser.error("--mnn-source and --mnn-build go together")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

    from sbnn_tf.run.runtime import find_library

    out = options.out or Path("build/bench") / (record.INT8_FOLDER if options.int8 else "peers")
    chosen = [
        rival
        for rival in rivals(find_library(), options.mnn_source, options.mnn_build)
        if rival.name == record.REFERENCE
        or rival.int8 == options.int8
        and (rival.name.startswith("TFLite") or any(text in rival.name for text in options.only))
    ]
    results = measure.measure(chosen, options.sparsities, options.size, options.rounds, out)
    # Where somebody's own MNN lies is of no interest to others.
    own = {str(options.mnn_source), str(options.mnn_build)}
    results |= provenance("peers", [Path(a).name if a in own else a for a in arguments])
    print(record.write(results, out))


if __name__ == "__main__":
    main()
