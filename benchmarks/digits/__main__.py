"""Trains the classifier of Arabic and Persian or Thai digits (`rayocr/engines/tesseract/native_digits/*.npz`).

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.digits arabic --fonts FOLDER --out arabic.npz
    ... --without "Lateef,Harmattan"    # leaves these families out of the training, and prints the accuracy on them

FOLDER contains fonts unpacked from packages of Debian 12 (`dpkg-deb -x`). With digits: fonts-arabeyes, fonts-arundina,
fonts-dejavu-core, fonts-freefarsi, fonts-farsiweb, fonts-freefont-ttf, fonts-hosny-amiri, fonts-hosny-thabit, fonts-kacst,
fonts-kacst-one, fonts-noto-core, fonts-noto-ui-core, fonts-paktype, fonts-sil-harmattan, fonts-sil-lateef,
fonts-sil-scheherazade, fonts-tlwg-{garuda,kinnari,laksaman,loma,norasi}-ttf, fonts-ukij-uyghur. For Latin letters:
fonts-crosextra-carlito, fonts-croscore, fonts-ebgaramond, fonts-liberation, fonts-paratype. Ornamental and italic fonts are
left out. The words come from the word lists in Tesseract's packs ara, fas, urd and tha (`combine_tessdata`, `dawg2wordlist`).

Wear: 17 to 70 pixels per em, turned by up to .8 degrees, blurred, pale, gray paper, noise, specks, black and white.
The seed is fixed. Two runs on one machine write the same file; other versions of Pillow, FreeType or BLAS change the last digits.
`arabic.npz` in the package is the file that this program writes. `thai.npz` came from an earlier form of the recipe, with letters
of rendered pages instead of the pack's words: on three pages it reads 73 of 120 numbers right, that of this program 70. All
families are trained on, and accuracy on other fonts is lower (docs/quality.md).
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ImageFont

from benchmarks.digits.drawing import Drawing, Font
from benchmarks.digits.network import Network
from rayocr.engines.tesseract.native_digits.classifier import DIGITS, SIGNS

_SEED, _EPOCHS = 3, 22
_DATA = Path("/usr/share/tesseract-ocr/5/tessdata")
_PACKS = {"arabic": ("ara", "fas", "urd"), "thai": ("tha",)}
_NUMBERS = {"arabic": 60, "thai": 170}  # per font file
_LINES = {"arabic": 1500, "thai": 1200}
_LATIN_LINES = 60  # per font file
_FILES_OF_FAMILY, _LEAST_DIGITS = 2, 10
_SAME = {".": "\u0660", "\u066b": ","}  # the classifier does not tell a full stop from a zero, but its place does
_LATIN_FONTS = """LiberationS Carlito Arimo Tinos NotoSans-Reg NotoSerif-Reg FreeSerif. Norasi. Garuda. DejaVuSans. DejaVuSerif.
    PTF55 EBGaramond12-Reg Amiri-Regular amiri-regular"""
_STYLES = ("Italic", "Oblique", "Condensed", "ExtraLight", "Thin", "Black", "ExtraBold", "SemiBold", "Medium", "Light")
_ORNAMENTAL = """AlHor Hor AlManzomah Khalid Ostorah Shado Graph KacstDecorative KacstDigital KacstArt FreeMono UKIJ_Tiken
    UKIJ_Qara UKIJ_Kesme UKIJ_Kesme_Tuz UKIJ_Esliye_Neqish UKIJ_Esliye_Chiwer UKIJ_Diwani_Tom UKIJ_Sulus_Tom UKIJ_Tughra
    DejaVu_Sans_Mono Noto_Sans_Indic_Siyaq_Numbers Noto_Sans_Syriac Noto_Sans_Thaana Noto_Nastaliq_Urdu Noto_Looped_Thai"""
_LEFT_OUT = frozenset(name.replace("_", " ") for name in _ORNAMENTAL.split())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("script", choices=sorted(DIGITS))
    options.add_argument("--fonts", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--without", default="", help="families that are not trained on")
    chosen = options.parse_args()
    files = sorted(path for path in chosen.fonts.rglob("*") if path.suffix.lower() in (".ttf", ".otf"))
    fonts = _with_digits(files, DIGITS[chosen.script])
    print(f"{len(fonts)} files of {len({font.family for font in fonts})} families: {sorted({font.family for font in fonts})}")
    latin = [path for path in files if any(name in path.name for name in _LATIN_FONTS.split())]
    features, labels, families = _samples(chosen.script, fonts, latin)
    held_out = np.isin(families, chosen.without.split(","))
    network = Network(features.shape[1], len(DIGITS[chosen.script] + SIGNS) + 1, seed=0)
    network.train(features[~held_out], labels[~held_out], _EPOCHS)
    if held_out.any():
        right = network.probabilities(features[held_out]).argmax(axis=1) == labels[held_out]
        print(f"accuracy on {chosen.without}: {right.mean():.3f} of {len(right)} shapes")
    layers = {f"layer_{n}": layer.astype(np.float16) for n, layer in enumerate(network.layers)}
    np.savez_compressed(chosen.out, **layers)


def _with_digits(files: Sequence[Path], digits: str) -> list[Font]:
    fonts: list[Font] = []
    for path in files:
        try:
            face = ImageFont.truetype(path, 40, layout_engine=ImageFont.Layout.BASIC)
        except OSError:
            continue
        family, style = (str(name or "") for name in face.getname())
        if family in _LEFT_OUT or any(word in style for word in _STYLES):
            continue
        own, signs = (_drawable(face, characters) for characters in (digits, SIGNS + "".join(_SAME)))
        if len(own) >= _LEAST_DIGITS and sum(font.family == family for font in fonts) < _FILES_OF_FAMILY:
            fonts.append(Font(family, path, own, signs))
    return fonts


def _drawable(face: ImageFont.FreeTypeFont, characters: str) -> str:
    missing = bytes(face.getmask("\U0010fffd"))
    return "".join(character for character in characters if bytes(face.getmask(character)) not in (missing, b""))


def _samples(script: str, fonts: Sequence[Font], latin: Sequence[Path]) -> tuple[Any, Any, Any]:
    """Returns the features, the numbers of the classes and the families of all shapes."""
    drawing, classes = Drawing(_SEED), DIGITS[script] + SIGNS
    found: list[tuple[Any, str, str]] = []
    for font in fonts:
        for _ in range(_NUMBERS[script]):
            found += [(feature, label, font.family) for feature, label in drawing.number(font)]
    for path in latin:
        for _ in range(_LATIN_LINES):
            found += [(feature, "", "Latin") for feature in drawing.latin(path)]
    lists = [words_of(pack) for pack in _PACKS[script]]
    for n in range(_LINES[script]):
        font = fonts[n * 7 % len(fonts)]
        found += [(feature, "", font.family) for feature in drawing.words(lists[n % len(lists)], font.path)]
    features, texts, families = zip(*found, strict=True)
    labels = [classes.index(same) if (same := _SAME.get(text, text)) and same in classes else len(classes) for text in texts]
    return np.array(features, np.float32), np.array(labels), np.array(families)


def words_of(pack: str) -> list[str]:
    """Returns the words of a Tesseract pack without digits."""
    with tempfile.TemporaryDirectory() as folder:
        parts = [f"{folder}/{pack}.{part}" for part in ("lstm-unicharset", "lstm-word-dawg", "words")]
        unpack = ["combine_tessdata", "-u", f"{_DATA}/{pack}.traineddata", f"{folder}/{pack}."]
        subprocess.run(unpack, check=True, capture_output=True)
        subprocess.run(["dawg2wordlist", *parts], check=True, capture_output=True)
        words = Path(parts[-1]).read_text(encoding="utf-8").split()
    return [word for word in words if not any(map(str.isdigit, word))]


if __name__ == "__main__":
    main()
