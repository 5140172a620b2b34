"""Text that is drawn, painted over and drawn again at the same place."""

from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import layer_of

HEAD = b"BT /F1 12 Tf 72 700 Td (Report of 2011) Tj ET "
OTHER = b"BT /F1 12 Tf 300 700 Td (%s) Tj ET "
BAR = b".7 g 60 690 400 24 re f 0 g "
BODY = b"BT /F1 12 Tf 72 600 Td (Some more words of the page) Tj ET "


@pytest.mark.parametrize("after", [HEAD, b"q 0 0 1 rg " + HEAD + b"Q "])
def test_a_text_that_is_drawn_again_on_the_bar_over_it_is_visible(after: bytes) -> None:
    """PDFium reports the first drawing only, as for letters that are drawn twice to look bold."""
    layer = layer_of(pdfs.pages_of(content=HEAD + OTHER % b"SUMMARY" + BAR + after + OTHER % b"APPENDIX" + BODY))
    assert "Report of 2011" in layer.text
    assert "APPENDIX" in layer.text
    assert "SUMMARY" not in layer.text


def test_a_text_that_is_drawn_twice_under_a_bar_is_hidden() -> None:
    layer = layer_of(pdfs.pages_of(content=HEAD + HEAD + OTHER % b"SUMMARY" + BAR + OTHER % b"APPENDIX" + BODY))
    assert "Report of 2011" not in layer.text
