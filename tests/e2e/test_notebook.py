"""The notebook runs from top to bottom, on few images."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_quickstart(monkeypatch):
    monkeypatch.setenv("SBNN_QUICKSTART_IMAGES", "3000")
    notebook = nbformat.read(NOTEBOOKS / "quickstart.ipynb", as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(NOTEBOOKS)}}
    )
    client.execute()  # raises on the first cell that fails
