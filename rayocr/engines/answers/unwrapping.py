"""Removes text that a model adds around a page (code fences, introduction, closing remark) and detects a refusal written as text.

Pure functions. A page that is itself a listing keeps its fence: a fence with the name of a language belongs to the page. Only
sentences about the task itself, at the very beginning or end, count as the model's own.
"""

from __future__ import annotations

import re

from rayocr.engines.answers.chatter import without_chatter
from rayocr.engines.answers.off_loop import MAX_ANSWER_CHARS

_FENCE = re.compile(r"```[ \t]*+(?:(?:markdown|md|text|txt|plaintext)[ \t]*+)?", re.IGNORECASE)
_LONG_RUNS = re.compile(r"([^\S\n])\1{200,}|\n(?:[^\S\n]*+\n){100,}")
_ASCII_RUNS = [chr(code) * 201 for code in range(128) if chr(code).isspace() and chr(code) != "\n"]
_REFUSAL = re.compile(
    r"\A(?:(?:i['’]m|i am) sorry[,.]?\s+|sorry[,.]?\s+|i apologi[sz]e[,.]?\s+|unfortunately[,.]?\s+)?(?:but\s+)?"
    r"(?:as an ai\b[^.\n]{0,60}[,.]?\s*)?i(?:['’]m| am)?\s+(?:cannot|can['’]?t|can not|unable to|not able to)\s+"
    r"(?:assist|help|transcribe|translate|process|provide|fulfil|comply|complete|extract|reproduce"
    r"|read (?:this|the) (?:page|image|document))",
    re.I,
)
_REFUSAL_CHARS = 400  # a longer answer is a page that contains such a sentence itself


def unwrapped(text: str) -> str:
    """Returns the page's Markdown without text that the model added around it."""
    text = _without_long_runs(text).strip()
    if len(text) > MAX_ANSWER_CHARS:
        return text  # the checks reject this answer
    text = without_chatter(text)
    # Fences are removed only if the answer consists of them. A fence in the middle of a page belongs to the page.
    blocks = _nothing_but_fences(text)
    return without_chatter("\n\n".join(blocks).strip()) if blocks else text


def _without_long_runs(text: str) -> str:
    """Shortens runs of blanks. No page has thousands in a row, but a looping model writes hundreds of thousands."""
    if text.isascii() and text.count("\n") <= 100 and not any(run in text for run in _ASCII_RUNS):
        return text  # the same result in a tenth of the time
    return _LONG_RUNS.sub(lambda run: run.group()[:200] if run[1] else "\n\n", text)


def _nothing_but_fences(text: str) -> list[str]:
    """Returns the contents of the fences if only blank lines are between them; otherwise an empty list."""
    blocks: list[str] = []
    inside: list[str] | None = None
    for line in text.split("\n"):
        if inside is not None and line.startswith("```") and not line[3:].strip():
            blocks.append("\n".join(inside).strip("\n"))
            inside = None
        elif inside is not None:
            inside.append(line)
        elif _FENCE.fullmatch(line):
            inside = []
        elif line.strip():
            return []
    return blocks if inside is None else []


def is_refusal(text: str) -> bool:
    return len(text) <= _REFUSAL_CHARS and _REFUSAL.match(text.strip()) is not None
