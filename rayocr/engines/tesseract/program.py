"""Runs Tesseract: the library, if tesserocr is installed with language data, else the program. Both return TSV, with a 13th cell
for each word that states whether white space comes before it.

Tesseract is limited to one thread: `OMP_THREAD_LIMIT=1` reduces 16 CPU seconds per page to 1.8. The program reads the image from
standard input and writes to standard output, so it leaves no temporary files.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rayocr.engines.tesseract.lines import with_spaces
from rayocr.errors import EngineError, EngineTimeout, EngineUnavailable

if TYPE_CHECKING:
    from PIL.Image import Image

# Minimum for a second detection of the script, which is less reliable; Tesseract counts a word in Devanagari as one letter.
FEW_LETTERS = 5
_QUESTION_TIMEOUT_S = 20.0
_LEAST_LETTERS, _LEAST_LETTERS_NAME = 50, "min_characters_to_try"  # Tesseract's default of the setting that `FEW_LETTERS` lowers
_TSV_TABS = 11  # number of tabs in each row of TSV; the plain text follows
_VERSION = re.compile(r"tesseract v?([\d.]+)")
_FOLDER = re.compile(r'languages in "([^"]+)"')
_FIELD = re.compile(r"^([\w ]+): ?(.+)$", re.MULTILINE)
INSTALL_HINT = (
    "Install it (Debian: apt-get install tesseract-ocr; packs: tesseract-ocr-hin …) or leave tesseract out of engine.chain."
)


@dataclass(frozen=True, slots=True)
class Orientation:
    """The result of Tesseract's orientation and script detection. `quarter_turns` counter-clockwise turn the page upright.
    `others`: scripts that are almost as likely, from `rayocr.engines.tesseract.script_shapes`."""

    quarter_turns: int
    turn_confidence: float
    script: str
    script_confidence: float
    others: tuple[str, ...] = ()


class Tesseract(Protocol):
    """Tesseract, as a library or a program. `data_folder` has the packs. `read_tsv` reads a page in any layout or, with
    `as_block`, one column of lines. `detect_orientation` also detects the script."""

    @property
    def version(self) -> str: ...
    def languages(self) -> tuple[str, ...]: ...
    def data_folder(self) -> Path | None: ...
    def read_tsv(self, image: Image, *, languages: str, dpi: int, as_block: bool = False) -> str: ...
    def detect_orientation(self, image: Image, *, dpi: int, least_letters: int = ...) -> Orientation | None: ...


def find_tesseract(*, timeout_s: float) -> Tesseract | None:
    """Returns the library if it has language data, else the program on PATH, else None."""
    if find_spec("tesserocr") is not None:
        library = TesseractLibrary()
        if library.languages():
            return library
    program = shutil.which("tesseract")
    return TesseractProgram(program, timeout_s=timeout_s) if program else None


class TesseractProgram:
    def __init__(self, path: str, *, timeout_s: float) -> None:
        self._path = path
        self._timeout_s = timeout_s

    @property
    def version(self) -> str:
        found = _VERSION.search(_ask(self._path, "--version"))
        return found.group(1) if found else "unknown"

    def languages(self) -> tuple[str, ...]:
        return tuple(line.strip() for line in _ask(self._path, "--list-langs").splitlines()[1:] if line.strip())

    def data_folder(self) -> Path | None:
        found = _FOLDER.search(_ask(self._path, "--list-langs"))
        return Path(found.group(1)) if found else None

    def read_tsv(self, image: Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
        answer = self._run(image, ["--dpi", str(dpi), "-l", languages, "--psm", "6" if as_block else "3", "tsv", "txt"])
        rows = answer.splitlines()
        end = next((place for place, row in enumerate(rows) if row.count("\t") < _TSV_TABS), len(rows))
        return with_spaces("\n".join(rows[:end]), "\n".join(rows[end:]))

    def detect_orientation(self, image: Image, *, dpi: int, least_letters: int = _LEAST_LETTERS) -> Orientation | None:
        try:
            report = self._run(
                image, ["--dpi", str(dpi), "-l", "osd", "--psm", "0", "-c", f"{_LEAST_LETTERS_NAME}={least_letters}"]
            )
        except EngineTimeout:
            raise
        except EngineError:
            return None  # Tesseract fails if the image has too few characters
        fields = dict(_FIELD.findall(report))
        try:
            return Orientation(
                quarter_turns=(-int(fields["Rotate"]) // 90) % 4,
                turn_confidence=float(fields["Orientation confidence"]),
                script=fields["Script"].strip(),
                script_confidence=float(fields["Script confidence"]),
            )
        except (KeyError, ValueError):
            return None

    def _run(self, image: Image, arguments: list[str]) -> str:
        pnm = io.BytesIO()
        image.save(pnm, format="PPM")  # PGM for a gray image: compression is not worthwhile for a pipe
        try:
            done = subprocess.run(
                [self._path, "stdin", "stdout", *arguments],
                input=pnm.getvalue(),
                capture_output=True,
                timeout=self._timeout_s,
                env=_one_thread(),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise EngineTimeout(f"tesseract took more than {self._timeout_s:g} s for one page.") from error
        except OSError as error:
            raise EngineUnavailable(f"tesseract cannot be started: {error}", hint=INSTALL_HINT) from error
        if done.returncode != 0:
            complaint = done.stderr.decode(errors="replace").strip().splitlines()
            raise EngineError(f"tesseract ended with code {done.returncode}: {complaint[-1] if complaint else 'no message'}")
        return done.stdout.decode(errors="replace")


class TesseractLibrary:
    """Uses tesserocr: no process per page, and models stay loaded."""

    def __init__(self) -> None:
        os.environ.setdefault("OMP_THREAD_LIMIT", "1")  # must be set before the library is loaded
        import tesserocr

        self._module: Any = tesserocr
        self._apis: dict[str, Any] = {}

    @property
    def version(self) -> str:
        found = _VERSION.search(self._module.tesseract_version())
        return found.group(1) if found else "unknown"

    def languages(self) -> tuple[str, ...]:
        return tuple(self._module.get_languages()[1])

    def data_folder(self) -> Path | None:
        return Path(str(self._module.get_languages()[0]))

    def read_tsv(self, image: Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
        api = self._api(languages, self._module.PSM.AUTO)
        try:
            api.SetPageSegMode(self._module.PSM.SINGLE_BLOCK if as_block else self._module.PSM.AUTO)
            api.SetImage(image)
            api.SetSourceResolution(dpi)
            api.Recognize()
            return with_spaces(str(api.GetTSVText(0)), str(api.GetUTF8Text()))
        except RuntimeError as error:
            raise EngineError(f"tesseract failed: {error}") from error
        finally:
            api.Clear()

    def detect_orientation(self, image: Image, *, dpi: int, least_letters: int = _LEAST_LETTERS) -> Orientation | None:
        if "osd" not in self.languages():
            return None
        api = self._api("osd", self._module.PSM.OSD_ONLY)
        try:
            api.SetImage(image)
            api.SetSourceResolution(dpi)
            api.SetVariable(_LEAST_LETTERS_NAME, str(least_letters))
            found = api.DetectOrientationScript()
        except RuntimeError:
            return None
        finally:
            api.Clear()
        if not found:
            return None
        return Orientation(
            quarter_turns=int(found["orient_deg"]) // 90 % 4,
            turn_confidence=float(found["orient_conf"]),
            script=str(found["script_name"]),
            script_confidence=float(found["script_conf"]),
        )

    def _api(self, languages: str, mode: Any) -> Any:
        if languages not in self._apis:
            try:
                self._apis[languages] = self._module.PyTessBaseAPI(lang=languages, psm=mode)
            except RuntimeError as error:
                raise EngineUnavailable(f"tesseract cannot load {languages}: {error}", hint=INSTALL_HINT) from error
        return self._apis[languages]


@lru_cache(maxsize=8)
def _ask(path: str, question: str) -> str:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            [path, question], capture_output=True, timeout=_QUESTION_TIMEOUT_S, env=_one_thread(), check=False, text=True
        )
        return done.stdout or done.stderr
    return ""


def _one_thread() -> dict[str, str]:
    return {**os.environ, "OMP_THREAD_LIMIT": "1"}
