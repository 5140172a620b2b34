"""The comparison of rayocr's text with another program's, and its report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.fidelity import __main__ as command
from benchmarks.fidelity.page_check import PageCheck, number_differences, plain_text, word_f1, words_of
from benchmarks.fidelity.report import Summary, marked, write_report


def test_numbers_that_only_one_side_has_are_listed_with_repetitions() -> None:
    assert number_differences("7 7 12, ٣٤", "7 12 34 8") == (["8"], ["7"])


def test_ligatures_and_broken_words_make_no_difference() -> None:
    assert word_f1(words_of("office opera-\ntion"), words_of("oﬃce operation")) == 1.0


def test_words_that_only_one_side_has_are_marked_and_text_is_escaped() -> None:
    assert marked("a <b> a", "A b") == "a &lt;b&gt; <mark>a</mark>"


def test_the_report_has_a_table_of_groups_and_a_filter(tmp_path: Path) -> None:
    summary = Summary(keep=2)
    pages: tuple[tuple[str, float, list[str]], ...] = (("good.pdf", 1.0, []), ("low.pdf", 0.5, []), ("numbers.pdf", 0.99, ["7"]))
    for name, f1, lost in pages:
        check = PageCheck(file=name, page=1, verdict="trusted", outcome="done", f1=f1, lost_numbers=lost)
        summary.add({**check.as_row(), "group": "folder"})
    assert summary.table()[1] == ("folder", "trusted", "3", "0.830", "1", "1", "0", "0")
    write_report(summary, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "good.pdf" not in page  # only the worst pages are kept
    assert 0 < page.index("low.pdf") < page.index("numbers.pdf")
    assert 'data-kind="numbers differ"' in page
    assert "<select id=group><option value=''>all<option>folder</select>" in page


def test_markup_is_not_text() -> None:
    assert plain_text("| a<br>b |\n| --- |\n&lt;i> 1\\. <https://example.org/7>").split() == [
        "|",
        "a",
        "b",
        "|",
        "<i>",
        "1.",
        "<https://example.org/7>",
    ]


def test_marks_of_direction_separate_words() -> None:
    assert words_of("\u202a47\u202cabc") == ["47", "abc"]


def test_an_interrupted_comparison_writes_the_report_of_what_it_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.pdf", "b.pdf"):
        (tmp_path / name).write_bytes(b"")

    def checks(path: Path, *_: object, **__: object) -> Iterator[dict[str, object]]:
        if path.name == "b.pdf":
            raise KeyboardInterrupt
        yield PageCheck(file=str(path), page=1, verdict="trusted", outcome="done", f1=0.5).as_row()

    monkeypatch.setattr(command, "checks_of", checks)
    monkeypatch.setattr("sys.argv", ["fidelity", str(tmp_path), "--out", str(tmp_path / "report.html")])
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    command.main()
    assert "a.pdf" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Interrupted. The report covers 1 of 2 files." in " ".join(capsys.readouterr().out.split())
