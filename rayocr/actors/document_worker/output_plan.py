"""Decides which outputs are written, and whether the source may be opened for them, after processes crashed during assembly.

A source that crashes PDFium must not cause the loss of a document whose pages are all recorded and paid for.
"""

from __future__ import annotations

from dataclasses import dataclass

from rayocr.outputs.base import Output
from rayocr.outputs.markdown import MarkdownOutput

# Number of crashes after which the source is still opened; the first may have another cause, such as a lack of memory.
_WITH_SOURCE = 1
_TYPESET = 2  # number of crashes after which outputs are still typeset


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """The outputs that are written for a document. `notes`: sentences for the manifest about missing content."""

    outputs: tuple[type[Output], ...]
    opens_source: bool
    notes: tuple[str, ...] = ()
    normalizes: bool = True  # normalize the style of the text; false if this may have crashed the processes


def plan_outputs(outputs: tuple[type[Output], ...], crashes: int) -> OutputPlan:
    """Returns at least one output: Markdown if none of the requested outputs can be written."""
    if crashes <= _WITH_SOURCE:
        return OutputPlan(outputs, opens_source=any(output.needs_source for output in outputs))
    kept = tuple(output for output in outputs if not output.needs_source or (output.works_without_source and crashes <= _TYPESET))
    notes = [_missing(output) for output in outputs if output not in kept]
    if any(output.needs_source for output in kept):
        notes.append("Page sizes and page labels differ from the source: opening the source crashed the process.")
    return OutputPlan(kept or (MarkdownOutput,), opens_source=False, notes=tuple(notes), normalizes=crashes <= _TYPESET)


def without_source(outputs: tuple[type[Output], ...]) -> OutputPlan:
    """Returns the plan for a source that can no longer be opened."""
    return plan_outputs(outputs, _WITH_SOURCE + 1)


def _missing(output: type[Output]) -> str:
    return f"{output.name} is not written: the document crashed the process that assembled it."
