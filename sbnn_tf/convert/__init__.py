"""Models in, sparse `.tflite` bytes out."""

from __future__ import annotations

from collections.abc import Sequence

from sbnn_tf.convert import densify as _densify
from sbnn_tf.convert import flatbuffer
from sbnn_tf.convert.calibration_files import CalibrationFiles
from sbnn_tf.convert.quantize import Quantize
from sbnn_tf.convert.report import Inspection, inspect_model
from sbnn_tf.convert.rewrite import Conversion, rewrite
from sbnn_tf.convert.sources import load
from sbnn_tf.errors import SbnnError
from sbnn_tf.files import write_file
from sbnn_tf.patterns import Pattern

__all__ = [
    "CalibrationFiles",
    "Conversion",
    "Inspection",
    "Quantize",
    "SbnnError",
    "convert",
    "densify",
    "inspect",
    "rewrite",
    "write_file",
]


def convert(
    source,
    *,
    prune: float | None = None,
    group: int | None = None,
    pattern: Pattern | str | None = None,
    layers: Sequence[str] | None = None,
    quantize: str | None = None,
    representative_dataset=None,
    samples: int = 500,
    inference_input_type="float32",
    inference_output_type="float32",
    validation_data=None,
    verbose: int = 1,
) -> bytes:
    """Turn a model into a `.tflite` that stores its zeros as sparse tensors.

    Every filter of a convolution or fully connected layer whose zeros form groups becomes a
    sparse tensor behind DENSIFY, with the group (1, 2, 4, 8 or 16 outputs) that suits the zeros
    found, if that makes it smaller; RESHAPE to the dynamic batch becomes a constant RESHAPE,
    pixels repeated by TILE (`UpSampling2D`) a RESIZE_NEAREST_NEIGHBOR, and a mask of booleans
    before a softmax a sum.
    All other buffers, names, signatures, metadata and files that are zipped behind the model stay.
    The outputs are bit-identical (with a mask, for scores below 1e8 in size). What is sparse in the source already is left as it is. A filter
    that stock TFLite would not read rightly from a DENSIFY stays dense; `inspect` says why.

    Args:
      source: a Keras model (Keras 3 or tf_keras), the path of a `.keras` file, of a SavedModel or
        of a `.tflite` file, or `.tflite` bytes. TensorFlow is imported for the first three only.
      prune: share of the weights to prune by magnitude first, in [0, 1), without training: it
        shows what sparsity would gain in speed, and costs accuracy. None: prune nothing.
      group: outputs that are pruned together, at least 1: short for `pattern=Group(group)`.
      pattern: which weights are pruned together, an object or its name (see `patterns.get`).
        None: `Group(4)`.
      layers: which filters to prune, and no others: globs for their names, or kernel sizes such
        as "3x3", which leave the first convolution dense (see `prune.Prune`). None: all 1x1
        convolutions, logits and squeeze-and-excitation included, but not the first convolution,
        or all that the pattern fits where there are none: dense layers, larger convolutions; with
        a `KernelPattern` all larger convolutions instead.
      quantize: "int8": weights, with a scale for each output, and activations, as TFLiteConverter
        does it: what the delegate runs fastest. "int8-dynamic": weights alone are stored as int8,
        for a smaller file that the delegate leaves to stock TFLite. "float16": weights alone, half
        as large, computed in float32. Zeros stay zeros, so that the pattern remains; weights near
        zero may become zeros, too. After pruning, if both are asked for. None: stays as it is.
      representative_dataset: for "int8": inputs as the model will see them, from which the ranges
        of its activations are taken. An array, or a dict of arrays by the inputs' names, whose
        first axis counts the samples; a `tf.data.Dataset` or another iterable of arrays, of dicts,
        or of tuples of these and labels, by the sample or the batch; a function that returns one,
        as TFLiteConverter takes it; or `convert.CalibrationFiles`. None: for a model trained with
        fake quantization (tfmot), which has its ranges already.
      samples: the most samples to take; spread evenly over arrays and folders.
      inference_input_type, inference_output_type: of an int8 model: "float32", "int8" or "uint8".
      validation_data: of quantizing: a tuple of inputs and their classes, or a dataset of such, with
        which the accuracy before and after is told (of the first output, in TensorFlow Lite).
      verbose: of quantizing. 1: a progress line on stderr, and at the end what matters for the
        accuracy on stdout; 0: neither.

    Returns:
      The bytes of the `.tflite` file.

    Raises:
      SbnnError: a file, an option or calibration data that cannot be used.
      FileNotFoundError: no such path.
      TypeError: `source` is none of these.
    """
    quantizing = None
    if quantize is not None:
        types = inference_input_type, inference_output_type
        quantizing = Quantize(
            quantize, representative_dataset, samples, *types, validation_data, verbose
        )
    else:
        asked = {
            "representative_dataset": representative_dataset,
            "validation_data": validation_data,
        }
        for name, value in asked.items():
            if value is not None:
                raise SbnnError(f"{name}: expected quantize= with it, found none")
    made = rewrite(source, prune, group, pattern, layers, quantizing)
    if quantizing and verbose:
        print("\n".join(made.remarks()))
    return made.content


def densify(source) -> bytes:
    """The same model with all its sparse tensors expanded: the dense twin, for comparisons.

    Args and errors are those of `convert`.
    """
    model = flatbuffer.read(load(source))
    _densify.densify(model)
    return flatbuffer.write(model)


def inspect(source) -> Inspection:
    """What a model stores and runs: its constants and nodes, with their sparsity and bytes.

    Args and errors are those of `convert`. `str()` of the result is a table.
    """
    return inspect_model(flatbuffer.read(load(source)))
