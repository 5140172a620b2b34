"""Maps scripts, as named by Tesseract's script detection, to the language packs that read them."""

from __future__ import annotations

from collections.abc import Sequence

from rayocr.engines.tesseract.program import Orientation
from rayocr.errors import LanguagePackMissing

_SURE_SCRIPT = 1.5  # below this, the detected script is a guess and English is the better choice
CERTAIN_SCRIPT = 4.0  # a Georgian page was detected as Arabic with 2.7; one in Hebrew and English had 3.0
_MOST_PACKS = 4  # each pack costs time on every word
_NOT_LANGUAGES = frozenset({"osd", "equ", "snum"})

LATIN = frozenset({"Latin", "Fraktur"})
KOREAN_SCRIPTS = frozenset({"Korean", "Hangul"})
# Packs of scripts that are frequent beside another script that rapidocr does not support, most frequent first.
FREQUENT = ("rus", "ell", "ara", "heb", "hin", "kor", "tha")
HAN_SCRIPTS = frozenset({"Han", "HanS", "HanT", "Japanese", "Hiragana", "Katakana"})
HAN = frozenset({"chi_sim", "chi_tra", "jpn"})  # rapidocr reads these scripts
# Packs that include Latin letters. Combined with the English pack, they misread syllables as English words.
_WITH_LATIN = frozenset({"Latin", "Korean", "Hangul", "Han", "HanS", "HanT", "Japanese", "Hiragana", "Katakana"})
# scripts of the packs whose systematic errors are corrected
GREEK = frozenset({"ell", "Greek", "script/Greek"})
KOREAN = frozenset({"kor", "Hangul", "script/Hangul"})
DEVANAGARI = frozenset({"hin", "mar", "nep", "san", "Devanagari", "script/Devanagari"})
HEBREW = frozenset({"heb", "Hebrew", "script/Hebrew"})
VIETNAMESE = frozenset({"vie", "Vietnamese", "script/Vietnamese"})
ARABIC = frozenset({"ara", "fas", "urd", "Arabic", "script/Arabic"})
PERSIAN = "fas"
THAI = frozenset({"tha", "Thai", "script/Thai"})

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
    "Ethiopic": "amh tir",
    "Syriac": "syr",
    "Thaana": "div",
    "Cherokee": "chr",
    "Canadian_Aboriginal": "iku",
}


def groups_of(installed: Sequence[str]) -> list[tuple[str, ...]]:
    """Returns the installed packs by script, without Latin. Vietnamese is included because rapidocr loses half of its accents."""
    groups = {
        tuple(name for name in packs.split() if name in installed) for script, packs in _PACKS.items() if script not in LATIN
    }
    groups |= {("vie",)} & {(name,) for name in installed}
    groups |= {(name,) for name in installed if name.startswith("script/") and name.removeprefix("script/") not in LATIN}
    return sorted(group for group in groups if group)


def languages_beside(pack: str, installed: Sequence[str]) -> tuple[str, ...]:
    """Returns the installed packs for single languages in the script of this pack, itself included; none for a pack of a whole
    script."""
    group = next((packs.split() for script, packs in _PACKS.items() if script not in LATIN and pack in packs.split()), ())
    return tuple(name for name in group if name in installed)


def packs_of_script(script: str) -> tuple[str, ...]:
    """Returns the packs that read this script, installed or not; none for an unknown one."""
    return (*_PACKS.get(script, "").split(), script, f"script/{script}")


def _missing(seen: Orientation, languages: Sequence[str]) -> LanguagePackMissing:
    """Returns the error for a script without a pack. `languages`: the installed packs."""
    scripts = (seen.script, *(script for script in seen.others if languages_of(script).isdisjoint(languages)))
    packs = [_PACKS.get(script, script).split()[0] for script in scripts]
    packages = [f"tesseract-ocr-{pack.replace('_', '-').lower()}" for pack in packs]
    there = f"(installed: {', '.join(languages)})"
    or_other = ""
    if len(scripts) > 1:
        cause = f"the script of the page, which could be {' or '.join(scripts)} {there}"
    elif seen.script_confidence >= CERTAIN_SCRIPT or seen.script in KOREAN_SCRIPTS:
        cause = f"{seen.script} script {there}"
    else:
        cause = f"{seen.script} script, which it detected with low confidence {there}"
        or_other = ", or that of the page's language"
    command = f"Debian: apt-get install {packages[0]}"
    message = f"Tesseract has no pack for {cause}. Install {' or '.join(packages)}{or_other}."
    return LanguagePackMissing(message, hint=command, pack=packs[0])


def languages_of(script: str) -> frozenset[str]:
    """Returns the packs that read this script, installed or not."""
    return frozenset(packs_of_script(script))


def packs_for(seen: Orientation | None, installed: Sequence[str], *, sure: float = _SURE_SCRIPT) -> tuple[str, ...]:
    """Returns the packs to read a page with, best first. A script that was detected with less confidence than `sure` does not
    count.

    Raises LanguagePackMissing if no pack is installed for the page's script.
    """
    languages = [name for name in installed if name not in _NOT_LANGUAGES]
    script = seen.script if seen is not None and seen.script_confidence >= sure else ""
    wanted = _PACKS.get(script, "").split()
    chosen = [name for name in wanted if name in languages]
    whole_script = [name for name in languages if script and name in (script, f"script/{script}")]
    chosen += [] if chosen else whole_script
    if seen is not None and script and not chosen:
        raise _missing(seen, languages)
    if not script:
        chosen = ["eng"] if "eng" in languages else languages[:1]
    elif script not in _WITH_LATIN and "eng" in languages:
        chosen = [*chosen[: _MOST_PACKS - 1], "eng"]  # English for names, numbers and e-mail addresses
    return tuple(chosen[:_MOST_PACKS])
