"""Options of mode=correct and mode=reread, which change single pages of finished documents."""

from __future__ import annotations

from dataclasses import dataclass

from rayocr.config.ranges import at_least
from rayocr.errors import UsageError


@dataclass
class CorrectConfig:
    """Options of mode=correct: a person replaces the text of a page. `rayocr correct OUT NAME PAGE` sets the page."""

    page: int | None = None  # number of the page, from 1
    file: str | None = None  # --file: a file with the new text (Markdown, UTF-8); -: standard input; null: opens an editor
    author: str | None = None  # --author: who corrects the page; null: the name of your user
    undo: bool = False  # --undo: restores the text that the page had before its first correction

    def __post_init__(self) -> None:
        at_least(1, **{"correct.page": self.page})


@dataclass
class RereadConfig:
    """Options of mode=reread: single pages are read again, for example with another engine."""

    pages: str | None = None  # --pages: page numbers, for example 2,5-7
    accept: bool = False  # --accept: the new texts replace the present ones, without a question
    keep: bool = False  # --keep: only show the difference
    author: str | None = None  # --author: who accepts the new texts; null: the name of your user

    def __post_init__(self) -> None:
        if self.accept and self.keep:
            raise UsageError("reread takes --accept or --keep, not both.", hint="--keep only shows the difference.")
