"""What a folder contains."""

from __future__ import annotations

from pathlib import Path

from rayocr.storage.local.storage import LocalStorage


def names(storage: LocalStorage, prefix: str = "") -> list[str]:
    return [entry.name for entry in storage.list(prefix)]


def temp_files(root: Path) -> list[str]:
    return [path.name for path in (root / ".rayocr" / "tmp").iterdir() if path.name != "write.lock"]
