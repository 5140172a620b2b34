"""What a model wraps around a page, taken off: code fences, introduction and goodbye; and a refusal that came as text.

Pure. Cautious: a page that is itself a listing keeps its fence (a fence with the name of a language is the page's), and only
sentences about the task itself, at the very beginning or end, are taken for the model's own.
"""

from __future__ import annotations

import re

from rayocr.engines.answers.chatter import without_chatter

_FENCE = re.compile(
    r"^```[ \t]*(?:markdown|md|text|txt|plaintext)?[ \t]*\n(?P<inner>.*?)\n?^```[ \t]*$", re.DOTALL | re.MULTILINE | re.I
)
_REFUSAL = re.compile(
    r"\A(?:(?:i['’]m|i am) sorry[,.]?\s+|sorry[,.]?\s+|i apologi[sz]e[,.]?\s+|unfortunately[,.]?\s+)?(?:but\s+)?"
    r"(?:as an ai\b[^.\n]{0,60}[,.]?\s*)?i(?:['’]m| am)?\s+(?:cannot|can['’]?t|can not|unable to|not able to)\s+"
    r"(?:assist|help|transcribe|translate|process|provide|fulfil|comply|complete|extract|reproduce"
    r"|read (?:this|the) (?:page|image|document))",
    re.I,
)
_REFUSAL_CHARS = 400  # a longer answer is a page on which somebody is sorry


def unwrapped(text: str) -> str:
    """The page's Markdown without what the model put around it."""
    text = without_chatter(text.strip())
    blocks = list(_FENCE.finditer(text))
    # Only when nothing but fences is there: a fence in the middle of a page belongs to the page.
    if blocks and not _FENCE.sub("", text).strip():
        text = without_chatter("\n\n".join(block["inner"].strip("\n") for block in blocks).strip())
    return text


def is_refusal(text: str) -> bool:
    return len(text) <= _REFUSAL_CHARS and _REFUSAL.match(text.strip()) is not None
