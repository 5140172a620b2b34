"""`make fuzz MINUTES=10`: feeds damaged input to the code that reads untrusted bytes, ten minutes for each target.

Every input is a mutation of a valid one. A target may only raise a RayocrError, and an input may not take longer than
`_SLOW_S` of CPU. PDFs are opened in a child process under the limits of time and memory of a page worker: the child may die of a
crash or of its limits, but it may not hang and may not raise another error.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

_SLOW_S = 5.0
_CHILD_S, _CHILD_BYTES = 20.0, 1 << 30
_PER_CHILD = 25  # PDFs
_SAMPLES = Path(__file__).parents[1] / "samples"
_PIECES = (
    *(b"\x00", b"\xff" * 4, b"9" * 400, b"-1", b"1e999", b"NaN", b"null", b"{", b"[" * 300, b'"\\ud800"', b"\\", b'"', b"}" * 3),
    *(b"](" * 400, b"<!-- page " + b"9" * 5000 + b" -->", "²".encode(), b"[]," * 900, b"\xe2\x80\x8d" * 300),
    *(b"|" * 200, b"`" * 7, b"\n" * 500, b" " * 3000, b"$$", b"<table>", b"</td>", b"**" * 90, b"[x](y", b"![", b"> " * 120),
    *(
        "مرحبا".encode(),
        "हिन्दी".encode(),
        b"\xe2\x80\xae",
        b"&#x110000;",
        b"- " * 200,
        b"1. " * 60,
        b"<!-- page 3 -->",
        b"\\frac{" * 80,
    ),
    *(b"/Kids[", b"/Count 99999", b"/Length 9", b"<<" * 60, b"endobj", b" 0 R", b"/Filter/FlateDecode", b"stream\n", b"%%EOF"),
)

Target = Callable[[bytes], None]


def mutated(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 12))):
        at = chance.randrange(len(changed) + 1)
        upto = min(len(changed), at + chance.choice((1, 1, 3, 20, 400)))
        kind = chance.randrange(5)
        if kind == 0 and upto > at:
            changed[at] = chance.randrange(256)
        elif kind == 1:
            del changed[at:upto]
        elif kind == 2:
            changed[at:at] = chance.choice(_PIECES) * chance.choice((1, 1, 3))
        elif kind == 3:
            changed[at:at] = changed[at:upto] * chance.choice((1, 2, 30))
        else:
            changed[at:upto] = chance.randbytes(chance.choice((1, 2, 8)))
    return bytes(changed)


# -- targets ------------------------------------------------------------------------------------------------------------------


def _state() -> tuple[list[bytes], Target]:
    import zstandard

    from rayocr.actors.batch_queue.intents import BATCHES_PREFIX, read_intents
    from rayocr.ledger.corrections import Correction
    from rayocr.ledger.manifest import Manifest
    from rayocr.ledger.segment import decode_segment, encode_segment
    from rayocr.messages import Attempt, PageOutcome, PageRecord
    from rayocr.observe.dead_letters import DeadLetter, dead_letter_name, read_dead_letter
    from rayocr.storage.memory import MemoryStorage
    from rayocr.untrusted_json import parse_as

    record = PageRecord(
        document_id="ab",
        page_number=1,
        outcome=PageOutcome.DONE,
        text="A page with | a table | and a list.",
        attempts=(Attempt(engine="gemini", reason="RepetitionLoop"),),
    )
    segment = encode_segment([record], run_id="r", seq=1)
    manifest = {"schema_version": 1, "document_id": "ab", "name": "a.pdf", "source_uri": "file:///a.pdf", "version": "1"}
    manifest |= {"outcome": "complete", "page_count": 2, "pages": {"done": "1-2"}, "outputs": [], "notes": [], "run_id": "r"}
    letter = {"schema_version": 1, "document_id": "ab", "outcome": "partial", "reason": "x", "message": "y", "pages": "1-3"}
    seeds = [segment, zstandard.ZstdDecompressor().decompress(segment), *(json.dumps(v).encode() for v in (manifest, letter))]

    def run(data: bytes) -> None:
        state = MemoryStorage()
        state.write(dead_letter_name("ab"), data)
        state.write(f"{BATCHES_PREFIX}a.json", data)
        for read in (
            lambda: Manifest.from_json(data, name="m"),
            lambda: decode_segment("r/00000001.jsonl.zst", data),
            lambda: decode_segment("r/00000001.jsonl.zst", zstandard.ZstdCompressor().compress(data)),
            lambda: read_dead_letter(state, dead_letter_name("ab")),
            lambda: list(read_intents(state)),
            lambda: parse_as(DeadLetter, data, name="d"),
            lambda: parse_as(Correction, data, name="c"),
        ):
            _refused(read)

    return seeds, run


def _answers() -> tuple[list[bytes], Target]:
    from rayocr.engines.answers.agreement import measure
    from rayocr.engines.answers.chatter import without_chatter
    from rayocr.engines.answers.checks import check_answer, repeats_as_its_page
    from rayocr.engines.answers.finish_reasons import finish_reason_of
    from rayocr.engines.answers.loops import find_loop
    from rayocr.engines.answers.unwrapping import is_refusal, unwrapped
    from rayocr.messages import PageText

    def run(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        answer = PageText(text=unwrapped(without_chatter(text)), engine="gemini", model="m", input_tokens=1, output_tokens=1)
        _refused(lambda: check_answer(answer, ink_coverage=lambda: 0.1))
        _refused(lambda: find_loop(text))
        _refused(lambda: repeats_as_its_page(answer, text))
        measure(text[:20_000], text[-20_000:])
        is_refusal(text)
        finish_reason_of(text[:80])

    return _texts(), run


def _markdown() -> tuple[list[bytes], Target]:
    from rayocr.outputs.normal.page import as_written, normal
    from rayocr.outputs.typeset.literal import printable
    from rayocr.outputs.typeset.markup import typeset_markdown, typeset_plain

    def run(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        for of_a_model in (True, False):
            once = normal(text, of_a_model=of_a_model)
            normal(once, of_a_model=of_a_model)
        as_written(text)
        typeset_markdown(printable(once), str)
        typeset_plain(printable(once), str)

    return _texts(), run


def _pdf() -> tuple[list[bytes], Target]:
    return [path.read_bytes() for path in sorted(_SAMPLES.glob("*.pdf")) if path.stat().st_size < 2_000_000], _read_pdf


def _read_pdf(data: bytes) -> None:
    from rayocr.pdf.document import PdfFile, validate
    from rayocr.pdf.guard import bounded

    def read() -> None:
        with bounded(seconds=_CHILD_S, memory_bytes=_CHILD_BYTES):
            facts = validate(data, max_pages=5_000, max_bytes=1 << 30)
            file = PdfFile(data, max_pixels=4_000_000)
            try:
                for number in range(1, min(facts.page_count, 4) + 1):
                    with file.page(number) as page:
                        page.text_layer()
                        page.hides_text()
            finally:
                file.close()

    _refused(read)


def _refused(call: Callable[[], object]) -> None:
    from rayocr.errors import RayocrError

    try:
        call()
    except RayocrError:
        pass


def _texts() -> list[bytes]:
    folder = Path(__file__).parents[1]
    table = "# A heading\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- one\n- two\n\n1. x\n2. y\n\n$$x^2$$\n\n"
    table += "```\ncode\n```\n\n<table><tr><td>z</td></tr></table>\n"
    files = [path.read_bytes()[:2500] for path in sorted((folder / "docs").glob("*.md"))[:8]]
    return [table.encode(), "هذه صفحة 12 من\n\nनमस्ते दुनिया **bold**".encode(), *files]


TARGETS = {"state": _state, "answers": _answers, "markdown": _markdown, "pdf": _pdf}


# -- running ------------------------------------------------------------------------------------------------------------------


def fuzz(name: str, seconds: float, chance: random.Random, failures: Path) -> Counter[str]:
    seeds, run = TARGETS[name]()
    until, counted = time.monotonic() + seconds, Counter[str]()
    while time.monotonic() < until:
        if name == "pdf":
            _in_child([mutated(chance, chance.choice(seeds)) for _ in range(_PER_CHILD)], run, counted, failures)
            continue
        data = mutated(chance, chance.choice(seeds))
        counted["inputs"] += 1
        began = time.process_time()
        try:
            run(data)
        except Exception:
            _keep(failures, name, data, traceback.format_exc())
            counted["wrong errors"] += 1
        if time.process_time() - began > _SLOW_S:
            _keep(failures, name, data, f"{time.process_time() - began:.1f} s of CPU")
            counted["too slow"] += 1
    return counted


def _in_child(batch: list[bytes], run: Target, counted: Counter[str], failures: Path) -> None:
    """Opens all PDFs of the batch in one child. If the child dies, a new one opens the rest."""
    while batch:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            _run_batch(batch, run, write, failures)
        os.close(write)
        done = b""
        while block := os.read(read, 4096):
            done += block
        os.close(read)
        status = os.waitpid(child, 0)[1]
        seen = min(len(batch), len(done) + (status != 0))
        counted["inputs"] += seen
        counted["wrong errors"] += done.count(b"e")
        if status:
            how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "limit"
            counted[f"child ended: {how}"] += 1
            if len(done) < len(batch):
                _keep(failures, "pdf", batch[len(done)], how)
        batch = batch[seen:] if seen else []


def _run_batch(batch: list[bytes], run: Target, write: int, failures: Path) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for data in batch:
        try:
            run(data)
            os.write(write, b".")
        except Exception:
            _keep(failures, "pdf", data, traceback.format_exc())
            os.write(write, b"e")
    os._exit(0)


def _keep(folder: Path, name: str, data: bytes, why: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.glob(f"{name}-*.txt")))
    if number < 200:
        (folder / f"{name}-{number:03}.bin").write_bytes(data)
        (folder / f"{name}-{number:03}.txt").write_text(why)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(TARGETS), metavar="TARGET")
    parser.add_argument("--minutes", type=float, default=10.0, help="minutes for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--failures", type=Path, default=Path("logs/fuzz"), help="folder for inputs that failed")
    given = parser.parse_args()
    bad = 0
    for name in given.targets:
        counted = fuzz(name, given.minutes * 60, random.Random(f"{given.seed} {name}"), given.failures)
        bad += counted["wrong errors"] + counted["too slow"]
        print(f"{name}: {', '.join(f'{count:,} {what}' for what, count in counted.items() if count)}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
