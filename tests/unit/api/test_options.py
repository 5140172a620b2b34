"""Options of the API as overrides, and sources that are not PDFs."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

from rayocr.api.process import overrides_of, place_of
from rayocr.api.reading import _name_of, read
from rayocr.api.results import open_results
from rayocr.api.running import arun, run, start
from rayocr.composition import compose, samples_dir
from rayocr.errors import DocumentError, NotAPdf, UsageError
from rayocr.failure_reasons import step_for_one_document


@pytest.mark.parametrize(
    ("options", "words"),
    [({"engine": 5}, "takes a name"), ({"on_progres": print}, "takes no function"), ({"foo": lambda: 0}, "takes no function")],
)  # fmt: skip
def test_values_of_the_wrong_kind_are_wrong_usage(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        overrides_of(options)


def test_none_leaves_a_group_of_options_as_it_is() -> None:
    assert overrides_of({"engine": None}) == []


@pytest.mark.parametrize(
    "options",
    [
        {"limits__rpm": 5, "limits.rpm": 6},
        {"limits.rpm": 5, "limits": {"rpm": 6}},
        {"engine__gemini": {"model": "a"}, "engine": {"gemini": {"model": "b"}}},
        {"engine.gemini.model": "a", "engine__gemini__model": "a"},
    ],
)
def test_an_option_that_is_given_twice_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="both set") as raised:
        overrides_of(options)
    assert raised.value.hint == "Give each option once."


def test_an_option_beside_others_of_its_group_is_accepted() -> None:
    config = compose(
        overrides_of({"limits": {"rpm": 5}, "limits__max_in_flight": 6, "engine": "gemini", "engine__chain": ["gemini"]}), {}
    )
    assert (config.limits.rpm, config.limits.max_in_flight, config.engine.chain) == (5, 6, ["gemini"])


def test_an_option_that_does_not_exist_is_named_whole() -> None:
    with pytest.raises(UsageError, match=r"Unknown option 'pdf\.password'") as raised:
        compose(overrides_of({"pdf__password": "sesame"}), {})
    assert "does not open encrypted PDFs" in str(raised.value.hint)


@pytest.mark.parametrize(
    ("place", "words", "hint"),
    [
        (["a.pdf", "b.pdf"], "takes one path", "include="),
        (b"%PDF-1.7", "not bytes", "rayocr.read"),
        (None, "not NoneType", ""),
        (7, "not int", ""),
        ("", "empty", "Name a folder"),
        (" ", "empty", "Name a folder"),
    ],
)
def test_a_source_or_destination_that_is_no_path_is_wrong_usage(place: Any, words: str, hint: str) -> None:
    for call in (lambda: run(place, "out"), lambda: run("in", place), lambda: open_results(place)):
        with pytest.raises(UsageError, match=words) as raised:
            call()
        assert hint in (raised.value.hint or "")


@pytest.mark.parametrize("name", ["null", "'quoted'", '"in"'])
def test_a_folder_with_a_name_that_means_something_on_the_command_line_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    composed = compose(overrides_of({"source": place_of("source", Path(name)), "dest": place_of("dest", name)}), {})
    assert Path(composed.source or "").resolve() == Path(composed.dest).resolve() == tmp_path / name


def test_paths_are_items_of_lists() -> None:
    wanted = ["a b.pdf", "c.pdf"]
    assert compose(overrides_of({"include": [Path(name) for name in wanted]}), {}).include == wanted
    assert compose(overrides_of({"include": Path("a b.pdf")}), {}).include == ["a b.pdf"]


class _AsyncFile:
    async def read(self) -> bytes:
        return b"%PDF-1.7"


def _read_before() -> io.BytesIO:
    file = io.BytesIO(b"%PDF-1.7")
    file.read()
    return file


@pytest.mark.parametrize(
    ("source", "words", "hint"),
    [
        (None, "not NoneType", ""),
        (3, "not int", ""),
        ("", "empty", ""),
        (io.StringIO("%PDF"), "opened as text", '"rb"'),
        (_AsyncFile(), "asynchronous", "await file.read()"),
        (_read_before(), "read to its end", "seek(0)"),
        ("gs://bucket/folder", "not a single PDF", "rayocr.run"),
    ],
)
def test_a_source_that_is_no_pdf_is_wrong_usage_before_a_process_starts(source: Any, words: str, hint: str) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        read(source)
    assert hint in (raised.value.hint or "")


def test_a_text_file_with_bytes_that_are_not_utf_8_is_named_as_text(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7\n\x93\xff")
    with pytest.raises(UsageError, match="opened as text"), (tmp_path / "a.pdf").open(encoding="utf-8") as file:
        read(file)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "used"),
    [("in/a.pdf", "a.pdf"), ("../../b.PDF", "b.PDF"), ("c.txt", "document.pdf"), (7, "document.pdf"), ("<stdin>", "document.pdf"),
     (f"{'x' * 200}.pdf", "document.pdf"), (".pdf", "document.pdf"), ("a\nb.pdf", "document.pdf")],
)  # fmt: skip
def test_a_file_keeps_its_name_if_that_is_the_name_of_a_pdf(name: Any, used: str) -> None:
    file = io.BytesIO()
    file.name = name
    assert _name_of(file) == used


def test_a_working_folder_that_was_removed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UsageError, match="working folder no longer exists"):
        read(b"%PDF-1.7")


async def _async_progress(progress: object) -> None: ...


class _AsyncCallable:
    async def __call__(self, progress: object) -> None: ...


@pytest.mark.parametrize("on_progress", [_async_progress, _AsyncCallable(), 5])
@pytest.mark.parametrize("call", [run, start])
def test_progress_to_an_async_function_is_refused_where_no_loop_runs_it(call: Any, on_progress: Any) -> None:
    with pytest.raises(UsageError, match="not async") as raised:
        call("in", "out", on_progress=on_progress)
    assert "rayocr.arun" in str(raised.value.hint)


def test_the_async_run_refuses_progress_that_cannot_be_called() -> None:
    with pytest.raises(UsageError, match="takes a function"):
        asyncio.run(arun("in", "out", on_progress=5))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["${oc.env:HOME}.pdf", r"\${a}", r"\\${a}", "$${a}", "a'${b}'", r"x\${y}\\", "${", "[${a}]", '"${a}"', "null"]
)
def test_text_from_python_is_literal(text: str) -> None:
    """Interpolations belong to YAML files and to overrides of the command line."""
    names = ("document", "logs.dir", "engine.gemini.prompt", "engine.gemini.target_language")
    options: dict[str, object] = {**dict.fromkeys(names, text), "include": text, "exclude": [text, "b"]}
    config = compose(overrides_of(options | {"engine": "gemini", "engine.openai.extra_body": {"key": text}}), {})
    gemini = config.engine.gemini
    assert [config.document, config.logs.dir, gemini.prompt, gemini.target_language] == [text] * 4
    assert (config.include, config.exclude, config.engine.openai.extra_body) == ([text], [text, "b"], {"key": text})


def test_an_interpolation_is_no_name_of_an_engine() -> None:
    with pytest.raises(UsageError, match="is not a name"):
        overrides_of({"engine": "${oc.env:HOME}"})


def test_an_error_of_a_read_names_the_source_as_the_caller_knows_it(tmp_path: Path) -> None:
    file = tmp_path / "text.pdf"
    file.write_text("hello")
    with pytest.raises(NotAPdf) as raised:
        read(file)
    assert str(raised.value) == f"{file} is not a PDF (no %PDF- header)."
    assert raised.value.hint == "Check where the file comes from, and replace it with a PDF."
    assert raised.value.__notes__ == [raised.value.hint]
    with pytest.raises(NotAPdf, match="The data is empty"):
        read(b"")


@pytest.mark.parametrize("kind", [kind for kind in DocumentError.__subclasses__() if kind.default_hint])
def test_hints_of_a_read_do_not_speak_of_runs(kind: type[DocumentError]) -> None:
    hint = step_for_one_document(kind.default_hint or "")
    assert hint and hint.endswith(".") and "run" not in hint.split() and "exclude" not in hint


def test_a_read_takes_a_file_uri() -> None:
    letter = samples_dir() / "letter.pdf"
    assert read(letter.resolve().as_uri(), engine="textlayer").outcome == "complete"


@pytest.mark.parametrize("option", ["include", "exclude", "document", "limit", "order"])
def test_a_read_refuses_options_of_a_whole_source(option: str) -> None:
    with pytest.raises(UsageError, match=f"does not accept {option}="):
        read("a.pdf", **{option: "x"})


def test_a_web_address_and_a_closed_file_have_hints_that_fit_a_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="https:// is not supported") as raised:
        read("https://example.org/a.pdf")
    assert "pass its bytes" in str(raised.value.hint)
    with pytest.raises(UsageError) as raised:
        read("https://storage.googleapis.com/bucket/a.pdf")
    assert "gs://bucket/a.pdf" in str(raised.value.hint)
    file = (tmp_path / "a.pdf").open("wb+")
    file.close()
    with pytest.raises(UsageError, match="The file is closed"):
        read(file)
