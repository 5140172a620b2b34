"""Explains recorded reasons, which are names of classes in rayocr.errors."""

from __future__ import annotations

from rayocr import errors
from rayocr.errors import DocumentError, RayocrError


def rejects_document(reason: str) -> bool:
    """Whether the reason concerns a whole document, not a page. False for reasons of other versions."""
    return issubclass(getattr(errors, reason, RayocrError), DocumentError)
