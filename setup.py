"""Builds sbnn_tf with the delegate in it: `pip install .` needs Bazel, maven and a C++ compiler."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

from setuptools import Extension, find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

ROOT = pathlib.Path(__file__).resolve().parent
VERSION = re.search(
    r'^__version__ = "(.+)"$', (ROOT / "sbnn_tf/version.py").read_text(), re.MULTILINE
)[1]

DELEGATE = "//delegate/tflite:sbnn_delegate"
LIBRARY = "delegate/tflite/libsbnn_delegate.so"

LITERT = "ai-edge-litert>=2.1,<2.2"
EXTRAS = {
    "plot": ["matplotlib>=3.9,<4"],
    "keras2": ["tf-keras>=2.21,<2.22"],
    "litert": [LITERT],
    "notebook": ["ipykernel>=6.29,<8", "nbclient>=0.10,<0.12", "nbformat>=5.10,<6"],
    "android": ["pyelftools>=0.32,<0.34"],
    "test": ["hypothesis>=6.100,<7", "pytest>=8,<10", "pytest-xdist>=3.6.1,<4"],
    # What other versions of these write differs.
    "lint": ["clang-format==19.1.7", "ruff>=0.17.6,<0.18"],
}


class BuildDelegate(build_ext):
    """Has Bazel build the delegate, and puts it where an extension module would go."""

    def get_ext_filename(self, fullname):
        return os.path.join(*fullname.split(".")) + ".so"

    def build_extension(self, ext):
        bazel = shutil.which(os.environ.get("SBNN_BAZEL", "bazel"))
        if bazel is None:
            sys.exit(
                "sbnn_tf's delegate is built with Bazel, and there is no `bazel` on the PATH "
                "(nor named in SBNN_BAZEL). On Debian or Ubuntu `make setup` installs what is "
                "needed; elsewhere install Bazel, maven and a C++17 compiler."
            )
        try:
            flags = shlex.split(os.environ.get("SBNN_BAZEL_FLAGS", ""))
            subprocess.run([bazel, "build", *flags, DELEGATE], cwd=ROOT, check=True)
            built = subprocess.run(
                [bazel, "info", *flags, "bazel-bin"],
                cwd=ROOT,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            ).stdout.strip()
        except subprocess.CalledProcessError as error:
            sys.exit(f"Bazel could not build {DELEGATE}: see its messages above ({error}).")
        target = pathlib.Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        # Replaced, not overwritten: a process may have the old one loaded.
        fresh = target.with_suffix(".new")
        shutil.copyfile(pathlib.Path(built, LIBRARY), fresh)
        fresh.chmod(0o755)
        fresh.replace(target)

    def copy_extensions_to_source(self):
        (ROOT / "sbnn_tf/lib").mkdir(exist_ok=True)
        super().copy_extensions_to_source()


class PlatformWheel(bdist_wheel):
    """The wheel depends on the platform, but on no version of Python."""

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


setup(
    name="sbnn-tf",
    version=VERSION,
    description="Prunes Keras models and runs them faster in TensorFlow Lite on CPUs",
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["sbnn_tf", "sbnn_tf.*"]),
    package_data={"": ["*.json"]},
    ext_modules=[Extension("sbnn_tf.lib.libsbnn_delegate", sources=[])],
    cmdclass={"build_ext": BuildDelegate, "bdist_wheel": PlatformWheel},
    # Where a .tflite is only converted and run, on ARM, TensorFlow is not needed.
    install_requires=[
        "numpy>=2,<2.5",
        "flatbuffers>=25.9,<26",
        "absl-py>=1.4,<3",
        'tensorflow>=2.21,<2.22; platform_machine != "aarch64"',
        'tensorflow-model-optimization>=0.8.1,<0.9; platform_machine != "aarch64"',
        f'{LITERT}; platform_machine == "aarch64"',
    ],
    extras_require={**EXTRAS, "all": sum(EXTRAS.values(), [])},
    entry_points={"console_scripts": ["sbnn = sbnn_tf.cli:main"]},
)
