"""Damaged or unknown files under .rayocr/ are reported and ignored; everything else continues."""

from __future__ import annotations

from pathlib import Path

from rayocr.ledger.segment import encode_segment, segment_name
from rayocr.messages import PageOutcome, PageRecord
from tests.e2e.support import Cli, make_pdf, manifests


def _records(document_id: str, pages: int) -> bytes:
    records = [
        PageRecord(document_id=document_id, page_number=n, outcome=PageOutcome.DONE, text=f"text {n}" * 99, engine="textlayer")
        for n in range(1, pages + 1)
    ]
    return encode_segment(records, run_id="old", seq=0)


def test_damaged_and_foreign_files_are_named_and_the_rest_counts(cli: Cli) -> None:
    for name in ("a", "b"):
        make_pdf(cli.folder / "in" / f"{name}.pdf", 2)
    first = cli.run("source=in", "dest=out", "engine=textlayer")
    assert first.returncode == 0, first.stdout + first.stderr
    state = cli.folder / "out" / ".rayocr"
    a_manifest, b_manifest = sorted((state / "documents").glob("*/*.json"), key=lambda path: b'"a.pdf"' not in path.read_bytes())
    kept = b_manifest.read_bytes()
    a_manifest.write_bytes(b"")
    (a_manifest.parent / "notes.txt").write_text("mine")
    whole = _records("c" * 32, 3)
    flipped = bytearray(_records("d" * 32, 3))
    flipped[len(flipped) // 2] ^= 0xFF
    damaged = {0: whole[: len(whole) // 2], 1: bytes(flipped), 2: b""}
    for seq, data in damaged.items():
        _write(state.parent / segment_name("old", seq), data)
    _write(state / "ledger" / "old" / "photo.jpg", b"\xff\xd8")
    names = [
        str(a_manifest.relative_to(state.parent)),
        f"{a_manifest.parent.relative_to(state.parent)}/notes.txt",
        ".rayocr/ledger/old/photo.jpg",
        *(segment_name("old", seq) for seq in damaged),
    ]

    status = cli.run("mode=status", "dest=out")
    assert status.returncode == 1
    told = "".join((status.stdout + status.stderr).split())
    assert all(name in told for name in names), status.stdout + status.stderr

    again = cli.run("source=in", "dest=out", "engine=textlayer")
    assert again.returncode == 0, again.stdout + again.stderr
    told = "".join((again.stdout + again.stderr).split())
    assert all(name in told for name in names), again.stdout + again.stderr
    assert sorted(m["name"] for m in manifests(cli.folder / "out")) == ["a.pdf", "b.pdf"]
    assert b_manifest.read_bytes() == kept
    assert (a_manifest.parent / "notes.txt").read_text() == "mine"


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
