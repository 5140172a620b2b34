"""Maps names in Drive to safe, unique paths and back.

Drive allows any character in a name, and several items with the same name in a folder. Therefore `/` and control characters are
replaced by similar characters (`／`, `␊`), and of several files with the same name the oldest keeps it while the others get their
id appended: `a~1AbC….pdf`. Names are stable as long as the older files exist. drive.google.com/file/d/ID opens a file by its id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rayocr.errors import UnsafeName
from rayocr.storage.os_errors import printable

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"
_GOOGLE = "application/vnd.google-apps."  # Google's own documents, sheets and forms, which have no bytes
_SLASH = "\uff0f"
_DOT = "\uff0e"
_MARKED = re.compile(r"(.+)~([A-Za-z0-9_-]{10,})(\.[^./]{1,16})?", re.DOTALL)
_SUBSTITUTES = {ord("/"): _SLASH, 0x7F: "\u2421"} | {code: chr(0x2400 + code) for code in range(0x20)}
_SUBSTITUTES |= dict.fromkeys((*range(0x80, 0xA0), 0x2028, 0x2029), "\ufffd")
_SHOWN = frozenset(_SUBSTITUTES.values()) | {_DOT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file, folder or shortcut in Drive. `created`: RFC 3339, which sorts as text."""

    id: str
    name: str
    mime_type: str
    size_bytes: int = 0
    md5: str = ""
    revision: str = ""
    modified: str = ""
    created: str = ""
    parents: tuple[str, ...] = ()
    drive_id: str | None = None  # id of the shared drive that contains the item
    target_id: str | None = None  # id of a shortcut's target
    target_type: str = ""
    resource_key: str | None = None
    target_key: str | None = None  # the resource key of a shortcut's target
    trashed: bool = False

    @property
    def is_folder(self) -> bool:
        return self.mime_type == FOLDER

    @property
    def is_file(self) -> bool:
        """Returns whether the item has its own bytes."""
        return not self.mime_type.startswith(_GOOGLE)

    @property
    def version(self) -> str:
        return f"{self.revision}-{self.md5}"

    @property
    def age_key(self) -> tuple[str, str]:
        """Returns a sort key that is unique per item and puts the oldest first."""
        return self.created, self.id


def shown(name: str) -> str:
    """Returns the name as one part of a path."""
    text = name.translate(_SUBSTITUTES)
    if not text:
        return "_"
    return text.replace(".", _DOT) if text in (".", "..") else text


def stored(part: str) -> str:
    """Returns the name in Drive for a part of rayocr's path. Raises UnsafeName."""
    try:
        part.encode()
    except UnicodeEncodeError as error:
        raise UnsafeName(f"Google Drive allows only Unicode names: {printable(part)}") from error
    return shown(part)


def may_be_shown(part: str) -> bool:
    """Returns whether the item for this part may have another name in Drive."""
    return part == "_" or any(character in _SHOWN for character in part)


def marked_id(part: str) -> str | None:
    """Returns the id in a name that was made unique, if it looks like one."""
    match = _MARKED.fullmatch(part)
    return match.group(2) if match else None


def literal(text: str) -> str:
    """Quotes a string for a query of files.list."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def distinct(items: Iterable[Item]) -> Iterator[tuple[str, Item]]:
    """Gives each item a unique name. The oldest of several items with the same name keeps it."""
    later = []
    taken = set()
    for item in sorted(items, key=lambda item: item.age_key):
        name = shown(item.name)
        if name in taken:
            later.append((name, item))
        else:
            taken.add(name)
            yield name, item
    for name, item in later:
        while name in taken:
            name = marked(name, item.id)
        taken.add(name)
        yield name, item


def marked(name: str, identifier: str) -> str:
    """Returns the name with the id before its suffix."""
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > 16 or not suffix:
        return f"{name}~{identifier}"
    return f"{stem}~{identifier}{dot}{suffix}"
