"""Form fields are read as viewers show them, wherever their values and states come from."""

from __future__ import annotations

import pytest

from rayocr.pdf.cut.page_document import media_type, page_document
from rayocr.pdf.document import PdfFile
from tests.unit.pdf.form_pages import drawn_text, form_page, rect
from tests.unit.pdf.pdfs import HELLO, file_of, reindexed, stream

NEEDED = "/NeedAppearances true"


def lines(data: bytes) -> list[str]:
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        found = sorted(page.text_layer().lines, key=lambda line: (round(line.y0), line.x0))
        return [line.text for line in found if not line.text.startswith("Hello")]


def is_drawn(data: bytes, row: int) -> bool:
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        image = page.thumbnail(72)
        y = 842 - (640 - 40 * row) - 20
        return image.crop((100, y, 300, y + 20)).getextrema()[0] < 128


def test_a_value_without_an_appearance_is_drawn_and_read() -> None:
    for entries in ("", NEEDED):
        data = form_page([f"/FT /Tx /T (name) /V (Ottoline Marsh) {rect(0)}"], form_entries=entries)
        assert lines(data) == ["Ottoline Marsh"]
        assert is_drawn(data, 0)


def test_an_outdated_appearance_is_drawn_anew_where_the_form_asks_for_it_and_else_read_as_viewers_show_it() -> None:
    field = f"/FT /Tx /T (name) /V (New value) {rect(0)} /AP << /N 40 0 R >>"
    assert lines(form_page([field], appearances={40: drawn_text("Old value")}, form_entries=NEEDED)) == ["New value"]
    assert lines(form_page([field], appearances={40: drawn_text("Old value")})) == ["Old value"]


@pytest.mark.parametrize("empty", [b"", b"/Tx BMC EMC", b"1 g 0 0 100 20 re f"])
def test_a_value_whose_appearance_is_empty_is_read_with_a_doubt(empty: bytes) -> None:
    field = f"/FT /Tx /T (name) /V (Ottoline Marsh) {rect(0)} /AP << /N 40 0 R >>"
    data = form_page([field], appearances={40: empty})
    assert lines(data) == ["Ottoline Marsh"]
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        assert page.text_layer().hides_text
    data = form_page([field], appearances={40: empty}, form_entries=NEEDED)
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        assert "Ottoline Marsh" in page.text_layer().text and not page.text_layer().hides_text


@pytest.mark.parametrize("more", [b"", b" BT /F1 12 Tf 3 Tr 72 400 Td (More hidden orders) Tj ET"])
@pytest.mark.parametrize("drawn", ["", "/AP << /N 40 0 R >>"])
def test_a_value_in_white_is_not_read(drawn: str, more: bytes) -> None:
    field = f"/FT /Tx /T (name) /DA (/F1 12 Tf 1 g) /V (Hidden orders to a model) {rect(0)} {drawn}"
    data = form_page([field], appearances={40: b"1 g " + drawn_text("Hidden orders to a model")}, content=HELLO + more)
    assert lines(data) == []
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        assert page.text_layer().hides_text
        assert media_type(page_document(page)) == "image/jpeg"


def test_a_comb_is_one_number() -> None:
    assert lines(form_page([f"/FT /Tx /T (date) /Ff 16777216 /MaxLen 8 /V (20261126) {rect(0)}"])) == ["20261126"]


def test_several_lines_stay_lines() -> None:
    data = form_page([f"/FT /Tx /T (where) /Ff 4096 /V (31 Signal Street\\rPort Evelyn) {rect(0, height=36)}"])
    assert lines(data) == ["31 Signal Street", "Port Evelyn"]


def test_of_choices_the_chosen_ones_are_read() -> None:
    fields = [
        f"/FT /Ch /Ff 131072 /T (combo) /Opt [(One) (Two)] /V (Two) {rect(0)}",
        f"/FT /Ch /T (list) /Opt [(Red) (Green) (Blue)] /V (Green) /I [1] {rect(1)}",
        f"/FT /Ch /Ff 2097152 /T (many) /Opt [[(r) (Red)] [(g) (Green)] [(b) (Blue)]] /V [(r) (b)] {rect(2)}",
    ]
    assert lines(form_page(fields)) == ["Two", "Green", "Red, Blue"]


def test_rich_text_is_read_as_text() -> None:
    rich = "/RV (<body><p>Paid in <b>full</b> &amp; filed</p></body>)"
    assert lines(form_page([f"/FT /Tx /Ff 33554432 /T (a) /V (Paid in full) {rich} {rect(0)}"])) == ["Paid in full"]
    [only] = lines(form_page([f"/FT /Tx /Ff 33554432 /T (a) {rich} {rect(0)}"]))
    assert " ".join(only.split()) == "Paid in full & filed"


def test_a_value_that_pdfium_has_no_glyphs_for_is_read_from_the_field() -> None:
    assert lines(form_page([f"/FT /Tx /T (a) /V <FEFF0939093F0928094D09260940> {rect(0)}"])) == ["हिन्दी"]


@pytest.mark.parametrize("flags", [1, 2, 32, 34])
def test_fields_that_viewers_do_not_show_are_not_read(flags: int) -> None:
    data = form_page([f"/FT /Tx /T (a) /F {flags} /V (unseen) {rect(0)}", f"/FT /Btn /T (b) /F {flags} /AS /Yes {rect(1)}"])
    assert lines(data) == []
    assert not is_drawn(data, 0)


def test_a_field_that_is_not_printed_is_read_since_it_is_seen() -> None:
    assert lines(form_page([f"/FT /Tx /T (a) /F 0 /V (on the screen) {rect(0)}"])) == ["on the screen"]


def test_passwords_are_never_read() -> None:
    fields = [
        f"/FT /Tx /T (pin) /Ff 8192 /V (secret99) {rect(0)}",
        f"/FT /Tx /T (pin2) /Ff 8192 /V (secret77) {rect(1)} /AP << /N 40 0 R >>",
    ]
    for entries in ("", NEEDED):
        read = lines(form_page(fields, appearances={40: drawn_text("secret77")}, form_entries=entries))
        assert set("".join(read)) <= {"*"}


TICKS = {
    "a sign of ZapfDingbats": b"q BT /ZaDb 16 Tf 2 4 Td (4) Tj ET Q",
    "another sign of ZapfDingbats": b"q BT /ZaDb 16 Tf 2 4 Td (8) Tj ET Q",
    "a letter": b"q BT /F1 16 Tf 2 4 Td (X) Tj ET Q",
    "two strokes": b"q 2 w 10 10 m 40 5 l 90 18 l S Q",
    "a filled square": b"q 10 4 80 12 re f Q",
    "nothing": b"",
}


@pytest.mark.parametrize("tick", TICKS.values(), ids=TICKS.keys())
def test_check_boxes_report_whether_they_are_ticked_and_leave_no_glyph(tick: bytes) -> None:
    box = "/FT /Btn {value} {where} /AP << /N << /Yes 40 0 R /Off 41 0 R >> >>"
    fields = [
        box.format(value=f"/T (box{row}) /V /{state} /AS /{state}", where=rect(row, width=20))
        for row, state in enumerate(("Yes", "Off", "Yes"))
    ]
    data = form_page(fields, appearances={40: tick, 41: b"q 0 0 100 20 re S Q"})
    assert lines(data) == ["[x]", "[ ]", "[x]"]


def test_of_radio_buttons_one_is_chosen() -> None:
    """They share a parent that holds the value; the widgets have no field type."""
    appearances = "/AP << /N << /{state} 40 0 R /Off 41 0 R >> >>"
    kids = " ".join(f"{10 + n} 0 R" for n in range(3))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [7 0 R] >> >>",
        2: b"<< /Type /Pages /Kids [6 0 R] /Count 1 >>",
        6: f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Annots [{kids}] >>".encode(),
        7: f"<< /FT /Btn /Ff 49152 /T (size) /V /b /Kids [{kids}] >>".encode(),
        40: stream(b"q 0 0 100 20 re f Q", "/Subtype /Form /BBox [0 0 100 20]"),
        41: stream(b"", "/Subtype /Form /BBox [0 0 100 20]"),
    }
    for n, state in enumerate("abc"):
        chosen = state if state == "b" else "Off"
        own = f"/AS /{chosen} {rect(n, width=20)} {appearances.format(state=state)}"
        objects[10 + n] = f"<< /Subtype /Widget /Parent 7 0 R /F 4 {own} >>".encode()
    assert lines(file_of(objects)) == ["[ ]", "[x]", "[ ]"]


def test_widgets_that_no_form_names_are_read_by_their_appearance() -> None:
    fields = [
        f"/FT /Tx /T (a) /V (Ottoline) {rect(0)} /AP << /N 40 0 R >>",
        f"/FT /Btn /T (b) /AS /Yes {rect(1, width=20)} /AP << /N << /Yes 41 0 R >> >>",
        f"/FT /Btn /T (c) /AS /Off {rect(2, width=20)} /AP << /N << /Yes 41 0 R >> >>",
    ]
    data = form_page(fields, appearances={40: drawn_text("Ottoline"), 41: drawn_text("4", "ZaDb")})
    orphans = data.replace(b"/AcroForm", b"/Xcr0Form")
    assert lines(orphans) == ["Ottoline", "[x]", "[ ]"]
    assert is_drawn(orphans, 0) and is_drawn(orphans, 1), "PDFium leaves them out"


def test_what_a_signature_shows_is_read() -> None:
    data = form_page([f"/FT /Sig /T (s) {rect(0)} /AP << /N 40 0 R >>"], appearances={40: drawn_text("Signed by O. Marsh")})
    assert lines(data) == ["Signed by O. Marsh"]


def test_a_box_stands_beside_its_label_on_a_page_that_lies_on_its_side() -> None:
    data = form_page([f"/FT /Btn /T (b) /V /Yes /AS /Yes {rect(0, width=20)}"], page_entries="/Rotate 90", content=HELLO)
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        [field] = page.fields
        layer = page.text_layer()
        assert layer.turns == 3
        [mark] = [line for line in layer.lines if line.text == "[x]"]
    assert field.box == pytest.approx((640, 100, 660, 120), abs=0.5)
    assert (mark.x0, (mark.y0 + mark.y1) / 2) == pytest.approx((100, 842 - 650), abs=1)


def test_values_are_read_where_the_crop_box_exceeds_the_page() -> None:
    field = f"/FT /Tx /T (name) /V (Ottoline Marsh) {rect(0)}"
    data = form_page([field], form_entries=NEEDED, page_entries="/CropBox [40 300 700 900]")
    data = reindexed(data.replace(b"/MediaBox [0 0 595 842]", b"/MediaBox [60 50 595 842]"))
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        assert page.text_layer().verdict.trusted
        assert page.text_layer().text.split("\n") == ["Hello, this is a page of text", "Ottoline Marsh"]
        assert media_type(page_document(page)) == "application/pdf"
