"""A name at the source cannot place a file outside the destination, on any file system."""

from __future__ import annotations

import os
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayocr.outputs.output_paths import PART_BYTES, PATH_BYTES, folded, output_name, with_mark
from rayocr.outputs.registry import parse_outputs, pdf_suffixes

ODD = st.text(alphabet=st.sampled_from("abAB.: \\/~\0\n\x7fé\u0301नCON"), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.pdf", "a"),
        ("reports/2024/a.v2.PDF", "reports/2024/a.v2"),
        ("मराठी/दस्तऐवज.pdf", "मराठी/दस्तऐवज"),
        ('what? <now>: "50 %".pdf', 'what? <now>: "50 %"'),
        ("a/b.pdf", "a/b"),
        (".hidden.pdf", ".hidden"),
        (".pdf", ".pdf"),
    ],
)
def test_a_name_that_can_be_kept_is_kept(name: str, stem: str) -> None:
    assert output_name(name) == stem


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.pdf",
        "a/../../b.pdf",
        "/etc/passwd.pdf",
        "//server/share/x.pdf",
        "C:\\Windows\\x.pdf",
        "C:/Windows/x.pdf",
        "c:x.pdf",
        "..\\..\\x.pdf",
        "a\0b.pdf",
        "line\nbreak.pdf",
        ".../x.pdf",
        ". ./x.pdf",
        "./x.pdf",
        ".rayocr/documents/aa/x.pdf",
        ".RAYOCR/documents/aa/x.pdf",
    ],
)
def test_no_name_leaves_the_destination_or_reaches_the_state(name: str) -> None:
    assert_safe(output_name(name))


@pytest.mark.parametrize("name", ["con.pdf", "NUL.pdf", "aux/x.pdf", "Com1.v2.pdf", "lpt¹.pdf", "con .pdf"])
def test_names_that_windows_keeps_for_itself_are_changed(name: str) -> None:
    for part in output_name(name).split("/"):
        assert not PureWindowsPath(part + ".md").is_reserved()
    assert_safe(output_name(name))


def test_folders_lose_the_dots_and_blanks_that_windows_would_drop() -> None:
    stems = {output_name(name) for name in ("a/x.pdf", "a./x.pdf", "a /x.pdf", "a../x.pdf")}
    assert len(stems) == 4
    assert all(part == part.rstrip(" .") for stem in stems for part in stem.split("/")[:-1])


def test_a_folder_does_not_lie_where_an_output_goes() -> None:
    outputs = {output_name("x.pdf") + suffix for suffix in (".md", ".clean.pdf", ".jsonl", ".searchable.pdf")}
    for folder in ("x.md", "x.clean.pdf", "X.MD", "x.jsonl"):
        assert output_name(f"{folder}/y.pdf").split("/")[0].casefold() not in outputs
    assert output_name("x/y.pdf") == "x/y"


def test_parts_and_paths_are_no_longer_than_file_systems_take() -> None:
    long = "म" * 200
    stems = [output_name(f"{long}{n}/{long}/{'/'.join(['d' * 200] * 6)}/{long}{n}.pdf") for n in range(3)]
    assert len(set(stems)) == 3
    for stem in stems:
        assert len(stem.encode()) <= PATH_BYTES
        assert all(len(part.encode()) <= PART_BYTES for part in f"{stem}.searchable.pdf".split("/"))


def test_every_output_fits_behind_the_longest_output_name() -> None:
    longest = output_name("x" * 300 + ".pdf")
    for output in parse_outputs(["markdown", "clean_pdf", "searchable_pdf", "jsonl"]):
        assert len(longest + output.suffix) <= 255
    assert pdf_suffixes()


def test_case_and_composition_fold_to_one() -> None:
    assert len({folded(s) for s in ("Rés/É", "rés/é", unicodedata.normalize("NFD", "RÉS/é"))}) == 1
    assert folded("a") != folded("b")


def test_a_mark_keeps_the_folder_and_the_length() -> None:
    assert with_mark("a/b", "n").startswith("a/b~")
    assert len(with_mark("a/" + "x" * 240, "n").split("/")[1]) <= 240


@given(ODD)
def test_whatever_the_name_its_outputs_stay_inside(name: str) -> None:
    assert_safe(output_name(name))


def assert_safe(stem: str) -> None:
    assert stem
    assert not any(ord(c) < 32 or c in "\\\x7f" for c in stem)
    parts = stem.split("/")
    assert all(part not in ("", ".", "..") for part in parts)
    assert parts[0].casefold() != ".rayocr"
    for path in (PurePosixPath(stem), PureWindowsPath(stem)):
        assert not path.is_absolute()
        assert not path.drive
    assert os.path.normpath(f"/dest/{stem}").startswith("/dest/")
