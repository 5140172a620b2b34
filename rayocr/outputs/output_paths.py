"""Where a document's outputs go: from what the source calls a file to a path that any file system and bucket takes.

Pure and the same everywhere and always. The stem of `reports/2024/a.pdf` is `reports/2024/a`; only a name that cannot be kept
(it would leave the destination, is reserved on Windows, is too long) is changed, and then carries a hash of what it was, so that
two names that are changed do not meet. Names that are different and still mean one file somewhere (case, Unicode composition)
are told by `folded`, and kept apart by claims (`rayocr/actors/document_worker/output_names.py`).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

PART_BYTES = 255  # file systems end a part of a path here
STEM_BYTES = 255 - len(".searchable.pdf")  # of the last part: every output adds its suffix
PATH_BYTES = 880  # of the whole: a bucket ends a name at 1,024, with the prefix of the destination

# Backslashes part folders on Windows, and control characters are no part of a name: Google Cloud Storage takes no line breaks.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_DRIVE = re.compile(r"^([A-Za-z]):")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
# A folder of such a name may lie where an output of another document goes.
_OUTPUT_ENDINGS = (".md", ".jsonl", ".clean.pdf", ".searchable.pdf")
_STATE = ".rayocr"


def output_stem(name: str) -> str:
    """The path below the destination, without a suffix, that the outputs of the document of this name share."""
    *folders, file = name.split("/")
    stem = file[: -len(".pdf")] if file.lower().endswith(".pdf") else file
    parts = [_folder(part) for part in folders if part]
    parts.append(_file(stem or file, name))
    path = "/".join(parts)
    return path if _size(path) <= PATH_BYTES else _short_path(parts, name)


def with_mark(stem: str, of: str, *, digits: int = 8) -> str:
    """The stem with so many digits of a hash of `of` behind it, no longer than a stem may be."""
    folder, slash, file = stem.rpartition("/")
    mark = "~" + hashlib.sha256(of.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
    return folder + slash + _cut(file, STEM_BYTES - len(mark)) + mark


def folded(stem: str) -> str:
    """Equal for stems that are the same file on a file system that does not tell case or Unicode composition apart."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", stem).casefold())


def _folder(part: str) -> str:
    clean = _DRIVE.sub(r"\1_", _FORBIDDEN.sub("_", part)).rstrip(" .") or "_"
    plain = folded(clean)
    if _RESERVED.fullmatch(clean.split(".")[0].rstrip()):
        clean = "_" + clean
    if clean == part and plain != _STATE and not plain.endswith(_OUTPUT_ENDINGS) and _size(part) <= PART_BYTES:
        return part
    mark = "~" + hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return _cut(clean, PART_BYTES - len(mark)) + mark


def _file(stem: str, name: str) -> str:
    clean = _DRIVE.sub(r"\1_", _FORBIDDEN.sub("_", stem))
    if _RESERVED.fullmatch(clean.split(".")[0].rstrip()):
        clean = "_" + clean
    if clean.strip(".") == "":
        clean = "_"
    return clean if clean == stem and _size(stem) <= STEM_BYTES else with_mark(clean, name)


def _short_path(parts: list[str], name: str) -> str:
    """The first folders, as many as there is room for, and the file with a hash of the whole name."""
    file = with_mark(parts[-1], name)
    kept: list[str] = []
    for part in parts[:-1]:
        if _size("/".join([*kept, part, file])) > PATH_BYTES:
            break
        kept.append(part)
    return "/".join([*kept, file])


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _cut(text: str, size_bytes: int) -> str:
    while _size(text) > size_bytes:
        text = text[: -max(1, (_size(text) - size_bytes) // 4)]
    return text
