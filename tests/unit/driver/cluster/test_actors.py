from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from rayocr.driver.cluster.actors import RunActors
from rayocr.ledger.manifest import build_manifest, manifest_name
from rayocr.messages import Document, DocumentContext, DocumentOutcome
from rayocr.storage.memory import MemoryStorage

DOCUMENT = Document(document_id="d" * 32, source_uri="u", name="d.pdf", output_name="d", version="1", size_bytes=1)
BEGAN = "2026-01-01T12:00:00+00:00"


def actors_with(*, run_id: str, started_at: str, overwrite: bool = True, retried: bool = False) -> Any:
    """Actors of the run `own`, over a state with a manifest of `run_id`."""
    state = MemoryStorage("state")
    state.clear()
    context = DocumentContext(document=DOCUMENT, page_count=0, title=None, fencing_token=1)
    manifest = build_manifest(
        context,
        outcome=DocumentOutcome.PARTIAL,
        summaries=(),
        outputs=(),
        run_id=run_id,
        fingerprint="f",
        started_at=started_at,
    )
    state.write(manifest_name(DOCUMENT.document_id), manifest.to_json())
    asked = {DOCUMENT.document_id} if retried else set()
    settings = SimpleNamespace(run_id="own")
    actors = SimpleNamespace(
        state=state,
        config=SimpleNamespace(overwrite=overwrite),
        retried=asked,
        retries=asked.__contains__,
        assemble_settings=settings,
    )
    actors._is_tried_again = partial(RunActors._is_tried_again, actors)  # type: ignore[arg-type]
    return actors


@pytest.mark.parametrize(
    ("run_id", "started_at", "overwrite", "retried", "finished"),
    [
        ("earlier", "2026-01-01T11:00:00+00:00", True, False, False),
        ("earlier", "2026-01-01T11:00:00+00:00", False, False, True),
        ("another", "2026-01-01T13:00:00+00:00", True, False, True),
        ("own", "2026-01-01T13:00:00+00:00", True, False, True),  # returned again by a restarted Discovery
        ("own", "2026-01-01T13:00:00+00:00", True, True, False),
        ("own", "2026-01-01T13:00:00+00:00", False, True, False),
    ],
)
def test_a_run_that_reads_finished_documents_again_reads_each_once_unless_it_is_asked(
    run_id: str, started_at: str, overwrite: bool, retried: bool, finished: bool
) -> None:
    actors = actors_with(run_id=run_id, started_at=started_at, overwrite=overwrite, retried=retried)
    assert RunActors.is_finished_by_another(actors, DOCUMENT, since=BEGAN) is finished
