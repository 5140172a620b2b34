"""The errors for a source without a document to read: options leave all of them out, or its files are not PDFs."""

from __future__ import annotations

from rayocr.config import RayocrConfig
from rayocr.driver.monitor.terminal import printable
from rayocr.errors import UsageError
from rayocr.messages import DiscoveryTotals
from rayocr.overrides import quoted


def nothing_passes(config: RayocrConfig, totals: DiscoveryTotals) -> UsageError | None:
    """The error for options that leave out every document of the source; None if some pass, or if there are none."""
    if totals.found or not totals.filtered or not (config.include or config.exclude or config.min_bytes or config.max_bytes):
        return None
    given: dict[str, object] = {"include": list(config.include), "exclude": list(config.exclude)}
    given |= {"min_bytes": config.min_bytes, "max_bytes": config.max_bytes}
    options = ", ".join(
        f"{name}={quoted(list(value) if isinstance(value, list) else value)}" for name, value in given.items() if value
    )
    count = "the only PDF" if totals.filtered == 1 else f"all {totals.filtered:,} PDFs"
    folder = any(not set(pattern) & set("*?[.") for pattern in config.include)
    example = totals.filtered_name.partition("/")[0] if "/" in totals.filtered_name else "2024"
    hint = f"Patterns match whole names below the source: write include={example}/* for a folder." if folder else None
    return UsageError(
        f"Nothing to read: {printable(options)} leaves out {count} of the source, for example {printable(totals.filtered_name)}.",
        hint=hint or "Patterns match whole names below the source, case-sensitively; `*` also matches `/`.",
    )


def no_pdfs(place: str, totals: DiscoveryTotals) -> UsageError | None:
    """The error for a source whose files are all outputs of rayocr, or no PDFs; None if it has PDFs or no files."""
    if totals.found or not (totals.others or totals.own_outputs):
        return None
    parts = []
    if totals.own_outputs:
        parts.append("1 is an output of rayocr" if totals.own_outputs == 1 else f"{totals.own_outputs:,} are outputs of rayocr")
    if totals.others:
        example = printable(totals.other_name)
        parts.append(
            f"1 is not named .pdf ({example})"
            if totals.others == 1
            else f"{totals.others:,} are not named .pdf (such as {example})"
        )
    count = totals.own_outputs + totals.others
    files = "file was skipped" if count == 1 else "files were skipped"
    pictures = totals.other_name.lower().endswith((".jpg", ".jpeg", ".png", ".tif", ".tiff"))
    convert = " Pictures can be converted, for example: img2pdf picture.jpg -o picture.pdf" if pictures else ""
    hint = "IN and OUT may be swapped: rayocr IN OUT" if totals.own_outputs else "Name the folder with the PDFs: rayocr IN OUT"
    return UsageError(f"There are no PDFs in {place}: {count:,} {files}; {' and '.join(parts)}.", hint=f"{hint}.{convert}")
