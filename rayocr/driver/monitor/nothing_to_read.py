"""Creates the errors for a source without a document to read: options exclude all of them, or its files are not PDFs."""

from __future__ import annotations

from rayocr.config import Mode, RayocrConfig
from rayocr.driver.monitor.terminal import ConsoleTerminal, printable
from rayocr.errors import UsageError
from rayocr.messages import DiscoveryTotals
from rayocr.overrides import literal, pattern_option


def nothing_passes(config: RayocrConfig, totals: DiscoveryTotals) -> UsageError | None:
    """Returns the error for options that leave out every document of the source; None if some pass, or if there are none."""
    if totals.found or not totals.filtered or not (config.include or config.exclude or config.min_bytes or config.max_bytes):
        return None
    given: dict[str, object] = {"include": list(config.include), "exclude": list(config.exclude)}
    given |= {"min_bytes": config.min_bytes, "max_bytes": config.max_bytes}
    options = ", ".join(
        f"{name}={literal(list(value) if isinstance(value, list) else value)}" for name, value in given.items() if value
    )
    count = "the only PDF" if totals.filtered == 1 else f"all {totals.filtered:,} PDFs"
    return UsageError(
        f"Nothing to read: {printable(options)} leaves out {count} of the source, for example {printable(totals.filtered_name)}.",
        hint=_pattern_hint(config, totals.filtered_name),
    )


def _pattern_hint(config: RayocrConfig, name: str) -> str:
    """Returns a hint. `name`: a document that the patterns exclude."""
    folders = [f"{'/'.join(name.split('/')[:depth])}/" for depth in range(1, name.count("/") + 1)]
    patterns = {pattern.rstrip("/") for pattern in config.include}
    meant = next((folder for folder in folders if folder.rstrip("/") in patterns), None)
    if meant is None and any(not set(pattern) & set("*?[.") for pattern in config.include):
        meant = folders[0] if folders else "2024/"
    if meant is not None:
        return f"Patterns match whole names below the source: write {pattern_option('include', f'{meant}*')} for a folder."
    example = pattern_option("include", name)
    return f"Patterns match whole names below the source, case-sensitively; `*` also matches `/`. For that document: {example}"


def warn_of_unmatched(terminal: ConsoleTerminal, config: RayocrConfig, totals: DiscoveryTotals) -> bool:
    """Names the patterns that match no document. With a misspelled exclude=, a run reads documents that it should exclude."""
    for option, patterns in (("include", config.include), ("exclude", config.exclude)):
        for pattern in dict.fromkeys(patterns):
            if pattern in totals.unmatched:
                terminal.warn(f"{printable(pattern_option(option, pattern))} matches no document of the source.")
    return bool(totals.unmatched)


def is_empty(config: RayocrConfig, place: str, totals: DiscoveryTotals) -> UsageError | None:
    """Returns the error of a run whose source has no files although exit.empty=2 requires some, such as a folder to which no disk
    is mounted; None otherwise."""
    has_something = totals.found or totals.filtered or totals.others or totals.own_outputs or totals.unreadable
    if has_something or config.mode is not Mode.run or config.exit.empty != 2:
        return None
    hint = "Check the path of the source. If it may be empty, set exit.empty=0, or watch it: rayocr watch IN OUT"
    return UsageError(f"There are no PDFs in {place}: it is empty.", hint=hint)


def not_pdfs(totals: DiscoveryTotals) -> str:
    """Returns a sentence about the files that are not PDFs, beside PDFs; "" if there are none."""
    if not totals.others:
        return ""
    example = printable(totals.other_name)
    if totals.others == 1:
        return f" Not read: 1 file that is not named .pdf ({example})."
    return f" Not read: {totals.others:,} files that are not named .pdf (such as {example})."


def no_pdfs(place: str, totals: DiscoveryTotals) -> UsageError | None:
    """Returns the error for a source whose files are all outputs of rayocr or not PDFs; None if it has PDFs or no files."""
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
