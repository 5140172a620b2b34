"""Trains the classifier of scripts (`rayocr/engines/tesseract/script_shapes/scripts.npz`).

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.scripts --fonts FOLDER --out scripts.npz
    ... --without "Lohit,Noto Serif"    # leaves fonts with these names out of the training, and prints the accuracy on them

FOLDER contains fonts unpacked from packages of Debian 12 (`dpkg-deb -x`): those of `benchmarks.digits`, culmus, fonts-baekmuk,
fonts-gfs-{artemisia,didot,neohellenic}, fonts-lohit-*, fonts-nanum, fonts-noto-core, fonts-noto-cjk, fonts-samyak,
fonts-sil-padauk, fonts-unfonts-core. The words come from the word lists in Tesseract's packs (`combine_tessdata`,
`dawg2wordlist`), and the wear is that of `benchmarks.digits`.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from fontTools.ttLib import TTFont, TTLibError

from benchmarks.digits.__main__ import words_of
from benchmarks.digits.drawing import Drawing
from benchmarks.digits.network import Network
from rayocr.engines.tesseract.script_shapes.classifier import NASTALIQ, SCRIPTS
from rayocr.engines.tesseract.script_shapes.pieces import pieces_of

_SEED, _EPOCHS = 5, 8
_LINES, _PIECES = 240, 5000  # per script
_MOST_FAMILIES, _FILES_OF_FAMILY = 26, 2
_PACKS = {
    "Latin": "eng deu fra vie pol tur", "Cyrillic": "rus ukr bul srp", "Greek": "ell grc", "Arabic": "ara fas urd uig",
    NASTALIQ: "urd", "Hebrew": "heb yid", "Devanagari": "hin mar nep san", "Bengali": "ben asm", "Gurmukhi": "pan",
    "Gujarati": "guj", "Oriya": "ori", "Tamil": "tam", "Telugu": "tel", "Kannada": "kan", "Malayalam": "mal", "Sinhala": "sin",
    "Thai": "tha", "Lao": "lao", "Khmer": "khm", "Myanmar": "mya", "Tibetan": "bod dzo", "Georgian": "kat", "Armenian": "hye",
    "Ethiopic": "amh tir", "Korean": "kor", "Han": "chi_sim chi_tra jpn", "Syriac": "syr", "Thaana": "div", "Cherokee": "chr",
    "Canadian_Aboriginal": "iku",
}  # fmt: skip
_COVERED = 16  # a font must have this many of the script's most frequent letters
_MOST_OF_LIST = 20_000  # words
_LONGEST_WORD = 14  # longer words are cut: some scripts have no spaces
_OTHER_STYLES = """Italic Oblique Condensed ExtraLight Thin Black ExtraBold SemiBold Medium Mono Narrow Light Slanted UI- Display
    AlHor Hor AlManzomah Khalid Ostorah Shado Graph KacstDecorative KacstDigital KacstArt UKIJTiken UKIJQara UKIJKesme
    UKIJTughra 3D Chechek Neqish Ekran Elipbe"""


class _Font(NamedTuple):
    family: str
    path: Path
    characters: frozenset[int]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--fonts", type=Path, required=True, nargs="+")
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--without", default="", help="parts of names of families that are not trained on")
    chosen = options.parse_args()
    features, labels, families = _samples(_fonts(chosen.fonts))
    names = [name for name in chosen.without.split(",") if name]
    held_out = np.array([any(name in family for name in names) for family in families])
    dice = np.random.default_rng(_SEED)
    some = np.concatenate([_balanced(np.flatnonzero((labels == n) & ~held_out), dice) for n in range(len(SCRIPTS))])
    network = Network(features.shape[1], len(SCRIPTS), seed=0)
    network.train(features[some], labels[some], _EPOCHS)
    if held_out.any():
        right = network.probabilities(features[held_out]).argmax(axis=1) == labels[held_out]
        print(f"accuracy on {chosen.without}: {right.mean():.3f} of {len(right)} pieces")
    np.savez_compressed(chosen.out, **{f"layer_{n}": layer.astype(np.float16) for n, layer in enumerate(network.layers)})


def _balanced(places: Any, dice: np.random.Generator) -> Any:
    return dice.choice(places, _PIECES, replace=len(places) < _PIECES) if len(places) else places


def _fonts(folders: Sequence[Path]) -> list[_Font]:
    fonts: dict[str, _Font] = {}
    files = sorted((path for folder in folders for path in folder.rglob("*.[ot]t[fc]")), key=lambda path: (path.name, path))
    for path in files:
        if path.name in fonts or any(style in path.name for style in _OTHER_STYLES.split()):
            continue
        try:
            font = TTFont(path, lazy=True, fontNumber=0)
            characters, family = font.getBestCmap(), font["name"].getDebugName(1)
        except (TTLibError, OSError):
            continue
        if characters and family:
            fonts[path.name] = _Font(family, path, frozenset(characters))
    return list(fonts.values())


def _samples(fonts: Sequence[_Font]) -> tuple[Any, Any, list[str]]:
    """Returns the features, the numbers of the scripts and the families of all pieces."""
    drawing, dice = Drawing(_SEED), random.Random(_SEED)
    features: list[Any] = []
    labels: list[int] = []
    families: list[str] = []
    for number, script in enumerate(SCRIPTS):
        lists = [_short(words_of(pack)[:_MOST_OF_LIST]) for pack in _PACKS[script].split()]
        by_family = _by_family(script, fonts, lists, dice)
        for n in range(_LINES if by_family else 0):
            family, paths = by_family[n % len(by_family)]
            words = lists[n % len(lists)]
            start = dice.randrange(max(len(words) - 5, 1))
            line = drawing.line(
                " ".join(dice.choices(words, k=5) if dice.random() < 0.5 else words[start : start + 5]), dice.choice(paths)
            )
            pieces = pieces_of(line)
            features.append(pieces)
            labels += [number] * len(pieces)
            families += [family] * len(pieces)
        print(f"{script}: {len(by_family)} families", flush=True)
    return np.concatenate(features), np.array(labels), families


def _by_family(
    script: str, fonts: Sequence[_Font], lists: Sequence[Sequence[str]], dice: random.Random
) -> list[tuple[str, list[Path]]]:
    letters = Counter(char for words in lists for word in words for char in word if script == "Latin" or not char.isascii())
    frequent = {ord(char) for char, _ in letters.most_common(_COVERED)}
    own = [font for font in fonts if frequent <= font.characters]
    if script in (NASTALIQ, "Arabic"):
        own = [font for font in own if ("Nastaliq" in font.family) == (script == NASTALIQ) and "Nsq" not in font.path.name]
    families: dict[str, list[Path]] = {}
    for font in own:
        families.setdefault(font.family, []).append(font.path)
    chosen = sorted(families)
    dice.shuffle(chosen)
    return [(family, families[family][:_FILES_OF_FAMILY]) for family in chosen[:_MOST_FAMILIES]]


def _short(words: Sequence[str]) -> list[str]:
    return [word[at : at + _LONGEST_WORD] for word in words for at in range(0, len(word), _LONGEST_WORD)]


if __name__ == "__main__":
    main()
