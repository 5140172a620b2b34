"""The samples match their README, and the script in their folder reproduces them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
BROKEN = SAMPLES / "broken"
TRUTH: dict[str, list[str]] = json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8"))
NAMES = sorted(path.name for path in SAMPLES.glob("*.pdf"))

BORN_DIGITAL = ["devanagari.pdf", "letter.pdf", "table.pdf"]
IMAGE_ONLY = ["blank-and-ticket.pdf", "rotated.pdf", "scan.pdf", "two-columns.pdf"]
MAX_TOTAL_BYTES = 1_500_000


def layers(name: str) -> list[str]:
    with pypdfium2.PdfDocument(SAMPLES / name) as pdf:
        return [page.get_textpage().get_text_range() for page in pdf]


def words(text: str) -> list[str]:
    return unicodedata.normalize("NFC", text).split()


def images_of(page: pikepdf.Page) -> int:
    return sum(isinstance(image, pikepdf.Stream) for image in page.Resources.XObject.values())


def produced(folder: Path) -> dict[str, bytes]:
    paths = [*folder.rglob("*.pdf"), folder / "truth.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_every_sample_has_its_truth_and_nothing_else_has() -> None:
    assert sorted(TRUTH) == NAMES
    assert set(BORN_DIGITAL + IMAGE_ONLY) | {"broken-text-layer.pdf"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_opens_and_has_as_many_pages_as_its_truth(name: str) -> None:
    with pypdfium2.PdfDocument(SAMPLES / name) as pdf:
        assert len(pdf) == len(TRUTH[name])
        for page in pdf:
            assert page.render(scale=0.5).to_numpy().size


@pytest.mark.parametrize("name", BORN_DIGITAL)
def test_a_good_text_layer_equals_the_truth(name: str) -> None:
    for layer, expected in zip(layers(name), TRUTH[name], strict=True):
        assert Counter(words(layer)) == Counter(words(expected))


def test_the_devanagari_layer_keeps_code_points_and_their_order() -> None:
    for layer, expected in zip(layers("devanagari.pdf"), TRUTH["devanagari.pdf"], strict=True):
        assert expected == unicodedata.normalize("NFC", expected)
        assert layer.split() == expected.split()


def test_the_devanagari_sample_brings_its_fonts_along() -> None:
    with pikepdf.open(SAMPLES / "devanagari.pdf") as pdf:
        for font in pdf.pages[0].Resources.Font.values():
            assert len(font.DescendantFonts[0].FontDescriptor.FontFile2.read_bytes()) > 1000


@pytest.mark.parametrize("name", IMAGE_ONLY)
def test_an_image_only_sample_has_no_text_layer_and_one_gray_jpeg_a_page(name: str) -> None:
    assert layers(name) == [""] * len(TRUTH[name])
    with pikepdf.open(SAMPLES / name) as pdf:
        for page in pdf.pages:
            (image,) = page.Resources.XObject.values()
            assert (image.Filter, image.ColorSpace) == (pikepdf.Name.DCTDecode, pikepdf.Name.DeviceGray)


def test_the_broken_layer_has_hundreds_of_characters_and_no_word_of_the_page() -> None:
    (layer,) = layers("broken-text-layer.pdf")
    (expected,) = TRUTH["broken-text-layer.pdf"]
    assert len(layer) > 300
    long_words = {word for word in words(expected) if len(word) > 3}
    assert not long_words & set(words(layer))


def test_the_broken_layer_is_invisible() -> None:
    with pikepdf.open(SAMPLES / "broken-text-layer.pdf") as pdf:
        instructions = pikepdf.parse_content_stream(pdf.pages[0])
    modes = [[int(operand) for operand in operands] for operands, operator in instructions if str(operator) == "Tr"]
    texts = [operator for _, operator in instructions if str(operator) == "Tj"]
    assert modes == [[3]] * len(texts)


def test_only_the_last_rotated_page_says_that_it_is_turned() -> None:
    with pypdfium2.PdfDocument(SAMPLES / "rotated.pdf") as pdf:
        assert [page.get_rotation() for page in pdf] == [0, 0, 0, 90]
        upright = [height > width for width, height in (page.get_size() for page in pdf)]
    assert upright == [False, True, False, True]


def test_the_blank_page_is_noisy_and_the_ticket_is_two_by_three_inches() -> None:
    assert TRUTH["blank-and-ticket.pdf"][0] == ""
    with pypdfium2.PdfDocument(SAMPLES / "blank-and-ticket.pdf") as pdf:
        pixels = pdf[0].render(scale=1).to_numpy()
        assert pixels.std() > 1
        assert pdf[1].get_size() == pytest.approx((144, 216), abs=0.5)


def test_truths_hold_no_soft_hyphens() -> None:
    assert not any("\u00ad" in page for pages in TRUTH.values() for page in pages)


def test_the_encrypted_file_opens_with_its_password_only() -> None:
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(BROKEN / "encrypted.pdf")
    with pytest.raises(pypdfium2.PdfiumError, match="password"):
        pypdfium2.PdfDocument(BROKEN / "encrypted.pdf")
    with pypdfium2.PdfDocument(BROKEN / "encrypted.pdf", password="willow") as pdf:
        assert "How the days could look" in pdf[0].get_textpage().get_text_range()


def test_the_cut_off_file_starts_like_a_pdf_and_has_lost_content() -> None:
    content = (BROKEN / "cut-off.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert b"%%EOF" not in content
    with pytest.raises(pypdfium2.PdfiumError, match="format"):
        pypdfium2.PdfDocument(BROKEN / "cut-off.pdf")
    with pikepdf.open(BROKEN / "cut-off.pdf") as repaired:  # qpdf guesses the missing parts; the images show the losses
        assert repaired.get_warnings()
        assert [images_of(page) for page in repaired.pages] == [1, 1, 0]


def test_the_file_that_is_not_a_pdf_is_an_error_page() -> None:
    assert b"502 Bad Gateway" in (BROKEN / "not-a-pdf.pdf").read_bytes()
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(BROKEN / "not-a-pdf.pdf")
    with pytest.raises(pikepdf.PdfError):
        pikepdf.open(BROKEN / "not-a-pdf.pdf")


def test_the_samples_stay_small() -> None:
    assert sum(len(content) for content in produced(SAMPLES).values()) < MAX_TOTAL_BYTES


def test_the_script_makes_the_same_bytes_again(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "7"}
    command = [sys.executable, str(SAMPLES / "make_samples.py"), str(tmp_path)]
    subprocess.run(command, check=True, env=environment, timeout=120)
    made, kept = produced(tmp_path), produced(SAMPLES)
    assert sorted(made) == sorted(kept)
    assert [name for name in kept if made[name] != kept[name]] == []
