from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayocr.errors import UnsafeName
from rayocr.storage.base import checked_name
from rayocr.storage.drive.names import Item, distinct, literal, marked_id, shown, stored


def item(number: int, name: str) -> Item:
    return Item(id=f"1234567890{number}", name=name, mime_type="application/pdf", created=f"{number:03}")


@given(st.text())
def test_whatever_drive_calls_a_thing_is_one_part_of_a_path(name: str) -> None:
    part = shown(name)
    assert "/" not in part
    assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in part)
    assert checked_name(part) == part
    assert shown(part) == part


@given(st.lists(st.sampled_from(["a.pdf", "a~12345678901.pdf", "a~12345678902.pdf", "a/b", "a／b", "x", ""]), max_size=12))
def test_no_two_of_a_folder_have_one_name_and_the_order_in_which_they_came_does_not_matter(names: list[str]) -> None:
    items = [item(number, name) for number, name in enumerate(names)]
    found = dict(distinct(items))
    assert len(found) == len(items)
    assert dict(distinct(reversed(items))) == found
    for name in {shown(name) for name in names}:
        assert found[name] == min((i for i in items if shown(i.name) == name), key=lambda i: i.age_key)


def test_the_name_of_a_younger_duplicate_holds_its_id() -> None:
    duplicates = dict(distinct([item(1, "a.tar.pdf"), item(2, "a.tar.pdf"), item(3, "no suffix"), item(4, "no suffix")]))
    assert sorted(duplicates) == ["a.tar.pdf", "a.tar~12345678902.pdf", "no suffix", "no suffix~12345678904"]
    assert marked_id("a.tar~12345678902.pdf") == "12345678902"
    assert marked_id("no suffix~12345678904") == "12345678904"
    assert marked_id("a~short.pdf") is None


def test_a_name_is_quoted_for_a_query() -> None:
    assert literal("it's \\ here") == "'it\\'s \\\\ here'"


def test_bytes_that_are_not_text_are_not_a_name() -> None:
    with pytest.raises(UnsafeName):
        stored("\udcff")
