"""The filters of the results view as SQL, and the full-text search in page texts."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from typing import Any

_MAX_TEXT_CHARS = 50_000  # of a page in the full-text index
PAGE_BITS = 20  # the rowid of a page's text is (document << PAGE_BITS) + page number, so that a document is a range of rowids


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the list shows. Empty values do not filter. `doubt` keeps documents with doubtful pages. Of a file that was replaced,
    the list shows the newest version only."""

    words: str = ""
    outcome: str = ""
    engine: str = ""
    reason: str = ""
    doubt: bool = False
    earlier: bool = False  # documents with corrections of an earlier version, neither applied nor discarded


def plain(text: str) -> str:
    return re.sub(r"[*_`#>|]+", " ", text[:_MAX_TEXT_CHARS]).encode("utf-8", "replace").decode()


def _match(words: str) -> str:
    """The user's words as an FTS5 query: every word must occur, the last one as a prefix. Quotes make phrases."""
    parts = [phrase or word for phrase, word in re.findall(r'"([^"]*)"|(\S+)', words)]
    quoted = [f'"{part.replace(chr(34), "")}"' for part in parts if re.search(r"\w", part)]
    if quoted and not words.rstrip().endswith('"'):
        quoted[-1] += "*"
    return " ".join(quoted)


def conditions(filters: Filters) -> tuple[list[str], list[Any]]:
    """SQL conditions on `newest` as d, joined by AND, and their values."""
    found: list[str] = []
    values: list[Any] = []
    if filters.outcome:
        found.append("d.outcome = ?")
        values.append(filters.outcome)
    if filters.engine:
        found.append("d.engines LIKE ?")
        values.append(f'%"{filters.engine}"%')
    if filters.reason:
        found.append("d.id IN (SELECT document FROM reasons WHERE reason = ?)")
        values.append(filters.reason)
    if filters.doubt:
        found.append("d.doubtful > 0")
    if filters.earlier:
        found.append("d.id IN (SELECT id FROM earlier)")
    if filters.words.strip():
        like = filters.words.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        match = _match(filters.words)
        in_text = " OR d.id IN (SELECT rowid >> 20 FROM texts WHERE texts MATCH ?)" if match else ""
        found.append(f"(d.name LIKE ? ESCAPE '\\'{in_text})")
        values += [f"%{like}%", *([match] if match else [])]
    return found, values


def found_in(db: sqlite3.Connection, row: int, words: str) -> list[dict[str, Any]]:
    """Up to three pages of the document with the words, each with an excerpt."""
    match = _match(words)
    if not match:
        return []
    query = (
        "SELECT rowid, snippet(texts, 0, char(2), char(3), ' … ', 16) FROM texts WHERE texts MATCH ? AND rowid BETWEEN ? AND ?"
        " ORDER BY rowid LIMIT 3"
    )
    return [
        {"page": rowid - (row << PAGE_BITS), "excerpt": excerpt} for rowid, excerpt in db.execute(query, (match, *rowids(row)))
    ]


def rowids(row: int) -> tuple[int, int]:
    return row << PAGE_BITS, ((row + 1) << PAGE_BITS) - 1
