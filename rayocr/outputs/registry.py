"""Maps the names in `outputs=` to their classes."""

from __future__ import annotations

from collections.abc import Sequence

from rayocr.config.ranges import choose
from rayocr.errors import UsageError
from rayocr.outputs.base import Output
from rayocr.outputs.clean_pdf import CleanPdfOutput
from rayocr.outputs.jsonl import JsonlOutput
from rayocr.outputs.markdown import MarkdownOutput
from rayocr.outputs.parquet import ParquetOutput
from rayocr.outputs.searchable_pdf import SearchablePdfOutput

_ALL: tuple[type[Output], ...] = (MarkdownOutput, CleanPdfOutput, SearchablePdfOutput, JsonlOutput, ParquetOutput)
_OTHER_WORDS = {
    **dict.fromkeys(("md", "text", "txt"), "markdown"),
    **dict.fromkeys(("json", "ndjson"), "jsonl"),
    **dict.fromkeys(("pdf", "pdfa"), "clean_pdf or searchable_pdf"),
}
_OUTPUTS = {output.name: output for output in _ALL}


def parse_outputs(words: Sequence[str]) -> tuple[type[Output], ...]:
    """Parses `outputs=`. Raises UsageError for an unknown name, and for an output whose package is not installed."""
    for word in words:
        if word not in _OUTPUTS:
            raise UsageError(f"There is no output {word!r}.", hint=choose(word, _OUTPUTS, _OTHER_WORDS))
        _OUTPUTS[word].check()
    return tuple(_OUTPUTS[word] for word in dict.fromkeys(words))


def all_outputs() -> tuple[type[Output], ...]:
    return _ALL


def pdf_suffixes() -> tuple[str, ...]:
    """Returns the suffixes of the outputs that are PDFs. rayocr must not read these files as documents if they are beside their
    sources."""
    return tuple(output.suffix for output in _OUTPUTS.values() if output.suffix.endswith(".pdf"))
