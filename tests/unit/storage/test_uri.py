"""Every location has one canonical form, and an invalid location gets a one-line error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rayocr
from rayocr.errors import UsageError
from rayocr.storage.uri import StorageUri, contains, local_path, parse_uri, path_below


def test_all_spellings_of_a_folder_are_one_uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to("in")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    spellings = ["in", "./in", "in/", "./in//", "link", "x/../in", "~/in", f"{tmp_path}/in", f"file://{tmp_path}/in/"]
    spellings += [f"file://localhost{tmp_path}/in", f"FILE://{tmp_path}/%69n"]
    assert {parse_uri(spelling) for spelling in spellings} == {StorageUri(scheme="local", root=os.path.realpath(tmp_path / "in"))}
    assert {str(parse_uri(spelling)) for spelling in spellings} == {f"file://{os.path.realpath(tmp_path)}/in"}


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("with space", "with%20space"),
        ("100%20", "100%2520"),
        ("a#b?c", "a%23b%3Fc"),
        ("नया", "%E0%A4%A8%E0%A4%AF%E0%A4%BE"),
        ("new\nline", "new%0Aline"),
        (os.fsdecode(b"latin\xe9"), "latin%E9"),
    ],
)
def test_odd_folder_names_are_encoded_byte_for_byte(name: str, encoded: str) -> None:
    uri = parse_uri(f"/nowhere/{name}")
    assert uri.text == f"file:///nowhere/{encoded}"
    assert parse_uri(uri.text).root == f"/nowhere/{name}"


@given(st.binary(min_size=1, max_size=60).filter(lambda raw: b"\0" not in raw and b"/" not in raw and raw not in (b".", b"..")))
def test_any_folder_name_can_be_read_back_from_its_canonical_uri(raw: bytes) -> None:
    uri = parse_uri("/nowhere/" + os.fsdecode(raw))
    assert uri.text.isascii()
    assert parse_uri(uri.text) == uri
    assert os.fsencode(uri.root) == b"/nowhere/" + raw


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("gs://bucket", "gs://bucket"),
        ("gs://bucket/", "gs://bucket"),
        ("gs://my.bucket_1/a/b c/", "gs://my.bucket_1/a/b c"),
        ("gdrive://1AbC-d_9/", "gdrive://1AbC-d_9"),
        ("gdrive://1AbC-d_9/scans of 2024/in/", "gdrive://1AbC-d_9/scans of 2024/in"),
        ("memory://test", "memory://test"),
        ("file:///", "file:///"),
    ],
)
def test_canonical_texts_are_stable(text: str, canonical: str) -> None:
    assert parse_uri(text).text == canonical
    assert parse_uri(canonical) == parse_uri(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "gs://bucket/prefix"),
        ("   ", "gs://bucket/prefix"),
        ("s3://bucket/x", "s3:// is not supported"),
        ("http://example.org/a.pdf", "http:// is not supported"),
        ("https://drive.google.com/drive/u/0/folders/1AbC-d_9?usp=sharing", "Write gdrive://1AbC-d_9"),
        (r"C:\scans", "Windows path"),
        ("D:/scans", "Windows path"),
        (r"\\server\share", "Windows path"),
        ("gs:bucket", "gs://"),
        ("gs:/bucket/x", "gs://"),
        ("s3:bucket", "./s3:bucket"),
        ("gs://", "not a bucket name"),
        ("gs://Bucket/x", "not a bucket name"),
        ("gs://bucket/a//b", "empty parts"),
        ("gs://bucket/../b", "empty parts"),
        ("gdrive://", "gdrive://FOLDER_ID"),
        ("gdrive://a b/c", "gdrive://FOLDER_ID"),
        ("gdrive://a/b/../c", "the path must not have"),
        ("file://server/share", "three slashes"),
        ("file:///a%00b", "NUL"),
        ("a\0b", "NUL"),
        ("a\ud800b", "not a usable path"),
        ("file:///a\ud800b", "not a usable path"),
        ("memory://", "memory://NAME"),
    ],
)
def test_an_invalid_location_is_refused_with_one_helpful_line(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_uri(text)
    assert hint in f"{caught.value} {caught.value.hint}"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ("/a", "/a", True),
        ("/a", "/a/b", True),
        ("/a", "/ab", False),
        ("/a/b", "/a", False),
        ("/", "/a", True),
        ("/a", "/A", False),
        ("/abc", "gs://abc", False),
        ("gs://bucket", "gs://bucket/x", True),
        ("gs://bucket/x", "gs://bucket", False),
        ("gs://bucket/x", "gs://bucket/x/y", True),
        ("gs://bucket/x", "gs://bucket/xy", False),
        ("gs://bucket", "gs://bucket2", False),
        ("gdrive://abc", "gdrive://abc", True),
        ("gdrive://abc", "gdrive://abcd", False),
        ("gdrive://abc", "gdrive://abc/d", True),
        ("gdrive://abc/d", "gdrive://abc/de", False),
    ],
)
def test_contains(outer: str, inner: str, expected: bool) -> None:
    assert contains(parse_uri(outer), parse_uri(inner)) is expected


def test_contains_looks_through_links(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "in" / "sub")
    assert contains(parse_uri(f"{tmp_path}/in"), parse_uri(f"{tmp_path}/out/new"))


@pytest.mark.parametrize(
    ("outer", "inner", "name"),
    [
        ("/a", "/a", ""),
        ("/a", "/a/b c/नया", "b c/नया"),
        ("/", "/a", "a"),
        ("gs://bkt", "gs://bkt/x y", "x y"),
        ("gs://bkt/x", "gs://bkt/x", ""),
    ],
)
def test_a_place_inside_another_has_a_plain_name_there(outer: str, inner: str, name: str) -> None:
    assert path_below(parse_uri(outer), parse_uri(inner)) == name


def test_people_are_shown_a_path_on_one_line() -> None:
    assert parse_uri("/nowhere/नया folder").display == "/nowhere/नया folder"
    assert parse_uri("/nowhere/new\nline").display == r"/nowhere/new\nline"
    assert parse_uri("gs://bucket/x").display == "gs://bucket/x"


def test_a_tilde_before_an_unknown_user_is_part_of_the_name() -> None:
    """Path.expanduser raises RuntimeError for it, so no module calls it."""
    assert local_path("~no-such-user.pdf") == Path("~no-such-user.pdf")
    assert local_path("~") == Path.home()
    package = Path(str(rayocr.__file__)).parent
    assert not [file.name for file in package.rglob("*.py") if ".expanduser()" in file.read_text()]
