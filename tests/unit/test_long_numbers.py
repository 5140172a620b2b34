"""Python refuses to convert numbers of more than 4,300 digits, and digits such as ². Text of others contains both."""

from __future__ import annotations

from pathlib import Path

import pytest

from rayocr.actors.ledger.actor import _seq_after
from rayocr.gateway.guard import Guard
from rayocr.outputs.page_texts import split_markdown
from rayocr.outputs.report.pages import pages_of_markdown
from rayocr.pdf.textlayer.right_to_left import _parts_of
from rayocr.process import current_process
from rayocr.storage.local.storage import LocalStorage

DIGITS = "9" * 5_000


def test_a_page_mark_with_a_number_that_no_page_has_is_text() -> None:
    text = f"<!-- page 1 -->\nOne\n<!-- page {DIGITS} -->\nand more"
    for pages in (split_markdown(text), pages_of_markdown(text)):
        assert list(pages) == [1]
        assert "and more" in pages[1]


def test_a_long_number_in_right_to_left_text_is_not_compared() -> None:
    assert _parts_of("14:30") == [14, 30]
    assert _parts_of(DIGITS) == []


@pytest.mark.parametrize("name", ["²", "9" * 200, "x"])
def test_a_temporary_file_with_any_name_is_swept_or_left(tmp_path: Path, name: str) -> None:
    folder = tmp_path / ".rayocr" / "tmp"
    folder.mkdir(parents=True)
    (folder / f"{current_process().host}.{name}.1.abc").touch()
    LocalStorage(tmp_path).sweep_temp()


def test_a_segment_with_any_name_is_not_counted() -> None:
    assert _seq_after(".rayocr/ledger/run/00000007.jsonl.zst", "run") == 8
    assert _seq_after(".rayocr/ledger/run/².jsonl.zst", "run") == 0


def test_the_length_of_a_body_with_too_many_digits_is_too_large() -> None:
    scope = {"type": "http", "path": "/pause", "method": "POST", "headers": [(b"content-length", DIGITS.encode())]}
    refusal = Guard(None, token=None)._refusal(scope | {"headers": [*scope["headers"], (b"host", b"localhost")]})  # type: ignore[misc]
    assert refusal is not None and refusal[0] == 413
