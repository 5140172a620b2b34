"""Implements `rayocr.copy_samples` and `rayocr --samples FOLDER`, which copy the bundled PDFs for trying rayocr."""

from __future__ import annotations

import shutil
from pathlib import Path

from rayocr.composition import samples_dir
from rayocr.errors import UsageError
from rayocr.storage.uri import local_path


def existing_samples(folder: str | Path) -> list[str]:
    """Returns the names of bundled PDFs that the folder has already, so that they would be kept unchanged."""
    place = local_path(folder)
    return [sample.name for sample in sorted(samples_dir().glob("*.pdf")) if (place / sample.name).exists()]


def copy_samples(folder: str | Path) -> Path:
    """Copies the bundled PDFs, one to three pages each, to the folder and returns it. Existing files stay
    unchanged. Raises UsageError if the folder cannot be written.

    >>> sorted(path.name for path in copy_samples(f"{dest}/in").iterdir())[:2]
    ['blank-and-ticket.pdf', 'broken-text-layer.pdf']
    """
    place = local_path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for sample in sorted(samples_dir().glob("*.pdf")):
            if not (place / sample.name).exists():
                shutil.copyfile(sample, place / sample.name)
    except OSError as error:
        raise UsageError(f"Cannot copy the samples to {place}: {error.strerror}.") from error
    return place
