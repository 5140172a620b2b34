"""Words and names that were replaced by those of the glossary do not return."""

from __future__ import annotations

import contextlib
import functools
import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
HISTORY = ("tests/unit/docs/test_retired_words.py",)  # it names the old words

# What is written now, and a pattern of what was written before.
RETIRED = {
    "RunActors, RayActors, LocalActors": r"\bActorHandles\b",
    "Announcements": r"\bRunWords\b",
    "StatusCollector": r"[Ss]napshooter",
    "CommandHandler, or control": r"\b_?[Ss]teer(s|ing)?\b|HTTP face",
    "Leases": r"LeaseKeeper",
    "QuotaTracker": r"ModelQuotaKeeper",
    "BatchQueue": r"\bdesks?\b|BatchDesk|batch_desk",
    "duplicate": r"\b[Tt]wins?\b|_twins?_|\btwin_|namesake",
    "compaction": r"[Hh]ousekeeping",
    "dead letter": r"\bhas_letter\b|_letter_matches",
    "output_name": r"output_stem",
    "WorkerFailed, ActorFailed, failure": r"WorkerDied|PROCESS_DIED|worker_died\b|rate_limiter_died|_deaths?\b|\bdeaths\b",
    "content_lost, lease_lost": r"DOCUMENT_LOST|document_lost\b",
    "unavailable": r"TableAway|[a-z]_away\b|_AWAY\b|\baway_(for|since)",
    "recovered": r"(locks|limits|storage|events|supabase|model)_back\b",
    "TableMisconfigured": r"[Mm]isfit",
    "in_progress": r"under_way\b|_at_hand\b|\bat_hand\b|\bunderWay\b",
    "retried": r"taken_up\b",
    "merger": r"(?<!zero.width )(?<!word )\bjoiner\b(?!s)",
    "verification": r"second[ _-]look",
    "poll, check, inspect, verify": (
        r"\bdef _?look(ed|s)?\b|\.look\(|\b_look(s|ing|ed)?\b|_LOOK|control_look|next_look|watch_looks|watch-looks"
    ),
    "page pipeline": r"\bedition\b",
    "continue, resume": r"\bgoes_on\b|_goes_on_",
    "skipped": r"passed_by\b|pass(es|ed)? (it|them) by\b",
    "clear words": r"\bin vain\b|_in_vain|\bthat_is_none\b|\bto be had\b|\bso many that\b",
}


@functools.cache
def tracked_texts() -> dict[str, str]:
    """The text of each file by name. Every word is searched in them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        if (
            name in HISTORY
            or name.startswith(("samples/", "tests/data/"))
            or name.endswith((".lock", ".pdf", ".png", ".json.zst"))
        ):
            continue
        with contextlib.suppress(UnicodeDecodeError, FileNotFoundError):
            found[name] = (REPOSITORY / name).read_text(encoding="utf-8")
    return found


@pytest.mark.parametrize("word", RETIRED)
def test_no_file_has_the_words_that_were_replaced_by(word: str) -> None:
    pattern = re.compile(RETIRED[word])
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for name, text in tracked_texts().items()
        for match in pattern.finditer(text)
    ]
    assert found == [], f"write: {word}"
