"""Files are written whole or not at all; links, modes, pipes, devices and streams are respected."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
import zipfile

import numpy as np
import pytest

from sbnn_tf.cli import main
from sbnn_tf.errors import SbnnError
from sbnn_tf.files import check_target, is_stream, read_file, write_file
from sbnn_tf.plan.cost_table import CostTable
from sbnn_tf.train.state import StateFile


def mode(path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def fifo(tmp_path):
    """(path, read): a named pipe, and what waits for all that was written to it."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    found = []
    reader = threading.Thread(target=lambda: found.append(path.read_bytes()), daemon=True)
    reader.start()

    def read() -> bytes:
        reader.join(60)
        assert stat.S_ISFIFO(os.stat(path).st_mode), "replaced by a file"
        return found[0]

    return path, read


def test_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "out.tflite"
    write_file(path, b"old")
    write_file(path, b"new")
    assert read_file(path) == b"new"
    mask = os.umask(0)
    os.umask(mask)
    assert mode(path) == 0o666 & ~mask

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(SbnnError, match="cannot write .*out.tflite: No space left"):
        write_file(path, b"newer")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["out.tflite"]


def test_a_link_is_followed_and_the_mode_stays(tmp_path):
    (tmp_path / "folder").mkdir()
    link, target = tmp_path / "link", tmp_path / "folder" / "file"
    link.symlink_to("folder/file")
    write_file(link, b"one")  # the link leads nowhere yet
    assert link.is_symlink() and target.read_bytes() == b"one"
    target.chmod(0o640)
    write_file(link, b"two")
    assert link.is_symlink() and target.read_bytes() == b"two"
    assert mode(target) == 0o640


def test_the_longest_name_that_a_file_can_have(tmp_path):
    path = tmp_path / ("x" * 255)
    write_file(path, b"data")
    assert read_file(path) == b"data"


def test_a_protected_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everything
    with pytest.raises(SbnnError, match="cannot write .*file: Permission denied"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    "moment, number", [("tempfile.mkstemp", errno.EACCES), ("os.replace", errno.EBUSY)]
)
def test_what_cannot_be_replaced_is_written_in_place(moment, number, tmp_path, monkeypatch):
    """A folder that takes no new files; a single file that is mounted into a container."""
    path = tmp_path / "file"
    path.write_bytes(b"longer than the new one")

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(moment, fail)
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(SbnnError, match="cannot write"):
        write_file(tmp_path / "other", b"new")
    assert os.listdir(tmp_path) == ["file"]


def test_pipes_and_devices_are_written_through(fifo, tmp_path):
    path, read = fifo
    assert is_stream(path) and is_stream("/dev/null") and not is_stream(tmp_path / "new")
    link = tmp_path / "link"
    link.symlink_to(path)
    write_file(link, b"data" * 50_000)  # more than a pipe holds
    assert read() == b"data" * 50_000
    write_file("/dev/null", b"data")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(SbnnError, match="cannot write /dev/full: No space left on device"):
        write_file("/dev/full", b"data")


@pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}", "link"])
def test_an_open_file_is_written_where_it_stands(name, tmp_path):
    path = tmp_path / "log"
    with path.open("wb", buffering=0) as file:
        if name == "link":
            name = str(tmp_path / "link")
            os.symlink(f"/dev/fd/{file.fileno()}", name)
        file.write(b"before ")
        write_file(name.format(file.fileno()), b"data")
        file.write(b" after")
    assert path.read_bytes() == b"before data after"


@pytest.mark.parametrize(
    "name, reason",
    [
        ("", "expected the name of a file, found an empty one"),
        ("a\0b", "expected the name of a file"),
        ("folder", "names a folder"),
        ("new/", "names a folder"),
        ("none/file", "there is no folder .*none"),
    ],
)
def test_names_that_no_file_can_have(name, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("folder")
    for use in (check_target, lambda name: write_file(name, b"")):
        with pytest.raises(SbnnError, match=reason):
            use(name)
    with pytest.raises((SbnnError, FileNotFoundError)):
        read_file(name)
    with pytest.raises(SbnnError, match="folder is a folder: expected a file"):
        read_file("folder")
    assert os.listdir() == ["folder"]


def test_states_and_tables_too(fifo, tmp_path):
    path, read = fifo
    table = CostTable("cpu", 1, "group4", 2.0, 1.0, {("dense", (4, 4), 1): {0.0: 1.0}})
    table.save(path)
    assert read().startswith(b'{\n "format"')
    (tmp_path / "link").symlink_to("table")
    table.save(tmp_path / "link")
    assert CostTable.load(tmp_path / "table") == table

    (tmp_path / "state").write_bytes(b"")
    (tmp_path / "state").chmod(0o600)
    (tmp_path / "latest").symlink_to("state")
    StateFile(tmp_path / "latest").save(3, {"step": np.arange(3)})
    assert (tmp_path / "latest").is_symlink() and mode(tmp_path / "state") == 0o600
    assert zipfile.is_zipfile(tmp_path / "state")
    nowhere = StateFile("/dev/null")
    assert nowhere.load(0, 0) is None
    nowhere.save(3, {"step": np.arange(3)})
    assert nowhere.load(3, 0) is None
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


SBNN = f"{sys.executable} -m sbnn_tf.cli"


def shell(command: str, **files) -> subprocess.CompletedProcess:
    """Runs a line of bash in which `sbnn` is the command; `files` are its variables."""
    return subprocess.run(
        ["bash", "-c", f'sbnn() {{ {SBNN} "$@"; }}; {command}'],
        capture_output=True,
        env={**os.environ, **{name: str(path) for name, path in files.items()}},
    )


@pytest.mark.parametrize("out", ["-", "/dev/stdout"])
def test_only_the_bytes_go_to_stdout(out, tiny_files, tmp_path):
    dense, sparse = tiny_files
    done = shell(f'sbnn convert "$dense" {out} --prune 0.5', dense=dense)
    assert (done.returncode, done.stdout) == (0, sparse.read_bytes())
    size, pruned = done.stderr.splitlines()
    assert size.startswith(b"/dev/stdout: ") and pruned == b"pruned: 2 CONV_2D 1x1"
    log = tmp_path / "log"
    shell(f'(echo one; sbnn convert "$dense" {out}; echo two) >"$log"', dense=dense, log=log)
    assert log.read_bytes() == b"one\n" + dense.read_bytes() + b"two\n"


def test_a_message_goes_to_stdout_beside_a_file(tiny_files, tmp_path, capsys):
    assert main(["convert", str(tiny_files[0]), str(tmp_path / "out.tflite")]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(str(tmp_path)) and err == ""


@pytest.mark.parametrize(
    "command",
    [
        'sbnn inspect - <"$sparse"',
        'cat "$sparse" | sbnn inspect /dev/stdin',
        'sbnn explain <(cat "$sparse")',
        'sbnn verify <(cat "$sparse") <(cat "$sparse") --delegate',
        'cat "$sparse" | sbnn benchmark - --baseline <(cat "$sparse") --rounds 1',
        'cat "$sparse" | sbnn profile - - --rounds 1',
        'cat "$sparse" | sbnn convert - - | sbnn inspect -',
    ],
)
def test_pipes_as_inputs(command, tiny_files):
    done = shell(command, sparse=tiny_files[1])
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_keras_model_out_of_a_pipe(tmp_path):
    import keras

    keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]).save(tmp_path / "model.keras")
    done = shell('cat "$model" | sbnn convert - -', model=tmp_path / "model.keras")
    assert done.returncode == 0, done.stderr
    assert done.stdout[4:8] == b"TFL3"


@pytest.mark.parametrize(
    "command, code, out, err",
    [
        ('sbnn inspect "$dense" 2>&- | grep -c total', 0, b"1\n", b""),
        ("sbnn inspect none 2>&-", 2, b"", b""),
        ("sbnn inspect none 2> >(true)", 2, b"", b""),
        ("sbnn inspect none >&-", 2, b"", b"sbnn: no such file: none\n"),
        ('sbnn convert "$dense" - >&-', 2, b"", b"sbnn: cannot write /dev/stdout: Bad file"),
        ("sbnn inspect - <&-", 2, b"", b"sbnn: cannot read /dev/stdin: Bad file"),
        ('sbnn inspect "$dense" >/dev/full', 2, b"", b"sbnn: No space left on device\n"),
        ('sbnn inspect "$dense" | true; exit ${PIPESTATUS[0]}', 0, b"", b""),
        ('sbnn convert "$dense" - | true; exit ${PIPESTATUS[0]}', 2, b"", b"sbnn: cannot write"),
        ("sbnn inspect 2>&-", 2, b"", b""),
    ],
)
def test_closed_streams(command, code, out, err, tiny_files):
    done = shell(command, dense=tiny_files[0])
    assert (done.returncode, done.stdout) == (code, out)
    assert done.stderr.startswith(err) and (err or not done.stderr)


@pytest.mark.parametrize("command", ["inspect", "explain", "benchmark", "verify", "convert"])
def test_folders_and_empty_names_say_what_they_are(command, tiny_files, tmp_path, capsys):
    more = {"verify": [str(tiny_files[0])], "convert": [str(tmp_path / "out")]}.get(command, [])
    assert main([command, "", *more]) == 2
    assert "expected the name of a file, found an empty one" in capsys.readouterr().err
    assert main([command, str(tmp_path), *more]) == 2
    assert "is a folder" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_targets_are_looked_at_before_the_work(tmp_path, capsys):
    """The source, which is not there, is not looked for."""
    for target in (str(tmp_path), str(tmp_path / "none" / "out")):
        for command in ("convert", "profile"):
            assert main([command, "none.tflite", target]) == 2
            assert f"cannot write {target}" in capsys.readouterr().err
