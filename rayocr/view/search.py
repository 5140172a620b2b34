"""Converts the filters of the results view to SQL, and searches the page texts."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from dataclasses import dataclass
from typing import Any

_MAX_TEXT_CHARS = 50_000  # maximum number of characters of a page in the full-text index
_MOST_FOUND = 3  # number of pages with the words that the list shows for a document
_SHARP_S = "\u0307"  # a combining mark, which the tokenizer ignores, after an ss that was ß
OUTCOME = "CASE WHEN d.document_id IN (SELECT document_id FROM dismissed) THEN 'dismissed' ELSE d.outcome END"
PAGE_BITS = 20  # the rowid of a page's text is (document << PAGE_BITS) + page number, so that a document is a range of rowids


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The filters of the list of documents. Empty values do not filter. `doubt` keeps documents with doubtful pages. The list
    shows only the newest version of a file that was replaced."""

    words: str = ""
    outcome: str = ""
    engine: str = ""
    reason: str = ""
    doubt: bool = False
    earlier: bool = False  # documents with corrections of an earlier version, neither applied nor discarded


def plain(text: str) -> str:
    """Returns the text as it is indexed: without Markdown, and with ß as ss, which excerpts show as ß again."""
    words = re.sub(r"[*_`#>|]+", " ", text[:_MAX_TEXT_CHARS]).encode("utf-8", "replace").decode()
    return words.replace("ß", f"ss{_SHARP_S}").replace("ẞ", f"SS{_SHARP_S}")


def folded(text: str) -> str:
    """Removes case and accents, for comparing names. The function is also registered in SQL."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _match(words: str) -> str:
    """Returns the user's words as an FTS5 query: every word must occur, the last one as a prefix. Quotes make phrases."""
    parts = [phrase or word for phrase, word in re.findall(r'"([^"]*)"|(\S+)', words.replace("ß", "ss").replace("ẞ", "SS"))]
    quoted = [f'"{part.replace(chr(34), "")}"' for part in parts if re.search(r"\w", part)]
    if quoted and not words.rstrip().endswith('"'):
        quoted[-1] += "*"
    return " ".join(quoted)


def conditions(filters: Filters) -> tuple[list[str], list[Any]]:
    """Returns SQL conditions on `newest` as d, joined by AND, and their values."""
    found: list[str] = []
    values: list[Any] = []
    if filters.outcome:
        found.append(f"{OUTCOME} = ?")
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
        like = folded(filters.words.strip()).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        match = _match(filters.words)
        in_text = " OR d.id IN (SELECT rowid >> 20 FROM texts WHERE texts MATCH ?)" if match else ""
        found.append(f"(folded(d.name) LIKE ? ESCAPE '\\'{in_text})")
        values += [f"%{like}%", *([match] if match else [])]
    return found, values


def found_in(db: sqlite3.Connection, row: int, words: str) -> list[dict[str, Any]]:
    """Returns the first pages of the document with the words, each with an excerpt."""
    match = _match(words)
    if not match:
        return []
    query = (
        "SELECT rowid, snippet(texts, 0, char(2), char(3), ' … ', 16) FROM texts WHERE texts MATCH ? AND rowid BETWEEN ? AND ?"
        " ORDER BY rowid LIMIT ?"
    )
    return [
        {"page": rowid - (row << PAGE_BITS), "excerpt": excerpt.replace(f"ss{_SHARP_S}", "ß").replace(f"SS{_SHARP_S}", "ẞ")}
        for rowid, excerpt in db.execute(query, (match, *rowids(row), _MOST_FOUND))
    ]


def count_more(db: sqlite3.Connection, row: int, words: str) -> int:
    """Returns the number of pages with the words that `found_in` leaves out."""
    match = _match(words)
    if not match:
        return 0
    query = "SELECT COUNT(*) FROM texts WHERE texts MATCH ? AND rowid BETWEEN ? AND ?"
    (count,) = db.execute(query, (match, *rowids(row))).fetchone()
    return max(0, int(count) - _MOST_FOUND)


def rowids(row: int) -> tuple[int, int]:
    return row << PAGE_BITS, ((row + 1) << PAGE_BITS) - 1
