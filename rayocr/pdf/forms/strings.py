"""Reads strings from PDFium's annotations."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import pypdfium2.raw as pdfium

_MAX_CHARS = 20_000


def annotation_string(found: Any, key: bytes) -> str:
    """Returns an entry of a raw FPDF_ANNOTATION; empty if it is missing or not a string or a name."""
    return wide_string(lambda buffer, size: pdfium.FPDFAnnot_GetStringValue(found, key, buffer, size))


def appearance_of(found: Any) -> str:
    """Returns the content of the appearance that a raw FPDF_ANNOTATION has in its present state; empty without one."""
    mode = pdfium.FPDF_ANNOT_APPEARANCEMODE_NORMAL
    return wide_string(lambda buffer, size: pdfium.FPDFAnnot_GetAP(found, mode, buffer, size))


def wide_string(read: Callable[[Any, int], int]) -> str:
    """Reads a UTF-16 string from PDFium, after querying its size."""
    size = read(None, 0)
    if size <= 2:
        return ""
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    read(buffer, size)
    return bytes(buffer).decode("utf-16-le", "replace").split("\0", 1)[0][:_MAX_CHARS]
