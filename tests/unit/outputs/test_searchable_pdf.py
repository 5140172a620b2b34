from __future__ import annotations

import io
from dataclasses import replace
from statistics import mean

import numpy as np
import pikepdf
import pypdfium2
import pytest
from PIL import Image

from rayocr.ledger.boxes import pack_boxes, unpack_boxes
from rayocr.messages import Attempt, TextBox
from rayocr.outputs.searchable.lines import detect_lines, in_reading_order, lay_in_order, plain_lines
from rayocr.pdf.document import PdfFile
from tests.unit.outputs.clean_pages import clean_pdf, pages_of
from tests.unit.outputs.searchable_pages import record, scan, searchable_pdf, words_of
from tests.unit.outputs.test_clean_pdf import SCRIPTS
from tests.unit.pdf import pdfs
from tests.unit.pdf.form_pages import drawn_text, form_page, rect


def pixels(pdf: bytes) -> list[np.ndarray]:  # type: ignore[type-arg]
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=1.5).to_numpy().copy() for page in document]


def paragraph(script: str) -> bytes:
    return clean_pdf([" ".join([SCRIPTS[script]] * 4)])[0]


@pytest.mark.parametrize("script", ["latin", "greek", "cyrillic", "devanagari", "hebrew", "chinese"])
def test_words_can_be_selected_where_they_stand_and_the_page_looks_as_before(script: str) -> None:
    made = scan(paragraph(script))
    data, notes = searchable_pdf(made.pdf, record("text", made.boxes))
    assert not notes
    for before, after in zip(pixels(made.pdf), pixels(data), strict=True):
        assert np.array_equal(before, after)
    found = words_of(data)
    if script != "hebrew":  # PDF readers reverse the words of a right-to-left line
        assert [word.text for word in found] == [word.text for word in made.words]
        assert mean(word.iou(other.box) for word, other in zip(made.words, found, strict=True)) > 0.6
    assert sorted("".join(w.text for w in found)) == sorted("".join(w.text for w in made.words))


@pytest.mark.parametrize(("turns", "skew"), [(1, 0.0), (2, 0.0), (3, 0.0), (0, 4.0), (0, -3.0), (1, 2.0)])
def test_words_of_turned_and_skewed_pages_lie_in_place(turns: int, skew: float) -> None:
    made = scan(paragraph("latin"), turns=turns, skew_deg=skew)
    data, _ = searchable_pdf(made.pdf, record("text", made.boxes))
    by_text: dict[str, list[tuple[float, float, float, float]]] = {}
    for word in words_of(data):
        by_text.setdefault(word.text, []).append(word.box)
    best = [max((word.iou(box) for box in by_text.get(word.text, [])), default=0.0) for word in made.words]
    assert mean(best) > (0.55 if not skew else 0.4)


def test_a_page_that_is_turned_by_the_file_gets_its_text_in_place() -> None:
    made = scan(paragraph("latin"), turns=3)
    with pikepdf.open(io.BytesIO(made.pdf)) as pdf:
        pdf.pages[0].Rotate = 90
        turned = io.BytesIO()
        pdf.save(turned)
    upright = scan(paragraph("latin"))
    data, _ = searchable_pdf(turned.getvalue(), record("text", upright.boxes))
    assert pages_of(data)[0].split() == [word.text for word in upright.words]


def test_without_boxes_the_text_is_laid_over_the_lines_found() -> None:
    made = scan(paragraph("latin"))
    data, notes = searchable_pdf(made.pdf, record("# " + " ".join(w.text for w in made.words), engine="gemini"))
    assert notes == ("On page 1, the text is laid over lines detected in the picture.",)
    found = words_of(data)
    assert [word.text for word in found] == [word.text for word in made.words]
    same_line = [abs(a.box[1] - b.box[1]) < 8 for a, b in zip(made.words, found, strict=True)]
    assert mean(same_line) > 0.8


@pytest.mark.parametrize("script", ["greek", "cyrillic", "devanagari", "hebrew", "chinese"])
def test_lines_are_found_whatever_the_script_and_however_close_they_stand(script: str) -> None:
    made = scan(paragraph(script))
    data, notes = searchable_pdf(made.pdf, record(" ".join(w.text for w in made.words), engine="gemini"))
    assert notes == ("On page 1, the text is laid over lines detected in the picture.",)
    by_letters: dict[str, list[float]] = {}
    for word in words_of(data):
        by_letters.setdefault("".join(sorted(word.text)), []).append((word.box[1] + word.box[3]) / 2)
    in_line = [
        any(word.box[1] - 3 < middle < word.box[3] + 3 for middle in by_letters["".join(sorted(word.text))])
        for word in made.words
    ]
    assert mean(in_line) > 0.75


def test_text_that_cannot_be_that_of_the_lines_found_is_laid_in_reading_order_and_said_so() -> None:
    made = scan(paragraph("latin"))
    data, notes = searchable_pdf(made.pdf, record("Two words", engine="gemini"))
    assert notes == ("On page 1, the text is in reading order, but not at its position.",)
    assert pages_of(data) == ["Two words"]


def test_columns_are_read_one_after_the_other() -> None:
    boxes = [
        TextBox(
            text=f"{'left' if x < 300 else 'right'} {y} of a column that is full of words",
            x0=x,
            y0=100 + 15 * y,
            x1=x + 220,
            y1=111 + 15 * y,
        )
        for y in range(20)
        for x in (50, 330)
    ]
    ordered = [" ".join(box.text.split()[:2]) for box in in_reading_order(boxes, 600, 800)]
    assert ordered == [f"left {y}" for y in range(20)] + [f"right {y}" for y in range(20)]


def test_pages_that_can_be_searched_already_stay_as_they_are() -> None:
    born_digital = clean_pdf(["A page with words of its own. " * 10])[0]
    data, notes = searchable_pdf(born_digital, record("something else", engine="gemini"))
    assert pages_of(data) == pages_of(born_digital)
    assert not notes


def test_a_page_without_text_gets_none() -> None:
    made = scan(paragraph("latin"))
    data, notes = searchable_pdf(made.pdf, record(""))
    assert (pages_of(data), notes) == ([""], ())


def test_a_signed_file_is_left_as_it_is_to_the_byte() -> None:
    made = scan(paragraph("latin"))
    with pikepdf.open(io.BytesIO(made.pdf)) as pdf:
        field = pdf.make_indirect(pikepdf.Dictionary(FT=pikepdf.Name.Sig, T="s", V=pikepdf.Dictionary(Type=pikepdf.Name.Sig)))
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[field], SigFlags=3)
        signed = io.BytesIO()
        pdf.save(signed)
    data, notes = searchable_pdf(signed.getvalue(), record("text", made.boxes))
    assert data == signed.getvalue()
    assert "signed" in notes[0]


def test_a_file_that_opens_without_a_password_keeps_its_restrictions() -> None:
    made = scan(paragraph("latin"))
    with pikepdf.open(io.BytesIO(made.pdf)) as pdf:
        locked = io.BytesIO()
        pdf.save(locked, encryption=pikepdf.Encryption(owner="secret", allow=pikepdf.Permissions(print_highres=False)))
    data, _ = searchable_pdf(locked.getvalue(), record("text", made.boxes))
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert pdf.is_encrypted
        assert not pdf.allow.print_highres
    assert pages_of(data)[0].split() == [word.text for word in made.words]


def test_in_a_tagged_file_the_text_is_not_part_of_the_structure() -> None:
    made = scan(paragraph("latin"))
    with pikepdf.open(io.BytesIO(made.pdf)) as pdf:
        pdf.Root.StructTreeRoot = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.StructTreeRoot))
        tagged = io.BytesIO()
        pdf.save(tagged)
    data, _ = searchable_pdf(tagged.getvalue(), record("text", made.boxes))
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert pdf.pages[0].Contents[0].read_bytes().startswith(b"/Artifact BMC")


@pytest.mark.parametrize("kind", [pikepdf.PdfError, pikepdf.PasswordError])
def test_what_pikepdf_cannot_open_is_left_as_it_is(kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    made = scan(paragraph("latin"))

    def refuse(*_: object) -> None:
        raise kind("xref is broken")

    monkeypatch.setattr(pikepdf, "open", refuse)
    data, notes = searchable_pdf(made.pdf, record("text", made.boxes))
    assert data == made.pdf
    assert "xref is broken" in notes[0]


def test_characters_beyond_the_first_plane_come_back() -> None:
    made = scan(paragraph("latin"))
    box = TextBox(text="smile 😀 end", x0=50, y0=50, x1=300, y1=65)
    assert pages_of(searchable_pdf(made.pdf, record("x", [box]))[0]) == ["smile 😀 end"]


def test_boxes_come_back_from_their_packed_form() -> None:
    boxes = (
        TextBox(text="a line\nwith breaks", x0=1.04, y0=2, x1=300.16, y1=12, angle_deg=91.5),
        TextBox(text="b", x0=-1, y0=0, x1=1, y1=1),
    )
    first, second = unpack_boxes(pack_boxes(boxes))
    assert (first.text, first.x1, first.angle_deg) == ("a line with breaks", 300.2, 91.5)
    assert second.x0 == -1
    assert unpack_boxes("nonsense\n1 2 3\n") == ()


def test_marks_of_markdown_are_not_text() -> None:
    markdown = "# Title\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\n- item *one*\n> said <b>so</b>\n\n2 * 3 = 6 snake_case"
    assert plain_lines(markdown) == ["Title", "a b", "1 2", "item one", "said so", "2 * 3 = 6 snake_case"]


def test_lines_in_order_stay_on_the_page() -> None:
    boxes = lay_in_order(["word " * 3000], 300, 400)
    assert all(0 <= box.x0 < box.x1 <= 300 and 0 <= box.y0 < box.y1 <= 400 for box in boxes)


def test_lines_are_found_in_reading_order() -> None:
    made = scan(paragraph("latin"))
    with pypdfium2.PdfDocument(made.pdf) as document:
        lines = detect_lines(document[0].render(scale=100 / 72).to_pil(), 100 / 72)
    assert len(lines) == len(made.boxes)
    assert [line.y0 for line in lines] == sorted(line.y0 for line in lines)


def test_values_of_fields_without_an_appearance_can_be_found_and_the_page_looks_as_before() -> None:
    fields = [
        f"/FT /Tx /T (a) /V (Ottoline Marsh) {rect(0)}",
        f"/FT /Tx /T (b) /V (Port Evelyn) {rect(1)} /AP << /N 40 0 R >>",
        f"/FT /Tx /T (pin) /Ff 8192 /V (secret99) {rect(2)}",
        f"/FT /Tx /T (c) /F 2 /V (unseen) {rect(3)}",
        f"/FT /Tx /T (d) /DA (/F1 12 Tf 1 g) /V (unseen) {rect(4)}",
    ]
    source = form_page(fields, appearances={40: drawn_text("Port Evelyn")}, form_entries="/NeedAppearances true")
    made, notes = searchable_pdf(source, record("A form", engine="textlayer"))
    text = " ".join(word.text for word in words_of(made))
    assert "Ottoline Marsh" in text
    assert "Port" not in text and "secret" not in text and "unseen" not in text, "they have an appearance, or are not shown"
    assert notes == ()
    assert np.array_equal(pixels(made)[0], pixels(source)[0])


def old_scan(before: bytes = b"", *, times: int = 1) -> bytes:
    """A scan with an old OCR layer that has a wrong number. `before`: what the page draws before the layer. `times`: how often it
    has its lines; more than a few words can be trusted."""
    lines = ("Minutes of the committee", "The fee was raised to 47.50 per week.", "The balance stands at 6,183.07 today.") * times
    shown = b"BT /F1 14 Tf 57 700 Td " + b"".join(b"(%s) Tj 0 -25 Td " % line.encode() for line in lines) + b"ET"
    data = io.BytesIO()
    PdfFile(pdfs.pages_of(content=shown), max_pixels=10_000_000).page(1).render(dpi=150).image.save(data, "JPEG", quality=85)
    start = b"q 595 0 0 842 0 0 cm /Im Do Q " + before + b" BT 3 Tr"
    hidden = shown.replace(b"BT", start).replace(b"47.50", b"41.50")
    with pikepdf.open(io.BytesIO(pdfs.pages_of(content=hidden))) as pdf:
        width, height = Image.open(data).size
        facts = {"Width": width, "Height": height, "ColorSpace": pikepdf.Name.DeviceRGB, "BitsPerComponent": 8}
        picture = pikepdf.Stream(pdf, data.getvalue(), Subtype=pikepdf.Name.Image, Filter=pikepdf.Name.DCTDecode, **facts)
        pdf.pages[0].add_resource(picture, pikepdf.Name.XObject, name=pikepdf.Name.Im)
        old = io.BytesIO()
        pdf.save(old)
    return old.getvalue()


def layered_scan(before: bytes = b"", *, times: int = 1, rejected: bool = False) -> tuple[bytes, tuple[str, ...]]:
    """The output for such a scan."""
    old = old_scan(before, times=times)
    boxes = [TextBox(text="fee was raised to 47.50", x0=57, y0=105, x1=300, y1=122)]
    attempts = (Attempt(engine="textlayer", reason="NoTextLayer"),) if rejected else ()
    made, notes = searchable_pdf(old, replace(record("text", boxes), attempts=attempts))
    assert np.array_equal(pixels(made)[0], pixels(old)[0])
    return made, notes


@pytest.mark.parametrize(("times", "rejected"), [(1, False), (6, True)])
def test_an_old_layer_over_a_scan_that_is_not_used_is_replaced(times: int, rejected: bool) -> None:
    made, notes = layered_scan(times=times, rejected=rejected)
    assert "41.50" not in pages_of(made)[0] and "47.50" in pages_of(made)[0]
    assert notes == ()


def test_a_corrected_page_whose_old_layer_was_replaced_before_gets_no_note() -> None:
    made, _ = layered_scan()
    corrected = record("text", [TextBox(text="fee was raised to 49.50", x0=57, y0=105, x1=300, y1=122)])
    again, notes = searchable_pdf(old_scan(), corrected, written=made)
    text = pages_of(again)[0]
    assert "49.50" in text and "47.50" not in text and "41.50" not in text
    assert notes == ()


def test_a_trusted_layer_over_a_scan_stays() -> None:
    made, notes = layered_scan(times=6)
    assert pages_of(made)[0].count("41.50") == 6 and "47.50" not in pages_of(made)[0]
    assert notes == ()


def test_text_that_stays_beside_the_new_text_is_noted() -> None:
    made, notes = layered_scan(b"BT /F1 14 Tf 57 300 Td (A printed stamp) Tj ET")
    assert "A printed stamp" in pages_of(made)[0]
    assert "41.50" not in pages_of(made)[0] and "47.50" in pages_of(made)[0]
    assert len(notes) == 1 and "the text layer of the source is kept, too" in notes[0]
