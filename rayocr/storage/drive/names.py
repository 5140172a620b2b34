"""What a thing in Drive is called on our side: a path that is safe, and one of its own, and the way back.

Drive takes any character in a name, and several things of one name in one folder. So `/` and control characters are shown by
look-alikes (`／`, `␊`), and of the files with one name the oldest keeps it while the others carry their id: `a~1AbC….pdf`. That
is the same in every listing as long as the older ones stay, and the id in it can be put behind drive.google.com/file/d/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rayocr.errors import UnsafeName
from rayocr.storage.os_errors import printable

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"
_GOOGLE = "application/vnd.google-apps."  # documents, sheets, forms …: they have no bytes
_SLASH = "\uff0f"
_DOT = "\uff0e"
_MARKED = re.compile(r"(.+)~([A-Za-z0-9_-]{10,})(\.[^./]{1,16})?", re.DOTALL)
_LOOK_ALIKES = {ord("/"): _SLASH, 0x7F: "\u2421"} | {code: chr(0x2400 + code) for code in range(0x20)}
_LOOK_ALIKES |= dict.fromkeys((*range(0x80, 0xA0), 0x2028, 0x2029), "\ufffd")
_SHOWN = frozenset(_LOOK_ALIKES.values()) | {_DOT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file, folder or shortcut as Drive tells of it. `created`: RFC 3339, which sorts as text."""

    id: str
    name: str
    mime_type: str
    size_bytes: int = 0
    md5: str = ""
    revision: str = ""
    modified: str = ""
    created: str = ""
    parents: tuple[str, ...] = ()
    drive_id: str | None = None  # of the shared drive that it is in
    target_id: str | None = None  # of a shortcut
    target_type: str = ""
    resource_key: str | None = None
    target_key: str | None = None  # the resource key of a shortcut's target
    trashed: bool = False

    @property
    def is_folder(self) -> bool:
        return self.mime_type == FOLDER

    @property
    def is_file(self) -> bool:
        """Whether it has bytes of its own."""
        return not self.mime_type.startswith(_GOOGLE)

    @property
    def version(self) -> str:
        return f"{self.revision}-{self.md5}"

    @property
    def age_key(self) -> tuple[str, str]:
        """Sorts the oldest first, and is never the same for two."""
        return self.created, self.id


def shown(name: str) -> str:
    """The name as one part of a path."""
    text = name.translate(_LOOK_ALIKES)
    if not text:
        return "_"
    return text.replace(".", _DOT) if text in (".", "..") else text


def stored(part: str) -> str:
    """The name in Drive for a part of a path of ours. Raises UnsafeName."""
    try:
        part.encode()
    except UnicodeEncodeError as error:
        raise UnsafeName(f"Google Drive takes Unicode names only: {printable(part)}") from error
    return shown(part)


def may_be_shown(part: str) -> bool:
    """Whether what is stored under this part may be called otherwise in Drive."""
    return part == "_" or any(character in _SHOWN for character in part)


def marked_id(part: str) -> str | None:
    """The id in a name that was made distinct, if it looks like one."""
    match = _MARKED.fullmatch(part)
    return match.group(2) if match else None


def literal(text: str) -> str:
    """Quoted, for a query of files.list."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def distinct(items: Iterable[Item]) -> Iterator[tuple[str, Item]]:
    """Each with a name that no other of them has; the oldest of those that are called the same keeps the name."""
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
    """The name with the id before its suffix."""
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > 16 or not suffix:
        return f"{name}~{identifier}"
    return f"{stem}~{identifier}{dot}{suffix}"
