"""Derives a document's output path from its name at the source. Every file system and bucket accepts the path.

Pure functions. The output name of `reports/2024/a.pdf` is `reports/2024/a`. A name is changed only if it leaves the destination,
is reserved on Windows, or is too long. It then contains a hash of the original name, so changed names do not collide. `folded`
detects different names that are the same file on some systems (case, Unicode composition); reserved names keep those apart
(`rayocr/actors/document_worker/output_names.py`).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

PART_BYTES = 255  # limit of file systems for one part of a path, in bytes
STEM_BYTES = 255 - len(".searchable.pdf")  # limit of the last part, without the suffix of an output
PATH_BYTES = 880  # limit of the whole path: buckets allow 1,024 with the prefix of the destination

# Backslashes separate folders on Windows. Google Cloud Storage allows no line breaks, so control characters are replaced.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_DRIVE = re.compile(r"^([A-Za-z]):")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
# A folder with such a name can block the path of another document's output.
_OUTPUT_ENDINGS = (".md", ".jsonl", ".clean.pdf", ".searchable.pdf")
_STATE = ".rayocr"


def output_name(name: str) -> str:
    """Returns the path below the destination, without a suffix, that all outputs of the document share."""
    *folders, file = name.split("/")
    stem = file[: -len(".pdf")] if file.lower().endswith(".pdf") else file
    parts = [_folder(part) for part in folders if part]
    parts.append(_file(stem or file, name))
    path = "/".join(parts)
    return path if _size(path) <= PATH_BYTES else _short_path(parts, name)


def with_mark(stem: str, of: str, *, digits: int = 8) -> str:
    """Appends the first digits of a hash of `of` to the output name, within its length limit."""
    folder, slash, file = stem.rpartition("/")
    mark = "~" + hashlib.sha256(of.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
    return folder + slash + _cut(file, STEM_BYTES - len(mark)) + mark


def folded(stem: str) -> str:
    """Returns equal strings for output names that are the same file on a file system that ignores case or Unicode composition."""
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
    """Shortens a path: keeps as many leading folders as fit, and the file name with a hash of the whole name."""
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
