from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, tzinfo
from typing import Any

import pikepdf
import pypdfium2
import pytest

from rayocr.config import CleanPdfConfig
from rayocr.errors import TypesettingFailed
from rayocr.outputs.clean_pdf import CleanPdfOutput, _typesetter
from rayocr.outputs.typeset.markup import typeset_markdown
from rayocr.outputs.typeset.typesetter import Typesetter
from rayocr.pdf.document import PdfFile
from tests.unit.outputs.clean_pages import character_error_rate, clean_pdf, document_context, pages_of, sizes_of

SCRIPTS = {
    "latin": "Zażółć gęślą jaźń; Fähre über die Straße, façade, garçon, naïve: efficient offices flow. Tiếng Việt rất đẹp.",
    "greek": "Ξεσκεπάζω τὴν ψυχοφθόρα βδελυγμία. Η γρήγορη αλεπού πηδάει πάνω από τον τεμπέλη σκύλο.",
    "cyrillic": "Съешь же ещё этих мягких французских булок, да выпей чаю. Їжак, ґава і щастя.",
    "devanagari": "मराठी भाषा महाराष्ट्रात बोलली जाते. विद्यार्थ्यांनी ज्ञान श्रीमंत कर्तृत्व रुपये हिंदी में लिखा हुआ पाठ, अंतर्राष्ट्रीय स्थिति की।",
    "arabic": "بسم الله الرحمن الرحيم هذه وثيقة رسمية صادرة عن وزارة المالية وتتضمن جدول المبالغ المستحقة لأن العمل انتهى",
    "hebrew": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם כולם חוננו בתבונה ובמצפון",
    "chinese": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
    "japanese": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "korean": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "bengali": "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে।",
    "tamil": "மனிதப் பிறிவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்.",
}

PATIENCE_S = 300


@pytest.mark.parametrize("script", ["latin", "greek", "cyrillic", "devanagari"])
def test_text_comes_back_without_an_error(script: str) -> None:
    expected = SCRIPTS[script]
    data, notes = clean_pdf([expected, f"# {expected}\n\n**{expected}**"])
    plain, styled = pages_of(data)
    assert character_error_rate(expected, plain) == 0
    assert character_error_rate(f"{expected} {expected}", styled) == 0
    assert not notes


@pytest.mark.parametrize("script", ["arabic", "hebrew", "chinese", "japanese", "korean"])
def test_text_of_other_scripts_comes_back_nearly_without_an_error(script: str) -> None:
    expected = SCRIPTS[script]
    data, notes = clean_pdf([expected])
    assert character_error_rate(expected.replace(" ", ""), pages_of(data)[0].replace(" ", "")) <= 0.01
    assert not notes


@pytest.mark.parametrize("script", ["bengali", "tamil"])
def test_other_indic_scripts_have_fonts(script: str) -> None:
    data, notes = clean_pdf([SCRIPTS[script]])
    assert character_error_rate(SCRIPTS[script], pages_of(data)[0]) <= 0.02
    assert not notes


def test_a_page_of_the_output_has_the_size_of_its_source_page() -> None:
    source = pypdfium2.PdfDocument.new()
    for size in ((595, 842), (842, 595), (300, 400)):
        source.new_page(*size)
    source[2].set_rotation(90)
    data = io.BytesIO()
    source.save(data)
    source.close()
    with PdfFile(data.getvalue(), max_pixels=10**6) as file:
        made, notes = clean_pdf(["one", "two", "three"], source=file)
    assert sizes_of(made) == [pytest.approx(size, abs=0.1) for size in ((595, 842), (842, 595), (400, 300))]
    assert not notes


def test_absurd_sizes_become_sensible_ones() -> None:
    source = pypdfium2.PdfDocument.new()
    for size in ((7.2, 7.2), (14400, 14400), (14000, 3)):
        source.new_page(*size)
    data = io.BytesIO()
    source.save(data)
    source.close()
    with PdfFile(data.getvalue(), max_pixels=10**6) as file:
        made, notes = clean_pdf(["one", "two", "three"], source=file)
    assert sizes_of(made) == [pytest.approx(size, abs=0.5) for size in ((144, 144), (3370, 3370), (3370, 168.5))]
    assert notes == ("Another size than in the source, so that the text fits and is legible: pages 1-3.",)


def test_a_page_that_is_longer_than_its_source_is_named() -> None:
    with pypdfium2.PdfDocument.new() as source:
        for _ in range(2):
            source.new_page(595, 842)
        data = io.BytesIO()
        source.save(data)
    with PdfFile(data.getvalue(), max_pixels=10**6) as file:
        made, notes = clean_pdf(["one", "word " * 15_000], source=file)
    assert sizes_of(made)[1][1] > 1000
    assert notes == ("Another size than in the source, so that the text fits and is legible: page 2.",)


def test_too_much_text_makes_the_letters_smaller_and_then_the_page_longer() -> None:
    short, dense, endless = "word " * 100, "word " * 1500, "word " * 15_000
    data, _ = clean_pdf([short, dense, endless])
    heights = [height for _, height in sizes_of(data)]
    assert heights[:2] == pytest.approx([841.89, 841.89], abs=0.1)
    assert heights[2] > 1000
    assert [page.count("word") for page in pages_of(data)] == [100, 1500, 15_000]


def test_a_failed_page_carries_its_reason_and_on_request_its_picture() -> None:
    source = pypdfium2.PdfDocument.new()
    source.new_page(595, 842)
    source.new_page(595, 842)
    data = io.BytesIO()
    source.save(data)
    source.close()
    with PdfFile(data.getvalue(), max_pixels=10**6) as file:
        bare, _ = clean_pdf(["", "fine"], source=file, failed={1: "Refused"})
        with_picture, _ = clean_pdf(["", "fine"], source=file, failed={1: "Refused"}, config=CleanPdfConfig(page_image=True))
    assert pages_of(bare) == pages_of(with_picture) == ["Page 1 could not be read (Refused).", "fine"]
    with pikepdf.open(io.BytesIO(bare)) as plain, pikepdf.open(io.BytesIO(with_picture)) as pictured:
        assert not plain.pages[0].get_images()
        assert len(pictured.pages[0].get_images()) == 1


def test_a_blank_page_keeps_its_place() -> None:
    data, _ = clean_pdf(["one", "", "three"])
    assert pages_of(data) == ["one", "", "three"]


def test_characters_without_a_font_are_replaced_and_reported() -> None:
    data, notes = clean_pdf(["plain", "a \U0003fffd b"])  # unassigned: no installed font can contain it
    assert pages_of(data)[1] == "a \ufffd b"
    assert len(notes) == 1
    assert "U+3FFFD" in notes[0]
    assert "page 2" in notes[0]


def test_pages_that_cannot_be_laid_out_are_set_as_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = Typesetter.compile

    def refuse_headings(self: Typesetter, program: str, **options: object) -> bytes:
        if "heading(level:1,{" in program:
            raise TypesettingFailed("as the test wants it")
        return compiled(self, program, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Typesetter, "compile", refuse_headings)
    data, notes = clean_pdf(["fine", "# Heading", "also fine"])
    assert pages_of(data) == ["fine", "# Heading", "also fine"]
    assert notes == ("The layout failed on page 2: typeset as plain lines.",)


def test_a_typesetter_that_hangs_or_dies_costs_a_page_and_not_the_document() -> None:
    typesetter = Typesetter(timeout_s=1)
    try:
        with pytest.raises(TypesettingFailed, match="within 1 s"):
            typesetter.compile("#" + "for a in range(9999) {" * 6 + "}" * 6)
        typesetter._timeout_s = PATIENCE_S  # the rest must finish on a busy machine, too
        assert typesetter.compile("alive").startswith(b"%PDF")
        process = typesetter._process
        assert process is not None
        process.kill()
        with pytest.raises(TypesettingFailed, match="exited"):
            typesetter.compile("too late")
        assert typesetter.compile("alive again").startswith(b"%PDF")
    finally:
        typesetter.close()


def test_the_file_says_what_it_is() -> None:
    source = pypdfium2.PdfDocument.new()
    for _ in range(3):
        source.new_page(200, 200)
    plain = io.BytesIO()
    source.save(plain)
    source.close()
    labelled = io.BytesIO()
    with pikepdf.open(plain) as pdf:
        pdf.Root.PageLabels = pikepdf.Dictionary(
            Nums=pikepdf.Array([0, pikepdf.Dictionary(S=pikepdf.Name("/r")), 2, pikepdf.Dictionary(S=pikepdf.Name("/D"))])
        )
        pdf.save(labelled)
    with PdfFile(labelled.getvalue(), max_pixels=10**6) as file:
        data, _ = clean_pdf(["a", "b", "c"], source=file)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert str(pdf.docinfo["/Title"]) == "A title"
        with pdf.open_metadata() as metadata:
            assert metadata["dc:title"] == "A title"
            assert metadata["dc:source"] == "file:///in/sub/a.pdf"
        assert [page.label for page in pdf.pages] == ["i", "ii", "1"]


def test_files_of_the_same_text_differ_only_in_their_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[bytes] = []
    compile_part = Typesetter.compile

    def compile_and_keep(self: Typesetter, program: str, **options: Any) -> bytes:
        parts.append(compile_part(self, program, **options))
        return parts[-1]

    monkeypatch.setattr(Typesetter, "compile", compile_and_keep)
    files = []
    for year in (2001, 2002):

        class Clock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Clock:
                return cls(year, 1, 1, tzinfo=tz)  # noqa: B023 - called in this round

        monkeypatch.setattr("rayocr.outputs.clean_pdf.datetime", Clock)
        data, _ = clean_pdf(["# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |"] * 10)
        assert data.count(b"D:%d0101000000Z" % year) == data.count(b"%d-01-01T00:00:00Z" % year) == 2
        files.append(data.replace(b"%d0101" % year, b"").replace(b"%d-01-01" % year, b""))
    assert files[0] == files[1]
    dates = {date for part in parts for date in re.findall(rb"/CreationDate ?\(D:(\d{8})", part)}
    assert dates == {b"20000101"}, "another date would change the file's ID"


def test_tables_and_headings_are_tagged_over_all_parts() -> None:
    text = "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- item\n\n[link](https://example.org/)"
    data, _ = clean_pdf([text] * 20)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        root = pdf.Root.StructTreeRoot
        parts = list(root.K[0].K)
        assert len(parts) == 3  # 20 pages, 8 per part
        assert all(part.P.objgen == root.K[0].objgen for part in parts)
        kinds = [str(o.S) for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/StructElem"]
        assert (kinds.count("/H1"), kinds.count("/Table"), kinds.count("/TH"), kinds.count("/Link")) == (20, 20, 40, 20)
        parents = {int(key): value for node in root.ParentTree.Kids for key, value in zip(*[iter(node.Nums)] * 2, strict=True)}
        for page in pdf.pages:
            elements = parents[int(page.obj.StructParents)]
            assert {e.Pg.objgen for e in elements if "/Pg" in e} <= {page.obj.objgen}
            for annotation in page.obj.Annots:
                assert str(parents[int(annotation.StructParent)].S) == "/Link"


def test_pdf_a_is_marked_and_takes_any_character() -> None:
    data, notes = clean_pdf(["text \U0003fffd and \ue000 [link](https://example.org)"], config=CleanPdfConfig(pdf_a=True))
    with pikepdf.open(io.BytesIO(data)) as pdf, pdf.open_metadata() as metadata:
        assert metadata["pdfaid:part"] == "2"
        assert metadata["pdfaid:conformance"] == "U"
        assert "/OutputIntents" in pdf.Root
    assert any("U+3FFFD" in note for note in notes)


def test_untagged_files_hold_no_structure() -> None:
    data, _ = clean_pdf(["# a"], config=CleanPdfConfig(tags=False))
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert "/StructTreeRoot" not in pdf.Root


def test_memory_does_not_grow_with_the_document() -> None:
    class Counting(io.RawIOBase):
        size = 0

        def write(self, data: object) -> int:
            self.size += len(data)  # type: ignore[arg-type]
            return len(data)  # type: ignore[arg-type]

    import tracemalloc

    from rayocr.messages import PageOutcome, PageRecord

    file = Counting()
    output = CleanPdfOutput(file, document_context(160))  # type: ignore[arg-type]
    peaks = []
    tracemalloc.start()
    try:
        for number in range(1, 161):
            text = f"# Page {number}\n\n" + "some text " * 100
            output.page(PageRecord(document_id="ab", page_number=number, outcome=PageOutcome.DONE, text=text))
            if number % 40 == 0:
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.reset_peak()
        output.finish()
    finally:
        tracemalloc.stop()
        output.close()
    assert file.size > 160 * 1000
    assert peaks[-1] < peaks[0] + 400_000


def test_naming_the_outputs_imports_no_library_of_theirs() -> None:
    """Every process of a run does it. With them, it takes 0.3 s of CPU."""
    names = ["markdown", "clean_pdf", "searchable_pdf", "jsonl"]
    libraries = {"typst", "pikepdf", "numpy", "pypdfium2", "markdown_it"}
    program = f"import sys, rayocr.outputs.registry as r; r.parse_outputs({names}); print({libraries} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_the_marks_of_a_list_stand_where_its_lines_begin() -> None:
    assert typeset_markdown("- ערב\n- טוב").startswith('leftwards("he"')
    assert not typeset_markdown("- one\n- two").startswith("leftwards")


def test_threads_that_typeset_at_once_get_their_own_pages() -> None:
    typesetter = Typesetter()
    try:
        with ThreadPoolExecutor(8) as threads:
            made = list(threads.map(lambda n: typesetter.compile(f'#("page {n} " * {1 + n % 5})'), range(40)))
    finally:
        typesetter.close()
    assert [pages_of(data)[0].split()[:2] for data in made] == [["page", str(n)] for n in range(40)]


def test_a_fork_has_its_own_typesetter_and_leaves_that_of_its_parent_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise both would write to the same process, and pages of one document could get into another."""
    ours, _ = _typesetter(True, 61.0)
    try:
        ours.compile("ours")
        monkeypatch.setattr("os.getpid", lambda: os.getppid())
        theirs, _ = _typesetter(True, 61.0)
        assert theirs is not ours
        ours.close()
        assert ours._process is not None and ours._process.poll() is None
    finally:
        monkeypatch.undo()
        ours.close()
