"""The `sbnn` command."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Iterator

from sbnn_tf.files import check_target, is_stream, write_file
from sbnn_tf.naming import printable
from sbnn_tf.version import __version__

# Everything else is imported where it is used: `sbnn --help` answers at once, and TensorFlow is
# loaded only for a model that needs it.


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code.

    Returns:
      0; 1: the models that `verify` compares differ; 2: user error; 130: interrupted.
    """
    _open_standard_streams()
    options = _parser().parse_args(arguments)
    try:
        with _only_our_stderr():
            code = options.run(options) or 0
            if sys.stdout is not None:
                sys.stdout.flush()
            return code
    except BrokenPipeError:  # `sbnn inspect FILE | head`
        _settle(sys.stdout)
        return 0
    except KeyboardInterrupt:
        _tell("sbnn: interrupted")
        return 130  # as shells have it: 128 and SIGINT's number
    except (OSError, ValueError, TypeError) as error:
        _tell(f"sbnn: {_message(error)}")
        _settle(sys.stdout)  # the error may be its own: a full disk
        return 2


def _open_standard_streams() -> None:
    """Gives streams that the caller has closed (`2>&-`) a file that cannot be used.

    Else the next file that is opened, a model say, would get the number of one of them, and what
    native code prints.
    """
    for descriptor, mode in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest number that is free: this one
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")
    if isinstance(sys.stdout, io.TextIOWrapper):  # what its encoding does not have is escaped
        sys.stdout.reconfigure(errors="backslashreplace")


def _tell(text: str) -> None:
    """Prints to stderr, if that is still there."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)
    _settle(sys.stderr)


def _settle(stream) -> None:
    """Writes what a stream still holds, or drops it where that cannot be written any more."""
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


@contextlib.contextmanager
def _only_our_stderr() -> Iterator[None]:
    """Drops what TensorFlow's C++ code logs while it loads, and keeps what Python prints."""
    before, kept = sys.stderr, os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        if before is sys.__stderr__:
            sys.stderr = open(kept, "w", buffering=1, errors="backslashreplace", closefd=False)
        yield
    finally:
        _settle(sys.stderr)
        sys.stderr = before
        os.dup2(kept, 2)
        os.close(kept)


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        named = f"{error.filename}: " if error.filename else ""
        return printable(f"{named}{error.strerror}")
    return printable(" ".join(str(error).split()))


def _convert(options: argparse.Namespace) -> None:
    from sbnn_tf.convert import rewrite

    check_target(options.output)
    pruning = options.prune, options.group, options.pattern, options.layer
    made = rewrite(options.input, *pruning, _quantizing(options))
    dense = options.input.endswith(".tflite") and os.path.isfile(options.input)
    was = f" (was {_megabytes(os.path.getsize(options.input))})" if dense else ""
    write_file(options.output, made.content)
    lines = [f"{printable(options.output)}: {_megabytes(len(made.content))}{was}", *made.remarks()]
    _say_beside(options.output, "\n".join(lines))


def _quantizing(options: argparse.Namespace):
    """What `convert` was told of quantizing; None: nothing."""
    from sbnn_tf.convert import CalibrationFiles, Quantize, SbnnError

    files = {}
    for name in ("calibrate", "validate"):
        path = getattr(options, name)
        if path is not None and options.quantize is None:
            raise SbnnError(f"--{name}: expected --quantize with it, found none")
        files[name] = None if path is None else CalibrationFiles(path, options.mean, options.std)
    if options.quantize is None:
        return None
    types = options.input_type, options.output_type
    return Quantize(
        options.quantize, files["calibrate"], options.samples, *types, files["validate"]
    )


def _say_beside(output: str, text: str) -> None:
    """Prints to stdout, or to stderr where stdout may be what the output goes to."""
    _tell(text) if is_stream(output) else print(text)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _inspect(options: argparse.Namespace) -> None:
    from sbnn_tf.convert import inspect

    print(inspect(options.file))


def _verify(options: argparse.Namespace) -> int:
    from sbnn_tf.run.verify import verify

    found = verify(
        options.a,
        options.b,
        signature=options.signature,
        shapes=dict(options.shape),
        tolerance=options.tolerance,
        delegate=options.delegate,
        num_threads=options.num_threads,
        runs=options.runs,
        seed=options.seed,
    )
    print(found)
    return 0 if found.within else 1


def _benchmark(options: argparse.Namespace) -> None:
    from sbnn_tf.run.benchmark import benchmark
    from sbnn_tf.run.graph import sizes

    result = benchmark(
        options.sparse,
        options.baseline,
        signature=options.signature,
        shapes=dict(options.shape),
        num_threads=options.num_threads,
        rounds=options.rounds,
        floats=options.floats,
    )
    if options.json:
        import json

        print(json.dumps(result.to_dict(), indent=2))
        return
    print(
        f"{result.cpu}, {result.num_threads} thread(s), {result.peak_gflops:.0f} GFLOP/s peak a core"
    )
    shapes = ", ".join(f"{name} {sizes(shape)}" for name, shape in result.inputs.items())
    several = f" of {len(result.signatures)}" if len(result.signatures) > 1 else ""
    print(f"timed: {result.graph}{several}, {shapes or 'no inputs'}")
    print(f"claimed by the delegate: {result.claimed_nodes} of {result.total_nodes} nodes")
    print(f"largest difference: {result.max_abs_diff:.3g}")
    print(f"{'':22} {'minimum':>12} {'median':>12}")
    for name, times in (
        ("floats, TFLite XNNPACK", result.floats),
        ("dense, TFLite XNNPACK", result.baseline),
        ("sparse, delegate", result.delegate),
    ):
        if times is not None:
            print(f"{name:22} {times.min_ms:9.3f} ms {times.median_ms:9.3f} ms")
    print(f"{'speed-up':22} {result.speedup_min:11.2f}x {result.speedup_median:11.2f}x")
    if (floats := result.floats) is not None:
        least = floats.min_ms / result.delegate.min_ms
        median = floats.median_ms / result.delegate.median_ms
        print(f"{'  over the floats':22} {least:11.2f}x {median:11.2f}x")


def _profile(options: argparse.Namespace) -> None:
    from sbnn_tf.run.profiling import profile

    check_target(options.table)
    table = profile(
        options.model,
        options.pattern,
        signature=options.signature,
        shapes=dict(options.shape),
        num_threads=options.num_threads,
        rounds=options.rounds,
    )
    table.save(options.table)
    sparsities = sorted({s for ms in table.layers.values() for s in ms})
    lines = [
        f"{table.cpu}, {table.num_threads} thread(s), {table.pattern}",
        f"dense, TFLite XNNPACK  {table.baseline_ms:9.3f} ms",
        f"dense, delegate        {table.dense_ms:9.3f} ms",
        f"{'layer':30} {'positions':>9} " + " ".join(f"{s:>8.0%}" for s in sparsities),
    ]
    for (operator, shape, positions), ms in table.layers.items():
        name = f"{operator} {'x'.join(map(str, shape))}"
        lines.append(f"{name:30} {positions:9} " + " ".join(f"{ms[s]:8.4f}" for s in sorted(ms)))
    _say_beside(options.table, "\n".join(lines))


def _explain(options: argparse.Namespace) -> None:
    from sbnn_tf.run.explaining import explain

    print(explain(options.file, shapes=dict(options.shape)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sbnn",
        description="Make TensorFlow Lite models sparse, check them and time them.",
        epilog="A model may come from a pipe; - is standard input.  "
        "Try first:  sbnn convert dense.tflite out.tflite --prune 0.5 && "
        "sbnn benchmark out.tflite",
    )
    parser.add_argument("--version", action="version", version=f"sbnn {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    add = _command(
        commands,
        "convert",
        _convert,
        "store a model's zeros sparsely, in a standard .tflite",
        """examples:
  sbnn convert pruned.keras out.tflite        a Keras model trained with sbnn_tf.Pruning
  sbnn convert saved_model/ out.tflite        a SavedModel
  sbnn convert dense.tflite out.tflite        any .tflite that has zeros in it
  sbnn convert dense.tflite out.tflite --prune 0.5 --group 4
                                              prune without training: shows the speed that
                                              pruning would bring, at the cost of accuracy
  sbnn convert vgg.tflite out.tflite --prune 0.8 --pattern kernel4x8
                                              K x K convolutions: 4 of 9 taps, in one of 8
                                              patterns a layer; then whole kernels
  sbnn convert resnet.tflite out.tflite --prune 0.8 --layer 1x1 --layer 3x3
                                              both sizes, in groups of 4
  sbnn convert pruned.keras out.tflite --quantize int8 --calibrate images/
                                              prune and quantize: int8, with the ranges that
                                              activations have for these images""",
    )
    add("input", type=_source, metavar="IN", help=".keras file, SavedModel folder or .tflite file")
    add("output", type=_target, metavar="OUT", help="the .tflite file to write; - is stdout")
    add(
        "--prune",
        type=float,
        metavar="S",
        help="prune this fraction by magnitude first: 0 <= S < 1",
    )
    add(
        "--group",
        type=int,
        metavar="G",
        help="output channels that share their zeros (default: 4)",
    )
    add(
        "--pattern",
        metavar="NAME",
        help="what is pruned together, instead of --group: unstructured, group4, block4x4 "
        "(for int8), kernel4x8 or auto",
    )
    add(
        "--layer",
        action="append",
        metavar="GLOB",
        help="prune weights whose name matches, and no others, or convolutions of a size: 3x3; may "
        "be repeated (default: all 1x1 convolutions, or where there are none dense layers and "
        "larger convolutions; for kernel patterns all larger ones; never the first convolution)",
    )
    add(
        "--quantize",
        metavar="MODE",
        help="int8: weights and activations, what the delegate runs fastest; int8-dynamic: weights, "
        "and activations as it runs, which the delegate leaves to TensorFlow Lite; float16: weights "
        "as they are stored",
    )
    add(
        "--calibrate",
        metavar="DATA",
        help="for int8, inputs as the model will see them: a .npy file (first axis: samples), a .npz "
        "file of such arrays by the inputs' names, a folder of images (needs Pillow), or random "
        "(noise: speed only)",
    )
    add(
        "--samples",
        type=int,
        default=500,
        metavar="N",
        help="calibrate on at most N of them, spread evenly (default: 500)",
    )
    add(
        "--mean",
        type=float,
        default=0.0,
        metavar="M",
        help="images are resized to the input (bilinear), and a pixel, 0 to 255, becomes "
        "(pixel - M) / S; an input of uint8 takes it as it is (default: 0)",
    )
    add("--std", type=float, default=255.0, metavar="S", help="see --mean (default: 255)")
    add(
        "--validate",
        metavar="DATA",
        help="tell the accuracy before and after quantizing: an .npz file of inputs and their classes "
        "as an array named labels",
    )
    for name in ("input", "output"):
        add(
            f"--{name}-type",
            default="float32",
            metavar="TYPE",
            help=f"of an int8 model's {name}s: float32, int8 or uint8 (default: float32)",
        )

    add = _command(
        commands,
        "inspect",
        _inspect,
        "list a model's tensors and nodes: pattern, sparsity, bytes",
        "example:\n  sbnn inspect out.tflite",
    )
    add("file", type=_source, metavar="FILE", help="a .tflite file")

    add = _command(
        commands,
        "verify",
        _verify,
        "run two models on the same random inputs and compare their outputs",
        """exit code: 0 within the tolerance, 1 beyond it, 2 if a model cannot be run

examples:
  sbnn verify dense.tflite out.tflite               both in stock TensorFlow Lite
  sbnn verify out.tflite out.tflite --delegate      stock TensorFlow Lite against the delegate
  sbnn verify any.tflite any.tflite --delegate --shape input=1,128,128,3
                                                    a model that takes images of any size""",
    )
    add("a", type=_source, metavar="A", help="the reference, a .tflite file")
    add("b", type=_source, metavar="B", help="the .tflite file to compare with it")
    add("--delegate", action="store_true", help="run B through the delegate")
    add(
        "--tolerance",
        type=_not_negative,
        metavar="T",
        help="largest difference allowed, relative to the largest output (default: 1e-4; more where "
        "the file rounds activations to 8 bits as it runs)",
    )
    _add_signature(add, "compare this signature alone (default: all, and bodies of loops)")
    _add_shape(add)
    add("--num-threads", type=int, default=1, metavar="N", help="threads (default: 1)")
    add("--runs", type=int, default=3, metavar="N", help="number of inputs (default: 3)")
    add("--seed", type=int, default=0, metavar="N", help="of the inputs (default: 0)")

    add = _command(
        commands,
        "benchmark",
        _benchmark,
        "time a sparse model in the delegate against the dense one in TensorFlow Lite",
        """The two take turns in one process, on the same cores.

example:
  sbnn benchmark out.tflite --num-threads 2 --json""",
    )
    add("sparse", type=_source, metavar="SPARSE", help="the .tflite file to run in the delegate")
    add(
        "--baseline",
        type=_source,
        metavar="DENSE",
        help="the .tflite file to run in TensorFlow Lite (default: SPARSE, stored densely)",
    )
    add(
        "--floats",
        type=_source,
        metavar="DENSE",
        help="the dense .tflite file before it was quantized: timed beside the others",
    )
    _add_signature(add, "time this signature (default: that of the first graph)")
    _add_shape(add)
    add("--num-threads", type=int, default=1, metavar="N", help="threads (default: 1)")
    add("--rounds", type=int, default=50, metavar="N", help="turns of each (default: 50)")
    add("--json", action="store_true", help="print JSON")

    add = _command(
        commands,
        "profile",
        _profile,
        "time each layer in the delegate at several sparsities: a cost table for training",
        """The layers are pruned by magnitude for it; milliseconds are printed.

examples:
  sbnn profile dense.tflite costs.json
  sbnn profile int8.tflite costs.json         what the layers cost once the network is quantized
then in Python:
  sbnn.Pruning("auto", schedule, budget=sbnn.Latency("costs.json", speedup=2))""",
    )
    add(
        "model",
        type=_source,
        metavar="MODEL",
        help=".keras file, SavedModel folder or .tflite file",
    )
    add("table", type=_target, metavar="TABLE", help="the JSON file to write; - is stdout")
    add("--pattern", default="auto", metavar="NAME", help="as for convert (default: auto)")
    _add_signature(add, "time this signature (default: that of the first graph)")
    _add_shape(add)
    add("--num-threads", type=int, default=1, metavar="N", help="threads (default: 1)")
    add("--rounds", type=int, default=30, metavar="N", help="inferences each (default: 30)")

    add = _command(
        commands,
        "explain",
        _explain,
        "list what the delegate would compute, and why it leaves the rest",
        "example:\n  sbnn explain out.tflite",
    )
    add("file", type=_source, metavar="FILE", help="a .tflite file")
    _add_shape(add)
    return parser


def _command(commands, name: str, run, summary: str, epilog: str):
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser.add_argument


def _source(name: str) -> str:
    return "/dev/stdin" if name == "-" else name


def _target(name: str) -> str:
    return "/dev/stdout" if name == "-" else name


def _add_signature(add, what: str) -> None:
    add("--signature", metavar="KEY", help=what)


def _add_shape(add) -> None:
    add(
        "--shape",
        action="append",
        default=[],
        type=_shape,
        metavar="INPUT=N,N,...",
        help="the shape of an input, named or by its position (0=1,128,128,3), for files that take "
        "any size; may be repeated",
    )


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, numbers = text.rpartition("=")
    try:
        shape = tuple(int(n) for n in numbers.split(",")) if numbers else ()
    except ValueError:
        name = ""
    if not name:
        raise argparse.ArgumentTypeError(
            f"expected an input and its shape, such as input=1,128,128,3, got {text}"
        )
    return name, shape


def _not_negative(text: str) -> float:
    value = float(text)
    if not value >= 0:
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, got {text}")
    return value


if __name__ == "__main__":
    sys.exit(main())
