"""Writes docs/images/run.svg, a picture of a real run over samples/ in a terminal of 112 columns, and table-page.png.

Runs the command on a pseudo-terminal, keeps the final screen, and draws it with rich. Run `make recording`.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

import pypdfium2
from rich.text import Text

from rayocr.observe.console import plain_console

PROJECT = Path(__file__).parents[1]
TARGET = PROJECT / "docs" / "images" / "run.svg"
_COLUMNS, _ROWS = 112, 30


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        lines = _recorded(["rayocr", "samples", "out", "gateway.enabled=false"], Path(folder))
    nowhere = open(os.devnull, "w")  # noqa: SIM115
    console = plain_console(record=True, width=_COLUMNS, file=nowhere, force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi("$ rayocr samples out"))
    for line in lines:
        console.print(Text.from_ansi(line))
    TARGET.write_text(console.export_svg(title="rayocr", unique_id="rayocr"))
    page = pypdfium2.PdfDocument(PROJECT / "samples" / "table.pdf")[0]
    page.render(scale=0.7).to_pil().crop((0, 0, 416, 400)).save(TARGET.with_name("table-page.png"), optimize=True)
    return 0


def _recorded(command: list[str], folder: Path) -> list[str]:
    """Returns the final screen of the command; overwritten lines (its progress) show their last state."""
    shutil.copytree(PROJECT / "samples", folder / "samples", ignore=shutil.ignore_patterns("broken"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        environment.pop(name, None)
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    data = b""
    while True:
        try:
            data += os.read(ours, 65536)
        except OSError:
            break
    process.wait()
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace(f"{folder}/", "")
    progress = re.findall(r"[^\r\n]*documents[^\r\n]*pages/s[^\r\n]*", text)
    kept = [line for line in re.sub(r"\x1b\[\d*[ABCDGHJK]|\x1b\[\?25[lh]", "", text).split("\n") if line.strip()]
    final = [line.split("\r")[-1] for line in kept if "pages/s" not in line or "Time" in line]
    table = next((i for i, line in enumerate(final) if "Documents" in line), len(final))
    return [*final[:table], *(progress[-1:]), "", *final[table:]]


if __name__ == "__main__":
    sys.exit(main())
