"""Sets the state of check boxes and radio buttons where the file names one that PDFium does not find, in memory only.

PDFium reads and draws the state that the widget names (/AS). It takes a widget without a state for one that is off, and draws it
differently on the page and when it is flattened; other viewers then use the field's value (/V). For a widget without an
appearance, PDFium creates one for the state "Yes", whatever the file calls it, so the widget would be off under any other name.
"""

from __future__ import annotations

import ctypes
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.forms.annotations import annotation, annotation_count
from rayocr.pdf.forms.strings import annotation_string, appearance_of, wide_string

_BOXES = (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON)
_OFF = ("", "Off")


def settle_box_states(page: Any, form: Any) -> None:
    """Corrects the states on a raw FPDF_PAGE that was loaded with its raw form handle."""
    for index in range(annotation_count(page)):
        with annotation(page, index) as widget:
            if not widget or pdfium.FPDFAnnot_GetFormFieldType(form, widget) not in _BOXES:
                continue
            state = annotation_string(widget, b"AS")
            if state == "Off" or pdfium.FPDFAnnot_IsChecked(form, widget):
                continue
            _settle(widget, form, state)


def _settle(widget: Any, form: Any, state: str) -> None:
    value = annotation_string(widget, b"V")
    exported = wide_string(lambda buffer, size: pdfium.FPDFAnnot_GetFormFieldExportValue(form, widget, buffer, size))
    created = ["Yes", str(pdfium.FPDFAnnot_GetFormControlIndex(form, widget))]  # PDFium's names of the state
    names = created if state else [exported, *created]
    is_on = value in (state, "") if state else value not in _OFF
    shown = "" if state else appearance_of(widget)  # that of the value, which may be the parent's
    for name in names:
        _set_state(widget, name)
        if pdfium.FPDFAnnot_IsChecked(form, widget):
            drawn = appearance_of(widget)
            _set_state(widget, "Off")
            if (is_on and (state or value == name or exported == "Yes")) or (shown == drawn != appearance_of(widget)):
                _set_state(widget, name)
            return
    _set_state(widget, state or "Off")


def _set_state(widget: Any, name: str) -> None:
    text = (name + "\0").encode("utf-16-le")
    buffer = (ctypes.c_ushort * (len(text) // 2)).from_buffer_copy(text)
    pdfium.FPDFAnnot_SetStringValue(widget, b"AS", buffer)
