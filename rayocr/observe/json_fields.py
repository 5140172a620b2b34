"""Defines the fields of each `--json` output with their meanings. docs/outputs.md has the tables. A command always prints all
fields of its table, even after an error. Unknown values are null."""

from __future__ import annotations

from typing import Any

from rayocr.errors import RayocrError
from rayocr.observe.figures import FIGURES

SCHEMA_VERSION = 1

_VERSION = {"schema_version": "The version of these fields: 1. Incompatible changes increase it."}

ERROR = {
    "error": "The error in one sentence.",
    "reason": "The class of rayocr.errors.",
    "hint": "The next step, or null.",
    "exit_code": "The exit code of the command.",
}

RUN = {
    **_VERSION,
    "run_id": "The id of the run.",
    "rayocr_version": "The version of rayocr.",
    "finished_at": "The time at which the run ended, ISO 8601, UTC.",
    "elapsed_s": "Duration in seconds.",
    "documents": "Documents of this run by outcome.",
    "finished_before": "Documents that were finished when the run began.",
    "pages": "Pages of this run by outcome.",
    "engines": "Pages of this run by engine.",
    "reasons": "Failed pages and rejected documents of this run, by reason.",
    "input_tokens": "Tokens that were sent.",
    "output_tokens": "Tokens that were received.",
    "cached_tokens": "Tokens that the server took from its cache.",
    **{figure.record: figure.help for figure in FIGURES if figure.record},
    "settings_fingerprint": "Identifies the options that change the text.",
    "options": "The options of the run that differ from the defaults, and its engine, as key=value.",
    "exit_code": "The exit code of the command.",
    "error": "The error that stopped the run, or null.",
    "reason": "The class of rayocr.errors that stopped the run, or null.",
    "hint": "The next step for `error`, or null.",
    "failures": "The first 20 failed documents of the destination, those of this run first, each with `document_id`, `name`,"
    " `outcome`, `reason`, `message` and `pages`.",
    "failed_documents": "Number of failed documents in the destination, dismissed ones excluded.",
    "failed_earlier": "Number of failed documents that failed in earlier runs and not in this one.",
    "retry_with": "The commands that retry failed documents; empty if a retry cannot help.",
    "corrections": "Pages that a person corrected, in documents of this run.",
    "outputs_added": "Outputs that finished documents got from recorded pages, by format.",
    "outputs_missing": "Outputs that finished documents still lack, by format.",
    "outputs": "The place of the outputs.",
    "report": "The place of the report, or null.",
    "record": "The place of the record of the run, or null.",
    "failure_records": "The place of the records of failures, or null.",
}

STATUS = {
    **_VERSION,
    "finished": "Finished documents, each in its newest version.",
    "complete": "Finished documents without failures.",
    "failed": "Documents with failures, dismissed ones excluded.",
    "cost_usd": "Total cost of the runs on record; null if that is unknown.",
    "replaced": "Earlier versions of replaced files, which are not counted; null if there are too many records to find them.",
    "unopened": "Failed documents that every run tries again, because the cause is outside the file.",
    "not_started": "The first PDFs of the interrupted run that have not been started.",
    "dismissed": "Documents whose failure was dismissed.",
    "dismissed_documents": "Names of the dismissed documents.",
    "pages_on_record": "Pages of unfinished documents that will not be read again.",
    "unfinished_documents": "Unfinished documents with pages on record.",
    "segments": "Number of ledger files.",
    "segment_bytes": "Size of the ledger files.",
    "failures": "The first 20 failed documents, each with `document_id`, `name`, `outcome`, `reason`, `message` and `pages`.",
    "failures_by_reason": "Failed documents by reason.",
    "failures_by_outcome": "Failed documents by outcome.",
    "active_runs": "Runs in progress.",
    "interrupted_runs": "Runs that did not finish.",
    "hints": "Next steps, by reason.",
    "retry": "The commands that retry failed documents.",
    "corrections": "Corrections of earlier versions of files, not yet applied or discarded.",
    "damaged": "Damaged or unknown files of the state.",
    "warnings": "Facts that could not be determined.",
}

ESTIMATE = {
    **_VERSION,
    "documents": "Documents to read.",
    "documents_opened": "Documents that were opened to count pages.",
    "unreadable": "Opened documents that cannot be read.",
    "unreadable_documents": "Names of the unreadable documents, with the reasons.",
    "pages": "Pages to read, estimated if not all documents were opened.",
    "pages_error": "Two standard errors of `pages`.",
    "pages_with_text": "Pages with a reliable text layer; null if Gemini reads the pages.",
    "pages_local": "Pages that local engines read beside Gemini.",
    "chain": "The engines, in order.",
    "model": "The Gemini model.",
    "tier": "The service tier of Gemini.",
    "input_tokens": "Tokens to send.",
    "output_tokens": "Tokens to receive.",
    "cost_usd": "The cost; null if the price is unknown.",
    "cost_usd_range": "Lowest and highest likely cost.",
    "lanes_usd": "The cost of each service tier.",
    "seconds": "Duration in seconds.",
    "seconds_range": "Shortest and longest likely duration.",
    "limited_by": "The limit that determines the duration.",
    "source": "The source.",
    "place": "The destination.",
    "finished": "Documents that are finished in the destination.",
}

REPORT = {
    **_VERSION,
    "documents": "Documents by outcome.",
    "dismissed": "Documents whose failure was dismissed.",
    "report": "The place of the report.",
}
CORRECT = {
    **_VERSION,
    "document": "Name of the document.",
    "document_id": "Id of the document.",
    "page": "Number of the page.",
    "changed": "Whether the page has a new text.",
    "undone": "Whether a correction was undone.",
    "author": "The person who corrected the page; null if the text is unchanged.",
    "written": "Outputs that were written again.",
    "not_updated": "Outputs that show the correction only when the document is read again.",
}
REREAD = {
    **_VERSION,
    "document": "Name of the document.",
    "document_id": "Id of the document.",
    "pages": "The pages, each with `page`, `old` and `new` (with `text`, `engine`, `outcome`, `reason`, `message` and `doubts`),"
    " `diff` (a unified diff), `cost_usd` (null if the price is unknown), `seconds`, and `accepted`.",
    "cost_usd": "The cost of all pages; null if a price is unknown.",
    "author": "The person who accepted the new texts; null if no text was accepted.",
    "written": "Outputs that were written again.",
    "not_updated": "Outputs that show the new texts only when the document is read again.",
    "error": "The error that stopped the command before the last page, or null.",
}
DISMISS = {**_VERSION, "dismissed": "Names of the documents whose failure was dismissed now."}

TABLES = {
    "rayocr IN OUT, retry, watch": RUN,
    "status": STATUS,
    "estimate": ESTIMATE,
    "report": REPORT,
    "dismiss": DISMISS,
    "correct": CORRECT,
    "reread": REREAD,
    "a command that an error stops (exit codes 2, 3 and 130)": _VERSION | ERROR,
}


def error_json(error: RayocrError | None) -> dict[str, Any]:
    """Returns the fields of ERROR; null for a command that no error stopped."""
    if error is None:
        return dict.fromkeys(ERROR)
    return {"error": str(error), "reason": error.reason, "hint": error.hint, "exit_code": error.exit_code}


def tables() -> str:
    """Returns the tables as Markdown."""
    found = []
    for command, fields in TABLES.items():
        rows = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in fields.items())
        found.append(f"**{command[0].upper()}{command[1:]}**\n\n| field | meaning |\n|---|---|\n{rows}\n")
    return "\n".join(found)
