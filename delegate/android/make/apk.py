"""`make apk`: the benchmark app, signed with a key for debugging."""

from __future__ import annotations

import pathlib
import shutil
import zipfile

from delegate.android.make import java, models, native
from delegate.android.make.archive import Archive
from delegate.android.make.native import BUILD, LIBRARY, ROOT
from sbnn_tf.version import __version__

HERE = ROOT / "delegate/android/app"
APK = ROOT / "build/sbnn-benchmark.apk"
API = 24
ANDROID = "org.robolectric:android-all:14-robolectric-10818077"
DX = "com.jakewharton.android.repackaged:dalvik-dx:11.0.0_r3"
TFLITE_LIBRARY = "libtensorflowlite_jni.so"


def classes() -> pathlib.Path:
    """The app's, which need those of the delegate, TensorFlow Lite and Android."""
    needed = [java.delegate_classes(), *java.runtime(), *java.api(), java.artifact(ANDROID)]
    return java.compile_(java.sources(HERE / "java"), needed, BUILD / "classes/app")


def write_dex(out: pathlib.Path) -> None:
    """All classes of the app as Android runs them."""
    main = ["com.android.dx.command.Main", "--dex", f"--min-sdk-version={API}", f"--output={out}"]
    folders = [classes(), BUILD / "classes/delegate"]
    java.run("java", "-Xmx1g", "-cp", java.artifact(DX), *main, *folders, *java.runtime())


def link(out: pathlib.Path) -> None:
    """A package with nothing but the manifest, as Android reads it."""
    options = ["--version-name", __version__, "--manifest", HERE / "AndroidManifest.xml"]
    java.run("aapt2", "link", "-o", out, "-I", java.artifact(ANDROID), *options)


def key() -> pathlib.Path:
    path = BUILD / "debug.keystore"
    if not path.is_file():
        who = ["-dname", "CN=Android Debug,O=Android,C=US", "-validity", "10950"]
        kind = ["-keyalg", "RSA", "-keysize", "2048", "-storetype", "PKCS12"]
        password = ["-storepass", "android", "-keypass", "android"]
        java.run(
            *("keytool", "-genkeypair", "-keystore", path, "-alias", "androiddebugkey"),
            *(*kind, *password, *who),
        )
    return path


def write_apk(path: pathlib.Path, libraries: dict[str, pathlib.Path], assets: pathlib.Path) -> None:
    """The app with the delegate's `libraries` by ABI and the models in the folder `assets`."""
    work = BUILD / "apk"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_dex(work / "classes.dex")
    link(work / "linked.apk")
    with Archive(work / "unaligned.apk") as archive:
        with zipfile.ZipFile(work / "linked.apk") as linked:
            for name in linked.namelist():
                archive.add(name, linked.read(name), stored=name == "resources.arsc")
        archive.add("classes.dex", work / "classes.dex")
        for abi, library in libraries.items():
            archive.add(f"lib/{abi}/{LIBRARY}", library)
            tflite = java.aar("tensorflow-lite") / "jni" / abi / TFLITE_LIBRARY
            archive.add(f"lib/{abi}/{TFLITE_LIBRARY}", tflite)
        for asset in sorted(assets.glob("*.tflite")) + sorted(assets.glob("*.json")):
            archive.add(f"assets/models/{asset.name}", asset, stored=asset.suffix == ".tflite")
    java.run("zipalign", "-f", "-p", "4", work / "unaligned.apk", work / "aligned.apk")
    path.parent.mkdir(parents=True, exist_ok=True)
    secret = ["--ks", key(), "--ks-pass", "pass:android", "--ks-key-alias", "androiddebugkey"]
    java.run(
        *("apksigner", "sign", "--min-sdk-version", API, *secret),
        *("--v4-signing-enabled", "false", "--out", path, work / "aligned.apk"),
    )


def main() -> None:
    ndk = native.ndk()
    libraries = {abi: native.build(ndk, abi) for abi in ndk.abis}
    write_apk(APK, libraries, models.make())
    print(f"{APK}, for {', '.join(libraries)}: adb install -r {APK.relative_to(ROOT)}")
    if ndk.stands_in:
        print("made with a stand-in for an NDK: for tests only, it must not be published")


if __name__ == "__main__":
    main()
