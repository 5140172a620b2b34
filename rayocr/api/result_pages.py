"""Implements the documents and pages of `rayocr.open_results`. A person can correct a page or read it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from html import escape
from typing import Any, overload

from rayocr.api.document import ReadPage
from rayocr.api.process import overrides_of
from rayocr.api.review.reread import NewReading, options_of_reading, unified_diff
from rayocr.api.review.reviewer import PresentPage, Reviewer, user_name
from rayocr.errors import UsageError
from rayocr.ledger.manifest import Manifest, manifest_name
from rayocr.storage.base import MAX_STATE_BYTES

OpenReviewer = Callable[[], AbstractContextManager[Reviewer]]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ResultDocument:
    """A finished document. `pages[0]` is its first page, as in what `rayocr.read` returns; `page(3)` is page 3."""

    manifest: Manifest = field(repr=False)
    _open: OpenReviewer = field(repr=False)
    _options: tuple[str, ...] = ()  # options of the runs, for reading pages again

    def __repr__(self) -> str:
        pages = "1 page" if self.manifest.page_count == 1 else f"{self.manifest.page_count:,} pages"
        return f"<ResultDocument {self.name!r}: {self.outcome}, {pages}>"

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def outcome(self) -> str:
        """The outcome of the document: complete, partial or rejected."""
        return self.manifest.outcome.value

    @property
    def pages(self) -> Sequence[ResultPage]:
        """The pages in order. A page reads its text on first use."""
        return _Pages(self)

    def page(self, number: int) -> ResultPage:
        """Returns a page. `number` is 1-based. Raises IndexError."""
        if not self.manifest.page_count:
            raise IndexError(_unread(self.manifest))
        if not 1 <= number <= self.manifest.page_count:
            raise IndexError(f"{self.name} has no page {number}; it has {self.manifest.page_count:,}, counted from 1.")
        return self.pages[number - 1]


def _unread(manifest: Manifest) -> str:
    return f"{manifest.name} could not be read ({manifest.reason}), so it has no pages."


class _Pages(Sequence["ResultPage"]):
    def __init__(self, document: ResultDocument) -> None:
        self._document = document

    def __len__(self) -> int:
        return self._document.manifest.page_count

    @overload
    def __getitem__(self, index: int) -> ResultPage: ...
    @overload
    def __getitem__(self, index: slice) -> list[ResultPage]: ...
    def __getitem__(self, index: int | slice) -> ResultPage | list[ResultPage]:
        numbers = range(1, len(self) + 1)
        try:
            found = numbers[index]
        except IndexError as error:
            if not numbers:
                raise IndexError(_unread(self._document.manifest)) from error
            raise IndexError(f"{self._document.name} has {len(self)} pages; the index {index} is outside.") from error
        if isinstance(found, int):
            return ResultPage(document=self._document, number=found)
        return [ResultPage(document=self._document, number=number) for number in found]

    def __repr__(self) -> str:
        return f"<{len(self):,} pages of {self._document.name!r}>"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ResultPage:
    """A page as the outputs show it now. Every property reads the outputs again."""

    document: ResultDocument
    number: int

    def __repr__(self) -> str:
        return f"<Page {self.number} of {self.document.name!r}>"

    @property
    def text(self) -> str:
        """The text of the page as Markdown; empty for a failed page."""
        return self.read().text

    def read(self) -> ReadPage:
        """Returns text, outcome, engine, reason and doubts at this moment. Raises StorageError."""
        with self.document._open() as reviewer:
            return _as_page(reviewer.page(self._manifest(reviewer), self.number))

    def correct(self, text: str, *, author: str | None = None) -> ReadPage:
        """Replaces the text (Markdown) in all outputs, as a correction in the results view does. A correction replaces the text
        of every engine, also after `overwrite=True`. `author`: the name of your user if not given. Returns the page as it is now.

        Raises UsageError, StorageError, and LockError while a run reads the document; the correction is then saved, and the run
        applies it."""
        if not isinstance(text, str):
            raise UsageError(f"correct() takes the text of the page, not {type(text).__name__}.")
        with self.document._open() as reviewer:
            return self._save(reviewer, text, author, None)

    def undo(self) -> ReadPage:
        """Restores the text that the page had before its first correction. Raises UsageError if the page has no correction, and
        LockError while a run reads the document; in both cases nothing is changed."""
        with self.document._open() as reviewer:
            _, made = reviewer.undo(self._manifest(reviewer), self.number)
            return _as_page(reviewer.page(made, self.number))

    def read_again(self, **options: Any) -> Comparison:
        """Reads the page again, with other options: `engine="tesseract"`, `engine__gemini__prompt="translate"`,
        `budget__usd=1`. Nothing changes until `accept()` is called, but the cost is recorded. Raises the same errors as
        `rayocr.read`."""
        given = overrides_of(options)
        if wrong := [option for option in given if option not in options_of_reading(given)]:
            name = wrong[0].partition("=")[0]
            raise UsageError(f"read_again takes no option {name}.", hint="Only options for reading are allowed, such as engine=.")
        with self.document._open() as reviewer:
            manifest = self._manifest(reviewer)
            before = reviewer.page(manifest, self.number)
            found = reviewer.read_again(manifest, self.number, overrides=[*self._options_beside(given), *given])
        return Comparison(page=self, old=_as_page(before), new=_as_page(found, self.number), _reading=found)

    def _options_beside(self, given: Sequence[str]) -> list[str]:
        """Returns the options of the runs, without their engine if another one is given."""
        choice = ("engine=", "engine.chain=")
        chosen = any(option.startswith(choice) for option in given)
        options = options_of_reading(self.document._options)
        return [option for option in options if not (chosen and option.startswith(choice))]

    def _manifest(self, reviewer: Reviewer) -> Manifest:
        """Returns the current manifest. Raises ObjectNotFound if it no longer exists."""
        name = manifest_name(self.document.manifest.document_id)
        return Manifest.from_json(reviewer.state.read(name, max_bytes=MAX_STATE_BYTES), name=name)

    def _save(self, reviewer: Reviewer, text: str, author: str | None, reading: NewReading | None) -> ReadPage:
        author = user_name() if author is None else author
        saved = reviewer.correct(self._manifest(reviewer), self.number, text=text, author=author, read=reading)
        if saved.pending is not None:
            raise saved.pending
        return _as_page(reviewer.page(self._manifest(reviewer), self.number))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Comparison:
    """Two readings of a page: `old`, which the outputs have, and `new`."""

    page: ResultPage
    old: ReadPage
    new: ReadPage
    _reading: NewReading = field(repr=False)

    @property
    def cost_usd(self) -> float | None:
        """The cost of the new reading; None if the price is unknown. The cost is recorded even if you do not accept the
        reading."""
        return None if self._reading.spent.unpriced else self._reading.spent.cost_usd

    @property
    def diff(self) -> str:
        """A unified diff; empty if both texts are the same, or if the new reading failed."""
        names = {"old": self.old.engine or self.old.outcome, "new": self.new.engine or self.new.outcome}
        return "" if self._reading.failed else "\n".join(unified_diff(self.old.text, self.new.text, **names))

    def accept(self, *, author: str | None = None) -> ReadPage:
        """Replaces the old text by the new one in all outputs, with its engine and its doubts, as a correction by `author` (the
        name of your user if not given). Raises UsageError if the page could not be read, and the same errors as
        `ResultPage.correct`."""
        if self._reading.failed:
            raise UsageError(f"Page {self.new.number} could not be read ({self.new.reason}), so there is no text to accept.")
        with self.page.document._open() as reviewer:
            return self.page._save(reviewer, self.new.text, author, self._reading)

    def __repr__(self) -> str:
        old, new = self.old.engine or self.old.outcome, self.new.engine or self.new.outcome
        return f"<Comparison of page {self.new.number} of {self.page.document.name!r}: {old} → {new}>"

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<td style='text-align:left;vertical-align:top'>{side._repr_html_()}</td>" for side in (self.old, self.new)
        )
        return f"<table><tr>{cells}</tr></table><pre>{escape(self.diff)}</pre>"


def _as_page(page: PresentPage | NewReading, number: int = 0) -> ReadPage:
    if isinstance(page, NewReading):
        return ReadPage(
            number=number,
            text=page.text,
            outcome=page.outcome,
            engine=page.engine,
            reason=page.reason,
            message=page.message,
            doubts=page.doubts,
        )
    note = page.note
    failed = page.outcome == "failed"
    return ReadPage(
        number=page.number,
        text=page.text,
        outcome=page.outcome,
        engine=page.engine,
        reason=note.reason if note and failed else "",
        message=note.message if note and failed else "",
        doubts=note.doubts if note else (),
    )
