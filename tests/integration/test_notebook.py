"""docs/python.md runs as a notebook: in a kernel with a running event loop, with progress and results shown as HTML."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.e2e.support import PATIENCE_S, PROJECT


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "STORAGE_BACKEND", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": tmp_path, "IPYTHONDIR": tmp_path / "ipython", "PYTHONPATH": PROJECT}.items():
        monkeypatch.setenv(name, str(value))
    return tmp_path


def executed(folder: Path, cells: list[str]) -> Any:
    """The notebook after all cells ran in this interpreter's kernel. A separate process runs it, because the client leaves
    sockets open.
    """
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])  # type: ignore[no-untyped-call]
    file = folder / "page.ipynb"
    nbformat.write(notebook, file)  # type: ignore[no-untyped-call]
    code = "import sys; from nbclient.cli import main; sys.exit(main())"
    arguments = [file.name, "--inplace", "--kernel_name=python3", f"--timeout={PATIENCE_S}", f"--startup_timeout={PATIENCE_S}"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]


def html_of(cell: Any) -> str:
    return "".join(output["data"].get("text/html", "") for output in cell["outputs"] if "data" in output)


def test_the_python_page_runs_as_a_notebook(place: Path) -> None:
    cells = re.findall(r"^```python\n(.*?)^```", (PROJECT / "docs" / "python.md").read_text(), re.MULTILINE | re.DOTALL)
    shown = ["document", "result", "await rayocr.aread('samples/letter.pdf', engine='textlayer')"]
    notebook = executed(place, [*cells, *shown])
    document, result, awaited = (html_of(cell) for cell in notebook["cells"][-3:])
    assert "<h1>A Reading Garden for Willow Lane" in document + awaited
    assert "<th>Documents</th><td>2 complete" in result
    run = next(cell for cell in notebook["cells"] if "rayocr.run(" in cell["source"])
    assert "<progress" in html_of(run) and "2/2 documents" in html_of(run)
