"""Malicious documents among good ones: each gets the correct outcome, and the good ones are read."""

from __future__ import annotations

import json

from tests.e2e.support import Cli, make_pdf, manifests
from tests.unit.pdf import pdfs


def calls_itself() -> bytes:
    form = "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 5 0 R >> >>"
    return pdfs.pages_of(content=b"/F Do", resources="/XObject << /F 5 0 R >>", extra={5: pdfs.stream(b"/F Do /F Do", form)})


def with_page_of_a_gigabyte() -> bytes:
    """Three pages; the content of the second is a gigabyte of spaces."""
    content = pdfs.padded_deflated(b"", padding=b" ", megabytes=1000)
    return pdfs.pages_of(("", "/Contents 50 0 R", ""), extra={50: pdfs.stream(content, "/Filter /FlateDecode")})


def test_hostile_documents_end_with_their_reasons_and_the_others_are_read(ray_cli: Cli) -> None:
    hostile = {
        "calls-itself.pdf": (calls_itself(), "CorruptPdf"),
        "inflates.pdf": (pdfs.in_object_stream(padding_bytes=1000 << 20), "Quarantined"),
        "no-pages.pdf": (pdfs.tree_of(root_kids="", count="0"), "EmptyPdf"),
        "ring.pdf": (pdfs.tree_of(root_kids="2 0 R"), "CorruptPdf"),
        "page.html.pdf": (b"<html></html>", "NotAPdf"),
        "count-lies.pdf": (pdfs.pages_of(count="5"), "PageUnrenderable"),
    }
    hostile["one-page.pdf"] = (with_page_of_a_gigabyte(), "PageQuarantined")
    make_pdf(ray_cli.folder / "in" / "good.pdf", 3)
    for name, (data, _) in hostile.items():
        (ray_cli.folder / "in" / name).write_bytes(data)
    (ray_cli.folder / "in" / "cropped-away.pdf").write_bytes(pdfs.pages_of(("/CropBox [1000 1000 2000 2000]",)))
    limits = ("limits.validate_timeout_s=5", f"limits.page_memory={256 << 20}")
    done = ray_cli.run("source=in", "dest=out", "engine=textlayer", *limits)
    assert done.returncode == 1, done.stdout + done.stderr
    written = (ray_cli.folder / "logs" / "dead_letter").glob("*.jsonl")
    letters = [json.loads(line) for path in written for line in path.read_text().splitlines()]
    assert {letter["name"]: letter["reason"] for letter in letters} == {name: reason for name, (_, reason) in hostile.items()}
    why = {letter["name"]: letter["message"] for letter in letters}
    assert "Page 1 cannot be loaded: it draws more than 300,000 forms" in why["calls-itself.pdf"]
    assert "twice: it took more memory than limits.page_memory allows." in why["inflates.pdf"]
    assert (
        sorted(m["outcome"] for m in manifests(ray_cli.folder / "out")) == ["complete"] * 2 + ["partial"] * 2 + ["rejected"] * 5
    )
    text = (ray_cli.folder / "out" / "one-page.md").read_text()
    assert text.count("Hello, this is a page") == 2, "only the page that crashes fails"
    assert "Hello, this is a page" in (ray_cli.folder / "out" / "cropped-away.md").read_text()
