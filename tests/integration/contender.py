"""One of several processes that share documents, over real leases and a real folder: see test_contention.py.

It prints a line of JSON for every action. The first process stops itself between its work on a document and the commit.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time

from rayocr.actors.document_worker.commit import LeaseSettings, check_lease, commit
from rayocr.config import LocksConfig
from rayocr.errors import LeaseLost, PreconditionFailed
from rayocr.ledger.manifest import build_manifest, manifest_name
from rayocr.messages import Document, DocumentContext, DocumentOutcome
from rayocr.retry import RetryPolicy
from rayocr.storage.local.storage import LocalStorage

POLICY = RetryPolicy(max_attempts=3, base_s=0.1, cap_s=0.1)
TTL_S = 4.0
PAUSED_AT = 5  # documents that the first process finishes before it pauses


def main(state_uri: str, number: int, documents: int, redis_url: str | None) -> None:
    state = LocalStorage(state_uri)
    config = LocksConfig(backend="redis" if redis_url else "file", ttl_s=TTL_S)
    lease_settings = LeaseSettings(config=config, state_uri=state_uri, owner=f"owner {number}", redis_url=redis_url)
    locks = lease_settings.locks()
    left = [f"{index:032x}" for index in range(documents)]
    random.Random(number).shuffle(left)
    done = 0
    while left:
        document_id = left.pop(0)
        if any(True for _ in state.list(manifest_name(document_id))):
            continue
        lease = locks.acquire(document_id)
        if lease is None:
            left.append(document_id)  # another process holds the lease and may die
            time.sleep(0.002 if len(left) > 4 else 0.05)  # for the last documents, it can only wait
            continue
        if any(True for _ in state.list(manifest_name(document_id))):
            locks.release(lease)
            continue
        token = lease.fencing_token
        tell("worked", document_id, token)
        if number == 0 and done == PAUSED_AT:
            os.kill(os.getpid(), signal.SIGSTOP)
        try:
            commit(
                state,
                manifest(document_id, token, f"owner {number}"),
                policy=POLICY,
                check=lambda document_id=document_id, token=token: check_lease(lease_settings, document_id, token),  # type: ignore[misc]
                replace_manifest=False,
            )
        except (LeaseLost, PreconditionFailed) as error:
            tell(type(error).__name__, document_id, token)
            left.append(document_id)
        else:
            tell("committed", document_id, token)
            locks.release(lease)
            done += 1
    locks.close()


def manifest(document_id: str, token: int, run_id: str):  # type: ignore[no-untyped-def]
    document = Document(document_id=document_id, source_uri="u", name="n", output_name="n", version="1", size_bytes=1)
    context = DocumentContext(document=document, page_count=0, title=None, fencing_token=token)
    outcome = DocumentOutcome.COMPLETE
    started_at = "2026-01-01T00:00:00+00:00"
    return build_manifest(
        context, outcome=outcome, summaries=(), outputs=(), run_id=run_id, fingerprint="f", started_at=started_at
    )


def tell(what: str, document_id: str, token: int) -> None:
    print(json.dumps([what, document_id, token]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else None)
