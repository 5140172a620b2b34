"""Chooses the font families of a text and finds characters that no font contains. Typst would print boxes without an error.

The fonts come in wheels (OFL), so a page looks the same everywhere. System fonts and Typst's own fonts are the fallback.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from rayocr.outputs.typeset.direction import script_of

REPLACEMENT = "\ufffd"
_SAMPLED_CHARS = 2000  # number of characters that decide the main family of a page
_PROBED_AT_ONCE = 512  # number of characters that no wheel contains; more on one page belong to a script without a font

# Families in order of preference; a family includes its weights and slants. Arabic uses Amiri and Bengali uses Hind Siliguri,
# because their text can be extracted from the PDF unchanged; Noto's fonts move parts of letters, so their text cannot.
_FAMILIES = (
    ("Noto Sans", "manimgx_fonts", "NotoSans[wght].ttf"),
    ("Noto Sans Devanagari", "manimgx_fonts", "NotoSansDevanagari[wght].ttf"),
    ("Amiri", "fontpkg_amiri", "files/Amiri-Regular.ttf"),
    ("Noto Sans Hebrew", "manimgx_fonts", "NotoSansHebrew[wght].ttf"),
    ("Hind Siliguri", "fontpkg_hind_siliguri", "files/HindSiliguri-Regular.ttf"),
    ("Noto Sans Gurmukhi", "manimgx_fonts", "NotoSansGurmukhi[wght].ttf"),
    ("Noto Sans Gujarati", "manimgx_fonts", "NotoSansGujarati[wght].ttf"),
    ("Noto Sans Oriya", "manimgx_fonts", "NotoSansOriya[wght].ttf"),
    ("Noto Sans Tamil", "manimgx_fonts", "NotoSansTamil[wght].ttf"),
    ("Noto Sans Telugu", "manimgx_fonts", "NotoSansTelugu[wght].ttf"),
    ("Noto Sans Kannada", "manimgx_fonts", "NotoSansKannada[wght].ttf"),
    ("Noto Sans Malayalam", "manimgx_fonts", "NotoSansMalayalam[wght].ttf"),
    ("Noto Sans Sinhala", "manimgx_fonts", "NotoSansSinhala[wght].ttf"),
    ("Noto Sans Thai", "manimgx_fonts", "NotoSansThai[wght].ttf"),
    ("Noto Sans Lao", "manimgx_fonts", "NotoSansLao[wght].ttf"),
    ("Noto Sans Khmer", "manimgx_fonts", "NotoSansKhmer[wght].ttf"),
    ("Noto Sans Myanmar", "manimgx_fonts", "NotoSansMyanmar[wght].ttf"),
    ("Noto Sans Armenian", "manimgx_fonts", "NotoSansArmenian[wght].ttf"),
    ("Noto Sans Georgian", "manimgx_fonts", "NotoSansGeorgian[wght].ttf"),
    ("Noto Sans Ethiopic", "manimgx_fonts", "NotoSansEthiopic[wght].ttf"),
    ("Noto Sans CJK SC", "manimgx_fonts_cjk", "NotoSansCJK-VF.otf.ttc"),
    ("Noto Sans Symbols", "manimgx_fonts", "NotoSansSymbols[wght].ttf"),
    ("Noto Emoji", "manimgx_fonts", "NotoEmoji[wght].ttf"),
)
_CJK = {"ja": "Noto Sans CJK JP", "ko": "Noto Sans CJK KR"}  # the languages draw the same characters differently
_LAST = ("DejaVu Sans Mono", "New Computer Modern Math")  # these fonts are included in Typst: arrows, boxes, mathematics
_INVISIBLE = ("Cf", "Zl", "Zp", "Cc")  # joiners and direction marks, which no font draws


@dataclass(frozen=True, slots=True)
class FontChoice:
    """The fonts of a text. `families`: in the order in which the typesetter tries them. `missing`: characters that would be
    printed as boxes."""

    families: tuple[str, ...]
    language: str
    missing: frozenset[str]


def font_folders() -> list[str]:
    """Returns the font folders of the installed wheels."""
    folders = (_folder(package) for package in dict.fromkeys(package for _, package, _ in _FAMILIES))
    return [str(folder) for folder in folders if folder is not None]


def packaged_fonts() -> list[PackagedFont]:
    """Returns the fonts of the wheels, in order of preference."""
    return [PackagedFont(*entry) for entry in _FAMILIES]


class FontBook:
    """Chooses fonts. `displays(characters)`: whether the typesetter's fonts contain all of them."""

    def __init__(self, displays: Callable[[str], bool]) -> None:
        self._displays = displays
        self._fonts = packaged_fonts()
        self._known: dict[str, str | None] = {}  # character -> family, "" for a system font, None for no font

    def choose(self, text: str) -> FontChoice:
        characters = {c for c in set(text) if not c.isspace() and not _invisible(c)}
        self._look_up(characters)
        needed = {self._known[c] for c in characters}
        language = script_of(text).language
        families = [font.family for font in self._fonts if font.family in needed or font is self._fonts[0]]
        # Spaces come from the first family. If that is the family of most letters, spaces and adjacent words stay in one piece.
        main = self._main_family(text)
        families.sort(key=lambda family: family != main)
        cjk = _CJK.get(language)
        if cjk is not None:
            families = [cjk if family == "Noto Sans CJK SC" else family for family in families]
        missing = frozenset(c for c in characters if self._known[c] is None)
        return FontChoice((*families, *_LAST), language, missing)

    def _main_family(self, text: str) -> str | None:
        counts = Counter(self._known.get(character) for character in text[:_SAMPLED_CHARS] if character.isalpha())
        return counts.most_common(1)[0][0] if counts else None

    def _look_up(self, characters: Iterable[str]) -> None:
        unknown = sorted(c for c in characters if c not in self._known)
        left = []
        for character in unknown:
            code = ord(character)
            family = next((font.family for font in self._fonts if code in font.characters), None)
            if family is None:
                left.append(character)
            else:
                self._known[character] = family
        self._probe("".join(left[:_PROBED_AT_ONCE]))
        self._known.update(dict.fromkeys(left[_PROBED_AT_ONCE:]))

    def _probe(self, characters: str) -> None:
        """Finds the missing characters by bisection, since the typesetter answers for all characters at once."""
        if not characters:
            return
        if self._displays(characters):
            self._known.update(dict.fromkeys(characters, ""))
        elif len(characters) == 1:
            self._known[characters] = None
        else:
            middle = len(characters) // 2
            self._probe(characters[:middle])
            self._probe(characters[middle:])


class PackagedFont:
    def __init__(self, family: str, package: str, file: str) -> None:
        self.family = family
        self._package, self._file = package, file

    @cached_property
    def path(self) -> Path | None:
        """Path of the font file; None if the package is not installed."""
        folder = _folder(self._package)
        return None if folder is None else folder / self._file

    @cached_property
    def characters(self) -> frozenset[int]:
        """The font's code points, read on first use, which takes 1 to 100 ms."""
        from fontTools.ttLib import TTFont

        if self.path is None:
            return frozenset()
        with TTFont(self.path, fontNumber=0, lazy=True) as font:
            return frozenset(font.getBestCmap())


def _folder(package: str) -> Path | None:
    spec = find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE or "\ufe00" <= character <= "\ufe0f"
