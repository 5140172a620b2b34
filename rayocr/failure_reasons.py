"""Explains recorded reasons, which are names of classes in rayocr.errors: the cause, the next step, and whether a retry can
help."""

from __future__ import annotations

import re
from typing import NamedTuple

from rayocr import errors
from rayocr.errors import DocumentError, RayocrError

_RETRY = "Retry the failed pages: rayocr retry OUT"
_OTHER_ENGINE = "Let another engine read these pages: rayocr retry OUT engine=local   (or another engine.chain=)"
_OTHER_MODEL = "Another engine may read the page: rayocr retry OUT engine=local"
_LOCAL_ENGINES = "If a model read the page, the local engines may read more: rayocr retry OUT engine=local"
_BY_HAND = (
    "   To write its text yourself (nothing, for a picture without text): rayocr correct OUT NAME PAGE --file page.md   To stop"
    " reporting it: rayocr dismiss OUT document=NAME"
)


class Explanation(NamedTuple):
    """The explanation of a reason. `step`: the next step of the user; "" if there is none."""

    meaning: str
    step: str


_PAGES = {
    "EngineUnavailable": ("The engine is not installed on the machine that read the page.", _OTHER_ENGINE),
    "LanguagePackMissing": (
        "Tesseract has no language pack for the script of the page.",
        "Install the pack, then: rayocr retry OUT",
    ),
    "NoTextLayer": ("The page has no reliable text layer, and no OCR engine is in the chain.", _OTHER_ENGINE),
    "EngineTimeout": ("The server did not answer in time.", _RETRY),
    "EngineOverloaded": ("The server was overloaded.", _RETRY),
    "EngineConnectionLost": ("The connection to the server broke.", _RETRY),
    "EngineRateLimited": ("The server refused requests because of its limits.", _RETRY),
    "BatchIncomplete": ("A batch job ended without the page.", _RETRY),
    "BatchGone": ("The server no longer has the batch job.", _RETRY),
    "EngineRejected": (
        "The server called the request invalid.",
        "The message of the failure contains the reason; the log has the whole answer.",
    ),
    "PageUnrenderable": ("The page cannot be drawn.", "Open it in another viewer, and save the document again from there."),
    "PictureUndecodable": ("A picture on the page cannot be decoded.", "Read it with engine=gemini, or save the document again."),
    "PageTooSlow": ("Drawing the page takes too much CPU time.", errors.PageTooSlow.default_hint),
    "PageQuarantined": ("The page ended its worker process twice.", errors.PageQuarantined.default_hint),
    "Refused": ("The model refused to answer, for example because it knows the text (RECITATION).", _OTHER_MODEL),
    "Truncated": ("The answer was truncated at the model's limit.", "Raise engine.gemini.max_output_tokens, then retry."),
    "RepetitionLoop": ("The model repeated itself.", _OTHER_MODEL),
    "EmptyAnswer": ("The answer was empty, although the page has ink.", _LOCAL_ENGINES + _BY_HAND),
    "TextOnBlankPage": ("The model invented text on a blank page.", _OTHER_MODEL),
    "LowConfidence": ("The local engine read the page with low confidence.", _OTHER_ENGINE),
    "Unreadable": ("The engine read almost no text, often because it does not support the script.", _OTHER_ENGINE),
    "MalformedAnswer": ("The server's answer has no usable text.", _RETRY),
}
_DOCUMENTS = {
    "NotAPdf": "The file is not a PDF, although its name ends in .pdf.",
    "CorruptPdf": "The PDF is damaged or truncated.",
    "EncryptedPdf": "The PDF is encrypted, and rayocr has no password for it.",
    "EmptyPdf": "The PDF has no pages.",
    "DocumentTooLarge": "The document has more bytes or pages than the limits allow.",
    "UnreadableSource": "The file cannot be read at the source: access is denied, or it is damaged or deleted.",
    "UnusableName": "The destination does not accept the name of the document.",
    "Quarantined": "The document ended its reader process twice.",
    "InternalError": "A bug in rayocr. The traceback is in the log (logs/json).",
}


def rejects_document(reason: str) -> bool:
    """Returns whether the reason concerns a whole document, not a page. Returns False for reasons of other versions."""
    return issubclass(getattr(errors, reason, RayocrError), DocumentError)


def retry_helps(reason: str) -> bool:
    """Returns whether reading the unchanged file again can succeed. Returns True for reasons of other versions."""
    return not getattr(getattr(errors, reason, RayocrError), "needs_new_file", False)


def next_run_retries(reason: str | None) -> bool:
    """Returns whether every run tries such a document again, because the cause is outside the file."""
    return bool(getattr(getattr(errors, reason or "", RayocrError), "next_run_retries", False))


def explanation(name: str) -> Explanation | None:
    """Returns the explanation; None for a name that is not an error of rayocr."""
    kind = getattr(errors, name, None)
    if not (isinstance(kind, type) and issubclass(kind, RayocrError)):
        return None
    if name in _PAGES:
        meaning, step = _PAGES[name]
        return Explanation(meaning, step or "")
    described = re.search(rf"── {name}\s+(?:exit \d: )?(\S.*)", errors.__doc__ or "")
    meaning = _DOCUMENTS.get(name) or (f"{described[1][0].upper()}{described[1][1:]}." if described else "")
    return Explanation(meaning, kind.default_hint or "")


def step_for_one_document(step: str) -> str:
    """Returns the next step for a reader of one document, who has neither runs nor patterns; "" if nothing is left of it."""
    step = re.sub(r"\s*To stop reporting this one: .*", "", step).replace(" beside it;", ";")
    step = re.sub(r"[,;:] (?:which )?(?:the next run|rayocr then|rayocr) [^.]*", "", step)
    of_runs = re.compile(r"next run|\bretry\b|exclude=|mode=")
    return " ".join(sentence for sentence in re.split(r"(?<=\.)\s+", step) if not of_runs.search(sentence))


def special_step(reason: str) -> str:
    """Returns the next step, unless it is only a retry. `rayocr retry OUT` stands for the command with the destination."""
    found = explanation(reason)
    return found.step if found is not None and found.step != _RETRY else ""
