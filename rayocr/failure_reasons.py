"""What a reason on record says: reasons are names of classes in rayocr.errors."""

from __future__ import annotations

from rayocr import errors
from rayocr.errors import DocumentError, RayocrError


def rejects_document(reason: str) -> bool:
    """Whether the reason is that of a whole document, and not of a page. False for reasons of other versions."""
    return issubclass(getattr(errors, reason, RayocrError), DocumentError)
