"""Corrects the script that Tesseract detects, where the shapes of the letters show another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rayocr.engines.tesseract.program import Orientation
from rayocr.engines.tesseract.script_shapes.classifier import NASTALIQ, Likelihood, likely_scripts
from rayocr.engines.tesseract.scripts import CERTAIN_SCRIPT, HAN_SCRIPTS, KOREAN_SCRIPTS, LATIN

# Tesseract has packs for these scripts, but seldom detects them or never.
_UNKNOWN = """Gurmukhi Gujarati Oriya Sinhala Lao Khmer Myanmar Tibetan Georgian Armenian Ethiopic Syriac Thaana Cherokee
    Canadian_Aboriginal"""
_UNKNOWN_SCRIPTS = frozenset(_UNKNOWN.split())
_UNCERTAIN = 1.0  # Tesseract's confidence below which the shapes decide between all scripts
# Differences of scores. On 64 pages, the right script had a lead of .1 to 5; only Devanagari, Bengali and Gurmukhi, which share
# their head stroke, and Telugu and Kannada come within .6 of each other.
_LEAD = 0.15
_CLEAR_LEAD = 0.3
# Pages in scripts that the classifier knows had scores of -.3 to -2.6. Of 70 pages in Latin letters, six had another script
# first, with scores below -3.2.
_LEAST_SCORE = -2.8
# The score of Nastaliq was .1 to .6 below that of other Arabic print on pages in Nastaliq, and .9 to 1.6 on others.
_NASTALIQ_BEHIND = 0.75
_SAME = {NASTALIQ: "Arabic", **dict.fromkeys(KOREAN_SCRIPTS, "Korean"), **dict.fromkeys(HAN_SCRIPTS, "Han"), "Fraktur": "Latin"}


def with_shown_script(seen: Orientation | None, lines: Sequence[Any]) -> Orientation | None:
    """Returns what Tesseract detected in gray pictures (rows, columns) of lines, with another script where their shapes show
    one. `others` are scripts that the shapes do not rule out."""
    if not (likely := _by_pack(likely_scripts(lines))):
        return seen
    first = likely[0]
    detected = _SAME.get(seen.script, seen.script) if seen is not None else ""
    score = next((other.score for other in likely if other.script == detected), -9.0)
    is_uncertain = seen is None or (seen.script_confidence < _UNCERTAIN and seen.script not in KOREAN_SCRIPTS)
    is_other = first.script not in (detected, "Latin", "Han") and (first.script in _UNKNOWN_SCRIPTS or is_uncertain)
    if not is_other or first.score < _LEAST_SCORE or first.score - score < _LEAD:
        return seen
    others = tuple(other.script for other in likely[1:] if first.score - other.score < _CLEAR_LEAD and other.script not in LATIN)
    confidence = CERTAIN_SCRIPT if not others else _UNCERTAIN
    upright = seen or Orientation(quarter_turns=0, turn_confidence=0.0, script="", script_confidence=0.0)
    return replace(upright, script=first.script, script_confidence=confidence, others=others)


def is_nastaliq(lines: Sequence[Any]) -> bool:
    """Returns whether gray pictures of lines in Arabic script show the sloping style of Urdu print."""
    scores = dict(likely_scripts(lines))
    return bool(scores) and scores[NASTALIQ] > scores["Arabic"] - _NASTALIQ_BEHIND


def _by_pack(likely: Sequence[Likelihood]) -> list[Likelihood]:
    """Returns each script once under the name of its packs."""
    found: dict[str, Likelihood] = {}
    for script, score in likely:
        name = _SAME.get(script, script)
        found.setdefault(name, Likelihood(name, score))
    return list(found.values())
