"""`rayocr reread`: single pages are read again, compared, and accepted or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rayocr.api.review import reviewer
from rayocr.api.review.reread import NewReading
from rayocr.api.review.rewrite import Rewriter
from rayocr.cli import main, reread
from rayocr.config import Secrets
from rayocr.errors import BudgetExhausted, CredentialsError
from rayocr.ledger.manifest import Manifest, Spent
from tests.e2e.support import make_pdf
from tests.unit.view.written_documents import write_document

Asked = list[tuple[int, list[str]]]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Pages and options of the readings, whose result is fixed: page 3 cannot be read."""
    write_document(tmp_path, "form.pdf", ["Signal Street", "the same", "Last page"])
    monkeypatch.chdir(tmp_path)
    calls: Asked = []

    def read_page(manifest: Manifest, page_number: int, *, overrides: list[str], **_: object) -> NewReading:
        calls.append((page_number, list(overrides)))
        if page_number == 3:
            return NewReading(text="", outcome="failed", engine="", reason="NoTextLayer", message="No text.")
        text = "Signal Lane" if page_number == 1 else "the same"
        spent = Spent(cost_usd=0.25, input_tokens=10)
        return NewReading(text=text, outcome="done", engine="tesseract", doubts=("low_confidence",), spent=spent)

    monkeypatch.setattr(reviewer, "read_page", read_page)
    return calls


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["reread", "out", "form.pdf", *arguments])
    found = capsys.readouterr()
    return code, found.out + found.err


def test_accepted_pages_get_the_new_text_and_keep_its_engine(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    code, words = said(capsys, "--pages", "1-2", "engine=tesseract", "--accept", "--author", "Ada")
    assert code == 0
    assert words.splitlines() == [
        "Reading page 1 of form.pdf with tesseract …",
        "Page 1: gemini → tesseract (in doubt: low_confidence)",
        *[words.splitlines()[2], "  @@ -1 +1 @@", "  -Signal Street", "  +Signal Lane"],
        "Reading page 2 of form.pdf with tesseract …",
        "Page 2: gemini → tesseract (in doubt: low_confidence)",
        words.splitlines()[8],
        "Page 1 of form.pdf has its new text now (accepted by Ada).",
        "  Written: form.md, form.clean.pdf, form.jsonl",
        "  To undo it: rayocr correct out form.pdf 1 --undo",
        "  Cost of 2 pages: $0.50",
    ]
    assert words.splitlines()[8].endswith("s, $0.25; both texts are the same")
    assert "Signal Lane" in Path("out/form.md").read_text()
    assert asked == [(1, ["engine=tesseract"]), (2, ["engine=tesseract"])]


def test_kept_pages_are_only_shown_and_their_cost_counts(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("out/form.md").read_bytes()
    code, words = said(capsys, "1,3", "--keep", "--json", "engine.chain=[tesseract]")
    facts = json.loads(words[: words.rindex("}") + 1])
    assert code == 1, "page 3 could not be read"
    assert [(page["page"], page["accepted"], page["new"]["reason"]) for page in facts["pages"]] == [
        (1, False, ""),
        (3, False, "NoTextLayer"),
    ]
    assert facts["pages"][0]["diff"].splitlines()[:2] == ["--- page 1, gemini", "+++ page 1, tesseract"]
    assert (facts["cost_usd"], facts["author"], facts["written"], facts["error"]) == (0.25, None, [], None)
    assert Path("out/form.md").read_bytes() == before
    (path,) = Path("out/.rayocr/documents").glob("*/*.json")
    assert Manifest.from_json(path.read_bytes(), name="manifest").cost_usd == 0.25


def test_the_end_of_standard_input_answers_no(
    asked: Asked, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(question: str, **_: object) -> bool:
        raise EOFError

    monkeypatch.setattr(reread.Confirm, "ask", ended)
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    code, words = said(capsys, "--pages", "1", "engine=tesseract")
    assert (code, "The text of form.pdf is unchanged." in words) == (0, True), words


@pytest.mark.parametrize("answer", [True, False])
def test_on_a_terminal_each_page_is_asked_about(
    asked: Asked, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answer: bool
) -> None:
    questions: list[str] = []
    monkeypatch.setattr(reread.Confirm, "ask", lambda question, **_: questions.append(question) or answer)
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    code, words = said(capsys, "--pages=1-2", "engine=tesseract")
    assert (code, questions) == (0, ["Use the new text of page 1?"])
    assert ("Signal Lane" in Path("out/form.md").read_text()) is answer
    assert ("The text of form.pdf is unchanged." in words) is not answer


def test_a_budget_is_for_all_pages_and_accepted_pages_are_kept(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    code, words = said(capsys, "--pages", "1-3", "--accept", "engine=tesseract", "budget.usd=0.5")
    assert (code, "The budget of $0.5 is used up." in words) == (BudgetExhausted.exit_code, True)
    assert [options[-1] for _, options in asked] == ["budget.usd=0.500000000", "budget.usd=0.250000000"]
    assert "Signal Lane" in Path("out/form.md").read_text()


def test_pages_that_cost_nothing_are_read_with_a_budget_of_0(
    asked: Asked, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options: list[str] = []

    def free(manifest: Manifest, page_number: int, *, overrides: list[str], **_: object) -> NewReading:
        options.append(overrides[-1])
        return NewReading(text="free", outcome="done", engine="tesseract")

    monkeypatch.setattr(reviewer, "read_page", free)
    assert said(capsys, "--pages", "1-2", "--keep", "engine=tesseract", "budget.usd=0")[0] == 0
    assert options == ["budget.usd=0.000000000"] * 2


def test_outputs_whose_writing_was_interrupted_are_written_by_the_same_command(
    asked: Asked, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    command = ("--pages", "1", "--accept", "engine=tesseract")
    with monkeypatch.context() as patched:
        patched.setattr(Rewriter, "rewrite", interrupted)
        code, words = said(capsys, *command)
    assert (code, "The accepted text of page 1 is saved." in words) == (130, True), words
    assert "Signal Lane" not in Path("out/form.md").read_text()
    assert said(capsys, *command)[0] == 0
    assert "Signal Lane" in Path("out/form.md").read_text()


def test_an_external_cause_leaves_the_pages_before_it_accepted(
    asked: Asked, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_page = reviewer.read_page

    def refused(manifest: Manifest, page_number: int, **options: object) -> NewReading:
        if page_number == 2:
            raise CredentialsError("The key was refused.")
        return read_page(manifest, page_number, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(reviewer, "read_page", refused)
    code, words = said(capsys, "--pages", "1-2", "--accept", "--json", "engine=tesseract")
    facts = json.loads(words[: words.rindex("}") + 1])
    assert (code, facts["error"]) == (CredentialsError.exit_code, "The key was refused.")
    assert "Signal Lane" in Path("out/form.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--keep"], "Name the pages of form.pdf."),
        (["--pages", "4", "--keep"], "form.pdf has no page 4; it has pages 1 to 3."),
        (["--pages", "2-x", "--keep"], "--pages 2-x is not a list of page numbers."),
        (["--pages", "3-1", "--keep"], "--pages 3-1 is not a list of page numbers."),
        (["--pages", "0", "--keep"], "form.pdf has no page 0; it has pages 1 to 3."),
        (["--pages", "1-99999999", "--keep"], "are more than 1,000 pages."),
        (["--pages", "1"], "Add --accept, or --keep to only show the difference."),
        (["--pages", "1", "--json"], "Add --accept, or --keep to only show the difference."),
        (["--pages", "1", "--accept", "--keep"], "reread takes --accept or --keep, not both."),
        (["--page", "1", "--keep"], "Did you mean --pages?"),
        (["1", "tesseract", "--keep"], "For an engine: engine=tesseract"),
        (["pages=9", "keep=true"], "form.pdf has no page 9"),
        (["--pages", "1", "--keep", "engine=teseract"], "Did you mean tesseract?"),
    ],
)
def test_a_mistake_is_wrong_usage_and_nothing_is_read(
    asked: Asked, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code, words = said(capsys, *arguments)
    assert (code, message in words) == (2, True), words
    assert not asked


def test_without_a_key_gemini_reads_nothing(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    code, words = said(capsys, "--pages", "1", "--keep", "engine=gemini")
    assert (code, "GEMINI_API_KEY" in words, asked) == (3, True, []), words
    assert Secrets().gemini_api_key is None


def test_a_source_that_was_moved_can_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rayocr.api.review.source.in_child", lambda function, *arguments: function(*arguments))
    make_pdf(tmp_path / "in" / "moved.pdf", 2)
    write_document(tmp_path, "moved.pdf", ["one", "two"])
    (tmp_path / "in").rename(tmp_path / "new")
    words = ["reread", f"{tmp_path}/out", "moved.pdf", "--pages", "2", "engine=textlayer", "--keep"]
    assert main(words) != 0
    said = capsys.readouterr().err
    assert f"rayocr reread {tmp_path}/out moved.pdf --pages 2 source=FOLDER" in said
    for source in ("new", "new/moved.pdf"):
        assert main([*words, f"source={tmp_path}/{source}"]) == 0
        assert "page number 2 of a document" in capsys.readouterr().out
    make_pdf(tmp_path / "other" / "moved.pdf", 3)
    assert main([*words, f"source={tmp_path}/other"]) != 0
    assert "was changed after it was read" in capsys.readouterr().err
    assert main([*words, f"source={tmp_path}/none"]) == 2
    assert "none does not exist." in capsys.readouterr().err
