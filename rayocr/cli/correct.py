"""Implements `rayocr correct OUT NAME PAGE`: a person replaces the text of a page, as in the results view."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from rayocr.api.review.reviewer import PresentPage, Saved
from rayocr.cli.arguments import STREAM
from rayocr.cli.pages import ChosenDocument, author_of, chosen_document, say_written, written_facts
from rayocr.config import RayocrConfig, Secrets
from rayocr.driver.monitor.terminal import ConsoleTerminal, printable
from rayocr.errors import RayocrError, UsageError
from rayocr.ledger.corrections import MAX_TEXT_CHARS
from rayocr.observe.json_fields import CORRECT, SCHEMA_VERSION
from rayocr.outputs.page_texts import before_pages, outputs_are_of, split_markdown
from rayocr.storage.uri import local_path

_EXAMPLE = "rayocr correct out/ 2024/a.pdf 3 --file page.md"
_MOST_BYTES = 4 * MAX_TEXT_CHARS + 4
_EDITORS = ("VISUAL", "EDITOR")  # the same variables in the same order as git


def correct_page(config: RayocrConfig, keys: Secrets) -> int:
    """Corrects a page and returns 0, also if the page has this text already. Raises UsageError, ObjectNotFound for a page that
    the document does not have, LockError while a run reads the document, and StorageError."""
    terminal = ConsoleTerminal(config.progress)
    with chosen_document(config, keys, example=_EXAMPLE) as chosen:
        number = config.correct.page
        if number is None:
            raise UsageError(f"Name the page of {chosen.name}.", hint=f"For example: {_EXAMPLE}")
        if config.correct.undo:
            return _undo(chosen, number, terminal)
        page = chosen.page(number)
        author = author_of(config.correct.author)
        with _edited(page, chosen) if config.correct.file is None else nullcontext(_given(config.correct.file, number)) as text:
            unchanged = text.strip() == page.text.strip() and not (page.outcome == "failed" and page.correction is None)
            if unchanged and page.written and outputs_are_of(chosen.manifest, chosen.reviewer.dest):
                terminal.say(f"Nothing to do: page {number} of {chosen.name} has this text already.")
                if terminal.json:
                    terminal.data(_facts(chosen, number, changed=False))
                return 0
            chosen.reviewer.save(chosen.manifest, number, text=text, author=author)
        saved = chosen.reviewer.write(chosen.manifest)
        if saved.pending is not None:
            raise saved.pending
        empty = "" if text.strip() else " It has no text now."
        terminal.say(f"Page {number} of {chosen.name} is corrected (author: {author}).{empty}")
        if page.correction is not None and page.correction.author != author:
            earlier = f"{printable(page.correction.author)} ({page.correction.corrected_at[:10]})"
            terminal.say(f"  This replaces the correction by {earlier}.")
        say_written(terminal, saved)
        terminal.say(f"  To undo it: {chosen.command('correct', str(number), '--undo')}")
        if terminal.json:
            terminal.data(_facts(chosen, number, changed=True) | {"author": author} | written_facts(saved))
    return 0


def _undo(chosen: ChosenDocument, number: int, terminal: ConsoleTerminal) -> int:
    chosen.page(number)
    removed, made = chosen.reviewer.undo(chosen.manifest, number)
    read_by = removed.replaced.engine if removed.replaced else ""
    engine = f"that of {read_by}, " if read_by else ""
    when = removed.corrected_at[:10]
    terminal.say(
        f"Page {number} of {chosen.name} has its earlier text again: {engine}before {removed.author} corrected it ({when})."
    )
    saved = Saved(manifest=made)
    say_written(terminal, saved)
    if terminal.json:
        terminal.data(_facts(chosen, number, changed=True) | {"author": removed.author, "undone": True} | written_facts(saved))
    return 0


def _facts(chosen: ChosenDocument, number: int, *, changed: bool) -> dict[str, object]:
    facts: dict[str, object] = dict.fromkeys(CORRECT)
    facts |= {"schema_version": SCHEMA_VERSION, "document": chosen.manifest.name, "document_id": chosen.manifest.document_id}
    return facts | {"page": number, "changed": changed, "undone": False, "written": [], "not_updated": []}


def _given(file: str, number: int) -> str:
    """Returns the new text from a file or from standard input. Raises UsageError."""
    if file == STREAM:
        if sys.stdin.isatty():
            raise UsageError("`--file -` reads the text from standard input, which is a terminal.", hint="Leave it out to edit.")
        return _page_of(_decoded(sys.stdin.buffer.read(_MOST_BYTES + 1), "Standard input"), number)
    path = local_path(file)
    try:
        with path.open("rb") as opened:
            data = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.", hint="Check the path of the text (--file).") from error
    return _page_of(_decoded(data, str(path)), number)


def _decoded(data: bytes, what: str) -> str:
    """Decodes UTF-8. Raises UsageError for other data."""
    try:
        text = data[:_MOST_BYTES].decode("utf-8-sig") if len(data) <= _MOST_BYTES else None
    except UnicodeDecodeError as error:
        raise UsageError(f"{what} is not UTF-8 text.", hint="Save it as UTF-8.") from error
    if text is None:
        raise UsageError(f"{what} is too long for a page: the limit is {MAX_TEXT_CHARS:,} characters.")
    if "\0" in text:
        raise UsageError(f"{what} is not a text: it contains NUL characters.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _page_of(text: str, number: int) -> str:
    """Returns the page if the text is a whole Markdown output. Raises UsageError if the output does not have this page."""
    pages = split_markdown(text)
    if not pages:
        return text.strip("\n")
    if number not in pages:
        raise UsageError(f"The text has page marks, but none of page {number}.", hint="Give the text of this page only.")
    if before_pages(text).strip():
        raise UsageError("The text has words before its first page mark.", hint="Give the text of this page, without page marks.")
    return pages[number]


@contextmanager
def _edited(page: PresentPage, chosen: ChosenDocument) -> Iterator[str]:
    """Yields the text after the user has edited it. If it cannot be saved, its file is kept, and the error names the file. Raises
    UsageError."""
    hint = f"Give the new text: {chosen.command('correct', str(page.number), '--file page.md')}   (- is standard input)"
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("There is no terminal to edit the page in.", hint=hint)
    editor = next((found for name in _EDITORS if (found := os.environ.get(name, "").strip())), "vi")
    folder = Path(tempfile.mkdtemp(prefix="rayocr-page-"))
    path = folder / f"page-{page.number}.md"
    before = f"{page.text}\n".encode()
    path.write_bytes(before)
    try:
        code = _run_editor(editor, path, hint)
        if code:
            raise UsageError(f"The editor ended with code {code}; nothing is saved.")
        text = _decoded(path.read_bytes(), str(path)).strip("\n")
        if not text.strip() and page.text.strip():
            raise UsageError("The text is empty; nothing is saved.", hint="For a blank page: --file /dev/null")
        _check_unchanged(page, chosen)
        yield text
    except RayocrError as error:
        if path.exists() and path.read_bytes().strip() not in (b"", before.strip()):
            error.set_hint(f"Your text is in {path}" + (f". {error.hint}" if error.hint else ""))
        else:
            shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def _run_editor(editor: str, path: Path, hint: str) -> int:
    """Runs the editor and returns its exit code. While the editor runs, it receives Ctrl-C. Raises UsageError."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run([*shlex.split(editor), str(path)], check=False).returncode
    except (OSError, ValueError) as error:
        raise UsageError(f"Cannot start the editor {editor!r}.", hint=f"Set EDITOR. {hint}") from error
    finally:
        signal.signal(signal.SIGINT, before)


def _check_unchanged(page: PresentPage, chosen: ChosenDocument) -> None:
    """Raises UsageError if the page has changed since the editor was opened."""
    now = chosen.page(page.number)
    if (now.text, now.correction) == (page.text, page.correction):
        return
    by = printable(now.correction.author) if now.correction else "Another process"
    message = f"{by} changed page {page.number} of {chosen.name} while you edited it; nothing is saved."
    raise UsageError(message, hint="Run the command again to see the new text.")
