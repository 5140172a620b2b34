"""`make bench-fleet` (needs root and iproute2): runs rayocr on four nodes in network namespaces, with failures of each part.

`python -m benchmarks.fleet SCENARIO…` runs some of them; `--keep FOLDER` keeps their files, except the documents. Reports for
each whether the run ended well and every page exists, how many pages were paid for twice, and how many were at risk: in
flight, or paid for and not yet durable.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet.cluster import Fleet, is_possible, wait_until
from benchmarks.gemini_pages import make_documents

_DOCUMENTS, _PAGES, _LATENCY_S = 16, 6, 1.5
_RUN_S = 3600.0
_LOST = 10  # percent
_OWN = ("ledger:", "rate_limiter:", "discovery:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    name: str
    exit_code: int
    complete: int
    pages_twice: int
    at_risk: int
    seconds: float
    note: str = ""

    def row(self) -> str:
        whole = f"{self.complete} of {_DOCUMENTS}"
        cells = (self.name, self.exit_code, whole, self.pages_twice, self.at_risk, f"{self.seconds:.0f}", self.note)
        return f"| {' | '.join(map(str, cells))} |"


def undisturbed(fleet: Fleet) -> Result:
    found: list[str] = []

    def count() -> int:
        found.extend(fleet.nodes_of_actors(_OWN))
        return fleet.at_risk()

    return _during(fleet, count, note=lambda: f"{found.count('driver')} of {len(found)} own actors on the driver's node")


def redis_unavailable(fleet: Fleet) -> Result:
    def away() -> int:
        at_risk = fleet.at_risk()
        fleet.redis.kill()
        fleet.redis.wait(60)
        time.sleep(30)
        fleet.start_redis()
        return at_risk

    return _during(fleet, away, meanwhile=fleet.restart_ended_head, note=lambda: _said(fleet, "lock service"))


def head_unavailable(fleet: Fleet) -> Result:
    def away() -> int:
        at_risk = fleet.at_risk()
        fleet.kill("head")
        time.sleep(80)
        fleet.start_head()
        return at_risk

    return _during(fleet, away)


def drivers_node_lost(fleet: Fleet) -> Result:
    """Removes the driver's node, where the limiter is: the run ends with it, and the same command resumes."""

    def lost() -> int:
        at_risk = fleet.at_risk()
        fleet.kill("driver")
        return max(at_risk, fleet.at_risk())

    return _during(fleet, lost, again=True, note=lambda: "the same command was started again")


def worker_lost(fleet: Fleet) -> Result:
    def lost() -> int:
        at_risk = fleet.at_risk()
        fleet.kill("w1")
        return max(at_risk, fleet.at_risk())

    return _during(fleet, lost)


def network_cut(seconds: float) -> Callable[[Fleet], Result]:
    def scenario(fleet: Fleet) -> Result:
        def cut() -> int:
            at_risk = fleet.at_risk()
            fleet.network.part(("driver", "w1", "w2"), parted=True)
            time.sleep(seconds)
            fleet.network.part(("driver", "w1", "w2"), parted=False)
            return at_risk

        return _during(fleet, cut, note=lambda: f"{len(fleet.events('worker_failed'))} workers replaced")

    return scenario


def spill_disk_full(fleet: Fleet) -> Result:
    """Runs with full spill disks from the start, and with documents that together are larger than all object stores."""
    for disk in fleet.folder.glob("spill-*"):
        with (disk / "full").open("wb") as file:
            try:
                while True:
                    file.write(b"x" * (1 << 20))
            except OSError:
                pass
    return _during(fleet, fleet.at_risk, note=lambda: _said(fleet, "o progress since"))


SCENARIOS: dict[str, tuple[str, Callable[[Fleet], Result]]] = {
    "undisturbed": ("nothing happens", undisturbed),
    "redis": ("Redis unavailable for 30 s", redis_unavailable),
    "head": ("head unavailable for 80 s", head_unavailable),
    "limiter": ("the limiter's node (the driver's) is lost", drivers_node_lost),
    "worker": ("a worker's node is lost", worker_lost),
    "spill": ("spill disk full", spill_disk_full),
    "lost": (f"{_LOST} % of the replies to calls of actors are lost", undisturbed),
    "cut20": ("network between driver and workers cut for 20 s", network_cut(20)),
    "cut120": ("network between driver and workers cut for 120 s", network_cut(120)),
}


def _during(
    fleet: Fleet,
    happens: Callable[[], int],
    *,
    again: bool = False,
    meanwhile: Callable[[], None] = lambda: None,
    note: Callable[[], str] = lambda: "",
) -> Result:
    """Calls `happens` when a third of the pages has been read, and returns the number of pages at risk."""
    started = time.monotonic()
    run = fleet.run()
    wait_until(lambda: run.poll() is not None or sum(fleet.answered().values()) > _DOCUMENTS * _PAGES // 3, "a third is read")
    assert run.poll() is None, fleet.log()
    at_risk = happens()
    if again:
        run.wait(60)
        run = fleet.run()

    def ended() -> bool:
        meanwhile()
        return run.poll() is not None

    wait_until(ended, "the run ends", seconds=_RUN_S)
    answered = fleet.answered()
    manifests = list((fleet.folder / "out" / ".rayocr" / "documents").glob("*/*.json"))
    complete = sum('"outcome":"complete"' in path.read_text().replace(" ", "") for path in manifests)
    return Result(
        name="",
        exit_code=int(run.returncode),
        complete=complete,
        pages_twice=sum(answered.values()) - len(answered),
        at_risk=at_risk,
        seconds=time.monotonic() - started,
        note=note(),
    )


def _said(fleet: Fleet, words: str) -> str:
    lines = [line.strip() for line in fleet.log().splitlines() if words in line]
    return f"it said: {lines[0][:120]}" if lines else ""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="SCENARIO", choices=[*SCENARIOS, []], default=list(SCENARIOS))
    parser.add_argument("--keep", type=Path, help="folder for logs and state, by scenario")
    given = parser.parse_args()
    if not is_possible():
        raise SystemExit("This benchmark needs root and iproute2 (ip, bridge).")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # namespaces and processes are still removed
    print("| what happened | exit code | documents complete | pages paid twice | at risk then | seconds | |")
    print("|---|---|---|---|---|---|---|")
    for name in given.names:
        title, scenario = SCENARIOS[name]
        folder = Path(tempfile.mkdtemp(prefix="rf", dir="/tmp"))
        page_bytes = 2_000_000 if name == "spill" else 80_000
        make_documents(folder / "in", _DOCUMENTS * _PAGES, page_bytes=page_bytes, pages_a_document=_PAGES)
        fleet = Fleet(folder, spill=name == "spill", lost=_LOST if name == "lost" else 0, latency_s=_LATENCY_S)
        try:
            result = scenario(fleet)
        except BaseException:
            print(fleet.log()[-4000:], file=sys.stderr)
            raise
        finally:
            if given.keep:
                ignored = shutil.ignore_patterns("in", "t*", "home", "spill-*")
                shutil.copytree(folder, given.keep / f"{name}-{folder.name}", ignore=ignored, ignore_dangling_symlinks=True)
            fleet.close()
        row = Result(**{field: getattr(result, field) for field in result.__slots__ if field != "name"}, name=title).row()
        print(row, flush=True)


if __name__ == "__main__":
    main()
