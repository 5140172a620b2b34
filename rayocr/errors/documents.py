"""Defines the errors of one document."""

from __future__ import annotations

from rayocr.errors.base import RayocrError


class DocumentError(RayocrError):
    """A whole document is rejected. `needs_new_file`: reading the unchanged file again cannot succeed. `next_run_retries`: the
    cause is outside the file, so every run tries the document again, although it is finished."""

    needs_new_file: bool = False
    next_run_retries: bool = False


class NotAPdf(DocumentError):
    needs_new_file = True
    default_hint = (
        "Check where the file comes from, and replace it with a PDF, which the next run reads as a new document. To leave it out:"
        " exclude=."
    )


class CorruptPdf(DocumentError):
    needs_new_file = True
    default_hint = (
        "Replace the file: download or scan it again, or repair it (for example with qpdf). The next run reads it as a new"
        " document."
    )


class EncryptedPdf(DocumentError):
    needs_new_file = True
    default_hint = (
        "Save a copy without the password beside it; rayocr reads the copy as a new document. To stop reporting this one: rayocr"
        " dismiss OUT document=NAME"
    )


class EmptyPdf(DocumentError):
    needs_new_file = True
    default_hint = "Replace the file; the next run reads it as a new document."


class DocumentTooLarge(DocumentError):
    default_hint = "Split the document, or raise limits.max_document_bytes or limits.max_document_pages."


class UnreadableSource(DocumentError):
    """The source of the document cannot be read. `gone`: the document was removed from the source. `denied`: the storage denies
    access to the document."""

    next_run_retries = True
    default_hint = "Check the file's permissions; the next run tries to read it again."

    def __init__(self, message: str = "", *, hint: str | None = None, gone: bool = False, denied: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.gone = gone
        self.denied = denied


class UnusableName(DocumentError):
    needs_new_file = True
    default_hint = "Rename the document at its source; rayocr then reads it as a new document."


class Quarantined(DocumentError):
    default_hint = (
        "It crashed its reader process twice. Repair or convert it: the next run reads it as a new document. To try it unchanged:"
        " mode=retry retry.rejected=true."
    )


class InternalError(DocumentError):
    exit_code = 3


class TypesettingFailed(RayocrError):
    pass
