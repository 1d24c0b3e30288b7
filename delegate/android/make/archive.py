"""Zip archives that depend on nothing but what is in them."""

from __future__ import annotations

import pathlib
import zipfile

_DATE = (1980, 1, 1, 0, 0, 0)  # the first that the format knows


class Archive:
    """A new archive: `with Archive(path) as archive: archive.add("name", b"content")`."""

    def __init__(self, path: pathlib.Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._zip = zipfile.ZipFile(path, "w")

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add(self, name: str, content: bytes | str | pathlib.Path, stored: bool = False) -> None:
        """`stored`: not compressed, so that Android can map it into memory."""
        info = zipfile.ZipInfo(name, _DATE)
        info.external_attr = 0o644 << 16
        info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
        data = content.read_bytes() if isinstance(content, pathlib.Path) else content
        self._zip.writestr(info, data)

    def add_folder(self, folder: pathlib.Path, prefix: str = "") -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.add(prefix + path.relative_to(folder).as_posix(), path)
