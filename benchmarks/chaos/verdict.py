"""Checks the guarantees after a scenario: outputs, manifests, the server's counts, processes and folders."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.chaos.corpus import PageName
from benchmarks.chaos.durable import read_json
from benchmarks.chaos.nodes import carrying, end
from benchmarks.chaos.scene import MARK, Scene

_GONE_WITHIN_S = 120.0  # how long processes of an ended run may take to exit; Ray takes a second or two
_PAGE_MARK = re.compile(r"<!-- page (\d+) -->")
_OURS = re.compile(
    r"\.rayocr/(dead_letters/[0-9a-f]{2}/[0-9a-f]+\.json|documents/[0-9a-f]{2}/[0-9a-f]+\.json|ledger/[^/]+/\d{8}\.jsonl\.zst|runs/[^/]+\.json|leases/fence"
    r"|leases/[0-9a-f]+\.json|spend/[^/]+/[^/]+\.json|names/[0-9a-f]{2}/[0-9a-f]+\.json|tmp/write\.lock)"
)


@dataclass(slots=True)
class Verdict:
    """The row of a scenario. `violations`: one sentence for each violated guarantee."""

    scenario: str
    seed: int
    faults: str
    documents: int
    pages: int
    seconds: float
    lost: int = 0  # documents that are not complete
    misplaced: int = 0  # pages that are missing, duplicated or misplaced
    stale: int = 0  # documents whose outputs do not match their manifest, or whose owner had been replaced
    double_paid: int = 0
    bound: int = 0
    at_risk: str = ""  # pages at risk at each fault: in flight + unflushed
    leftovers: int = 0
    violations: list[str] = field(default_factory=list)


def judge(scene: Scene, seconds: float) -> Verdict:
    risks = scene.witness.risks
    verdict = Verdict(
        scenario=scene.kind.name,
        seed=scene.seed,
        faults=", ".join(scene.struck),
        documents=len(scene.corpus.page_counts),
        pages=scene.corpus.page_total,
        seconds=seconds,
        bound=sum(risk.bound for risk in risks),
        at_risk=" ".join(f"{risk.in_flight}+{risk.unflushed}" for risk in risks),
        violations=[f"{fault} found no target" for fault in scene.missed],
    )
    manifests = _manifests(scene)
    for document in range(verdict.documents):
        _judge_document(scene, verdict, document, manifests.get(f"{scene.corpus.stem(document)}.pdf"))
    _judge_payments(scene, verdict)
    _judge_drivers(scene, verdict)
    _judge_leftovers(scene, verdict)
    return verdict


# -- documents ----------------------------------------------------------------------------------------------------------------


def _manifests(scene: Scene) -> dict[str, tuple[Path, dict[str, Any]]]:
    found = {}
    for path in (scene.dest / ".rayocr" / "documents").glob("*/*.json"):
        manifest = read_json(path)
        if manifest is not None:
            found[manifest["name"]] = (path, manifest)
    return found


def _judge_document(scene: Scene, verdict: Verdict, document: int, found: tuple[Path, dict[str, Any]] | None) -> None:
    stem = scene.corpus.stem(document)
    if found is None or found[1]["outcome"] != "complete":
        verdict.lost += 1
        why = f"{found[1]['outcome']}: {found[1].get('reason')}" if found else "there is no manifest"
        verdict.violations.append(f"{stem} was lost: {why}")
        return
    path, manifest = found
    expected = scene.corpus.page_counts[document]
    for form, pages in (
        ("md", _markdown_pages(scene.dest / f"{stem}.md")),
        ("jsonl", _jsonl_pages(scene.dest / f"{stem}.jsonl")),
    ):
        right = [PageName(document, number) for number in range(1, expected + 1)]
        if pages != right:
            wrong = sum(a != b for a, b in zip(pages, right, strict=False)) + abs(len(pages) - expected)
            verdict.misplaced += wrong
            verdict.violations.append(f"{stem}.{form}: {wrong} pages are not where they belong")
    if not _is_current(scene, verdict, path, manifest):
        verdict.stale += 1


def _is_current(scene: Scene, verdict: Verdict, path: Path, manifest: dict[str, Any]) -> bool:
    """Checks that the outputs match the manifest, and that no owner with a higher token had the document when it was written."""
    before = len(verdict.violations)
    for output in manifest["outputs"]:
        data = (scene.dest / output["name"]).read_bytes()
        if hashlib.sha256(data).hexdigest() != output["sha256"]:
            verdict.violations.append(f"{output['name']} is not the file in its manifest")
    tokens = scene.witness.tokens.get(manifest["document_id"], [])
    numbers = [seen.fencing_token for seen in tokens]
    if numbers != sorted(set(numbers)):
        verdict.violations.append(f"{manifest['name']}: fencing tokens did not grow: {numbers}")
    written = path.stat().st_mtime
    newer = [seen for seen in tokens if seen.fencing_token > manifest["fencing_token"] and seen.at < written]
    if newer:
        verdict.violations.append(f"{manifest['name']} was committed with token {manifest['fencing_token']} after {newer[0]}")
    return len(verdict.violations) == before


def _markdown_pages(path: Path) -> list[PageName | None]:
    parts = _PAGE_MARK.split(path.read_text())
    pages = [PageName.said_by(text) for text in parts[2::2]]
    return [name if name and name.page_number == int(number) else None for number, name in zip(parts[1::2], pages, strict=True)]


def _jsonl_pages(path: Path) -> list[PageName | None]:
    row = json.loads(path.read_text())
    spans = row["attributes"]["pdf_page_numbers"]
    named = [(PageName.said_by(row["text"][start:stop]), number) for start, stop, number in spans]
    return [name if name and name.page_number == number else None for name, number in named]


# -- money and processes ------------------------------------------------------------------------------------------------------


def _judge_payments(scene: Scene, verdict: Verdict) -> None:
    answered = Counter(scene.server.counts()["answered"])
    verdict.double_paid = answered.total() - len(answered)
    if len(answered) != verdict.pages:
        verdict.violations.append(f"{len(answered)} pages were paid for, of {verdict.pages}")
    if verdict.double_paid > verdict.bound:
        verdict.violations.append(f"{verdict.double_paid} pages were paid for twice, where {verdict.bound} were at risk")


def _judge_drivers(scene: Scene, verdict: Verdict) -> None:
    for driver in scene.drivers:
        # Allowed: exit code 0, killed, terminated before Python could handle signals, drained, or stopped by an external cause.
        # rayocr may not give up a document or fail.
        if driver.hung or set(driver.codes) - {0, -9, -15, 130, 3, driver.success} or driver.codes[-1] != driver.success:
            said = "hung; " if driver.hung else ""
            verdict.violations.append(f"driver {driver.number}: {said}exit codes {driver.codes}; see {driver.output}")
        if b"Traceback" in driver.output.read_bytes():
            verdict.violations.append(f"driver {driver.number} showed a traceback; see {driver.output}")
    deadline = time.monotonic() + _GONE_WITHIN_S
    while (left := _left(scene)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in left:
        verdict.violations.append(f"process {process.pid} was left: {' '.join(process.cmdline())[:100]}")
    verdict.leftovers += len(left)
    end(left)


def _left(scene: Scene) -> list[Any]:
    return [*carrying(MARK, scene.mark), *(scene.nodes.actors() if scene.nodes else [])]


def _judge_leftovers(scene: Scene, verdict: Verdict) -> None:
    """Reports obsolete or unknown files."""
    outputs = {f"{scene.corpus.stem(d)}.{form}" for d in range(verdict.documents) for form in ("md", "jsonl")}
    names = {str(path.relative_to(scene.dest)) for path in scene.dest.rglob("*") if path.is_file()}
    left = sorted(name for name in names - outputs if not _OURS.fullmatch(name))
    left += sorted(str(path) for path in scene.scratch.rglob("*") if path.is_file())
    verdict.violations += [f"file {name} was left" for name in left]
    verdict.leftovers += len(left)
