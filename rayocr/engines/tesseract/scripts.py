"""Which language packs read which script, as Tesseract's script detection names scripts."""

from __future__ import annotations

from collections.abc import Sequence

from rayocr.engines.tesseract.program import Orientation
from rayocr.errors import EngineUnavailable

_SURE_SCRIPT = 1.5  # below this a page's script is a guess, and English is the better one
_MOST_PACKS = 4  # each costs time on every word
_NOT_LANGUAGES = frozenset({"osd", "equ", "snum"})

_PACKS = {
    "Latin": "eng deu fra spa por ita nld pol ces swe dan nor fin tur ron hun vie ind lat",
    "Fraktur": "deu_latf frk deu",
    "Devanagari": "hin mar nep san",
    "Cyrillic": "rus ukr bul srp bel",
    "Greek": "ell",
    "Arabic": "ara fas urd",
    "Hebrew": "heb",
    "Han": "chi_sim chi_tra",
    "HanS": "chi_sim",
    "HanT": "chi_tra",
    "Japanese": "jpn",
    "Katakana": "jpn",
    "Hiragana": "jpn",
    "Korean": "kor",
    "Hangul": "kor",
    "Bengali": "ben asm",
    "Gujarati": "guj",
    "Gurmukhi": "pan",
    "Tamil": "tam",
    "Telugu": "tel",
    "Kannada": "kan",
    "Malayalam": "mal",
    "Oriya": "ori",
    "Sinhala": "sin",
    "Thai": "tha",
    "Lao": "lao",
    "Khmer": "khm",
    "Myanmar": "mya",
    "Tibetan": "bod",
    "Georgian": "kat",
    "Armenian": "hye",
    "Ethiopic": "amh",
}


def packs_for(seen: Orientation | None, installed: Sequence[str], *, sure: float = _SURE_SCRIPT) -> tuple[str, ...]:
    """The packs to read a page with, best first. A script seen with less confidence than `sure` counts as none.

    Raises EngineUnavailable where the page's script has none.
    """
    languages = [name for name in installed if name not in _NOT_LANGUAGES]
    script = seen.script if seen is not None and seen.script_confidence >= sure else ""
    wanted = _PACKS.get(script, "").split()
    chosen = [name for name in wanted if name in languages]
    whole_script = [name for name in languages if script and name in (script, f"script/{script}")]
    chosen += [] if chosen else whole_script
    if script and not chosen:
        pack = wanted[0] if wanted else script
        raise EngineUnavailable(
            f"the page is in {script} script and tesseract has no pack for it (installed: {', '.join(languages)}).",
            hint=f"Debian: apt-get install tesseract-ocr-{pack.replace('_', '-')}",
        )
    if not script:
        chosen = ["eng"] if "eng" in languages else languages[:1]
    elif script != "Latin" and "eng" in languages:
        chosen = [*chosen[: _MOST_PACKS - 1], "eng"]  # names, numbers and e-mail addresses
    return tuple(chosen[:_MOST_PACKS])
