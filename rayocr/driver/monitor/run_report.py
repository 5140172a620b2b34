"""Writes the report of the runs of a destination: one HTML file beside the outputs, made from the state alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

from rayocr.actors.ledger.versions import replaced_versions
from rayocr.composition import source_accesses
from rayocr.config import AccessConfig, RayocrConfig
from rayocr.driver.monitor.run_record import RUNS_PREFIX
from rayocr.driver.plan import existing_state
from rayocr.errors import ObjectNotFound, RecordCorrupt, StorageError, UsageError
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest, document_id_of
from rayocr.observe.dead_letters import dismissed_ids
from rayocr.outputs.report.document import report_html
from rayocr.outputs.report.drawer import PageDrawer
from rayocr.outputs.report.facts import ReportFacts
from rayocr.outputs.report.failed_pictures import FailedPictures
from rayocr.outputs.report.pages import Drawing, show_pages
from rayocr.storage.base import Storage
from rayocr.storage.factory import open_storage
from rayocr.storage.uri import StorageUri, local_path, parse_uri
from rayocr.untrusted_json import parse_object

REPORT_NAME = "report.html"
_READ_AT_ONCE = 16  # number of manifests; remote storage needs one request for each
_MANIFESTS_AHEAD = 512


def make_report(config: RayocrConfig, tell: Callable[[str], None] = lambda text: None) -> tuple[ReportFacts, str]:
    """Writes the report. Returns its facts and its location. Blocks, and passes the progress to `tell`. Raises UsageError and
    StorageError."""
    settings = config.report
    state = existing_state(config)
    dest_uri = parse_uri(config.dest)
    dest = _existing(dest_uri, config.storage.dest)
    runs = _chosen_runs(state, settings.run)
    run_ids = None if settings.run == "all" else {str(run["run_id"]) for run in runs}
    older = replaced_versions(state) if run_ids is None else frozenset()  # the report of single runs needs no older versions
    facts, unreadable = ReportFacts(settings, dismissed=dismissed_ids(state)), 0
    for manifest in _manifests(state):
        if manifest is None:
            unreadable += 1
        elif manifest.document_id in older:
            facts.add_spent(manifest)
        elif run_ids is None or manifest.run_id in run_ids:
            facts.add(manifest)
    if not (runs or unreadable or facts.document_count):
        raise UsageError("No run has finished a document here.", hint="Check the path of the results (dest=).")
    title = "All runs" if run_ids is None else f"Run {', '.join(sorted(run_ids))}"
    drawing = Drawing(dpi=settings.dpi, limits=config.limits, access=config.storage.source, kinds=source_accesses(config))
    total = len(facts.doubtful) + len(facts.sample)
    failed = FailedPictures(state, dpi=settings.dpi).read()
    try:
        with PageDrawer(failed, on_page=lambda number: tell(f"Writing the report: page {number} of {total} …")) as drawer:
            doubtful = show_pages(facts.doubtful, dest, drawing, drawer)
            sample = show_pages(facts.sample, dest, drawing, drawer)
    finally:
        failed.write()
    html = report_html(
        facts,
        title=title,
        dest=dest_uri.display,
        runs=runs,
        doubtful=doubtful,
        sample=sample,
        link=_links(dest_uri, beside_outputs=settings.file is None),
        unreadable=unreadable,
        now=datetime.now(UTC),
    )
    return facts, _write(html, settings.file, dest, dest_uri)


def _existing(uri: StorageUri, access: AccessConfig) -> Storage:
    try:
        return open_storage(str(uri), access)
    except ObjectNotFound as error:
        raise UsageError(f"{uri.display} does not exist.", hint="Check the path of the results (dest=).") from error


def _chosen_runs(state: Storage, wanted: str) -> list[dict[str, Any]]:
    """Returns the records of the runs to report on, oldest first. `all` returns the readable records, since a run that crashed
    wrote manifests but no record. Raises UsageError when a wanted run has no readable record."""
    names = sorted(entry.name for entry in state.list(RUNS_PREFIX) if entry.name.endswith(".json"))
    if wanted not in ("all", "last"):
        names = [name for name in names if name == f"{RUNS_PREFIX}{wanted}.json"]
    if not names and wanted != "all":
        what = "No run has finished here" if wanted == "last" else f"There is no run {wanted} here, or it has not finished"
        raise UsageError(f"{what}.", hint="Check dest= and report.run=.")
    records = []
    for name in names if wanted == "all" else names[-1:]:
        try:
            record = parse_object(state.read(name), name=name)
        except (StorageError, RecordCorrupt):
            continue
        if "run_id" in record:
            records.append(record)
    if not records and wanted != "all":
        raise UsageError(
            f"Cannot read the record of the run: {names[-1]}.", hint="Set report.run=all to report on all documents."
        )
    return records


def _manifests(state: Storage) -> Iterator[Manifest | None]:
    """Yields every manifest, and None for each one that cannot be read."""

    def read(name: str) -> Manifest | None:
        try:
            return Manifest.from_json(state.read(name), name=name)
        except (StorageError, RecordCorrupt):
            return None

    names = (entry.name for entry in state.list(DOCUMENTS_PREFIX) if document_id_of(entry.name))
    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
        while ahead := list(islice(names, _MANIFESTS_AHEAD)):
            yield from pool.map(read, ahead)


def _links(dest: StorageUri, *, beside_outputs: bool) -> Callable[[str], str | None]:
    """Returns links to the outputs. They are relative if the report is beside the outputs, so that you can move both together."""
    if dest.scheme == "gdrive":
        return lambda name: None  # files on Drive have ids instead of paths
    if beside_outputs:
        base = ""
    elif dest.scheme == "gs":
        base = f"https://storage.cloud.google.com/{dest.root}/" + (f"{dest.prefix}/" if dest.prefix else "")
    else:
        base = dest.text.rstrip("/") + "/"
    return lambda name: base + quote(name.encode("utf-8", "surrogateescape"))


def _write(html: str, file: str | None, dest: Storage, dest_uri: StorageUri) -> str:
    """Writes the report and returns its location. Raises UsageError and StorageError."""
    data = html.encode("utf-8", "replace")
    if file is None:
        dest.write(REPORT_NAME, data)
        return f"{dest_uri.display.rstrip('/')}/{REPORT_NAME}"
    path = local_path(file)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"Cannot write the report to {path}: {error.strerror}.", hint="Set another report.file=.") from error
    return str(path)
