"""TensorFlow Lite's C headers, from its Android archive on Maven: no other package has them."""

_COORDINATES = "org.tensorflow:tensorflow-lite:2.16.1:aar"
_SHA256 = "34b065817e294e7dd3569504e8b9454938ceae453b6a459da54d5f6e45d3c94e"

# The headers a delegate needs, and all that they include. c_api.h is not among them:
# it includes core/async/c/types.h, which the archive lacks.
_HEADERS = [
    "tensorflow/lite/builtin_ops.h",
    "tensorflow/lite/c/c_api_types.h",
    "tensorflow/lite/c/common.h",
    "tensorflow/lite/core/c/c_api_types.h",
    "tensorflow/lite/core/c/common.h",
]

_BUILD = """
cc_library(
    name = "c_api",
    hdrs = {headers},
    includes = ["headers"],
    visibility = ["//visibility:public"],
)
"""

def _from_maven(repository_ctx):
    mvn = repository_ctx.which("mvn")
    if not mvn:
        fail("TensorFlow Lite's C headers are in %s: " % _COORDINATES +
             "install maven, or name a copy of that file in SBNN_TFLITE_AAR.")
    repository_ctx.report_progress("mvn dependency:copy " + _COORDINATES)
    copied = repository_ctx.execute([
        mvn,
        "--batch-mode",
        "--quiet",
        "dependency:copy",
        "-Dartifact=" + _COORDINATES,
        "-DoutputDirectory=" + str(repository_ctx.path("maven")),
    ])
    if copied.return_code:
        fail("mvn could not bring %s (or name a copy of that file in SBNN_TFLITE_AAR):\n%s%s" %
             (_COORDINATES, copied.stdout, copied.stderr))
    return repository_ctx.path("maven").readdir()[0]

def _tflite_headers_impl(repository_ctx):
    named = repository_ctx.os.environ.get("SBNN_TFLITE_AAR")
    aar = repository_ctx.path(named) if named else _from_maven(repository_ctx)
    if not aar.exists:
        fail("SBNN_TFLITE_AAR names %s, which does not exist; expected a copy of %s." %
             (aar, _COORDINATES))

    # Bazel's own check of a download would pass over the file for a copy in its cache.
    digest = repository_ctx.execute(["sha256sum", aar]).stdout.split(" ")[0]
    if digest != _SHA256:
        fail("%s is not %s: its sha256 is %s, expected %s." % (aar, _COORDINATES, digest, _SHA256))
    repository_ctx.symlink(aar, "archive.zip")
    repository_ctx.extract("archive.zip")
    repository_ctx.file("BUILD", _BUILD.format(headers = ["headers/" + h for h in _HEADERS]))

tflite_headers = repository_rule(
    implementation = _tflite_headers_impl,
    environ = ["SBNN_TFLITE_AAR"],
)
