"""Four processes share 200 documents: each is processed once, and an owner that slept past its lease commits nothing."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import defaultdict
from pathlib import Path

import psutil
import pytest

from benchmarks.valkey import Valkey
from rayocr.ledger.manifest import Manifest, manifest_name
from tests.e2e.prefork import Prefork
from tests.e2e.support import PATIENCE_S, PROJECT, wait_until

PROCESSES, DOCUMENTS = 4, 200


@pytest.mark.parametrize("kind", ["file", "redis"])
def test_each_document_is_worked_on_once_and_a_sleeper_commits_nothing(kind: str, prefork: Prefork, tmp_path: Path) -> None:
    redis = Valkey() if kind == "redis" else None
    options = [str(DOCUMENTS), *([redis.url] if redis else [])]
    (tmp_path / "state").mkdir()
    outputs = [(tmp_path / f"{number}.jsonl").open("w") for number in range(PROCESSES)]
    contenders = [
        prefork.start(
            [sys.executable, "-m", "tests.integration.contender", str(tmp_path / "state"), str(number), *options],
            env=os.environ,
            cwd=PROJECT,
            stdout=outputs[number],
            stderr=sys.__stderr__.fileno(),  # type: ignore[union-attr]
        )
        for number in range(PROCESSES)
    ]
    sleeper, others = contenders[0], contenders[1:]
    try:
        wait_until(lambda: psutil.Process(sleeper.pid).status() == psutil.STATUS_STOPPED, "the first process sleeps")
        assert [process.wait(PATIENCE_S) for process in others] == [0] * len(others)
        sleeper.send_signal(signal.SIGCONT)
        assert sleeper.wait(PATIENCE_S) == 0
    finally:
        for process in contenders:
            process.kill()
            process.wait()
        for output in outputs:
            output.close()
        if redis:
            redis.close()

    worked: dict[str, list[tuple[int, int]]] = defaultdict(list)  # (token, process) by document
    committed: dict[str, tuple[int, int]] = {}
    refused = []
    for number in range(PROCESSES):
        for line in (tmp_path / f"{number}.jsonl").read_text().splitlines():
            what, document_id, token = json.loads(line)
            if what == "worked":
                worked[document_id].append((token, number))
            elif what == "committed":
                assert document_id not in committed
                committed[document_id] = (token, number)
            else:
                refused.append((what, document_id, token, number))
    assert len(committed) == DOCUMENTS
    # On a very busy machine, other processes oversleep, too; the same rules apply to them.
    slept_on = next(document_id for _, document_id, _, number in refused if number == 0)
    assert {document_id for document_id, times in worked.items() if len(times) > 1} == {entry[1] for entry in refused}
    for document_id, times in worked.items():
        *stale, last = sorted(times)
        assert committed[document_id] == last
        assert sorted((token, number) for _, of, token, number in refused if of == document_id) == stale
    name = manifest_name(slept_on)
    assert Manifest.from_json((tmp_path / "state" / name).read_bytes(), name=name).run_id == f"owner {committed[slept_on][1]}"
    tokens = [token for times in worked.values() for token, _ in times]
    assert len(set(tokens)) == len(tokens)
    for number in range(PROCESSES):  # each process sees increasing tokens, regardless of the document
        mine = [json.loads(line) for line in (tmp_path / f"{number}.jsonl").read_text().splitlines()]
        granted = [token for what, _, token in mine if what == "worked"]
        assert granted == sorted(granted)
