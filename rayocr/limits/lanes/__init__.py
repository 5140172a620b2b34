"""Lanes are the ways to read a page of a run with an objective: local engines, batch, flex, standard."""

from rayocr.limits.lanes.planner import LanePlanner
from rayocr.limits.lanes.terms import BATCH, FLEX, LOCAL, STANDARD, LaneOutlook, LaneReport, LaneTerms

__all__ = ["BATCH", "FLEX", "LOCAL", "STANDARD", "LaneOutlook", "LanePlanner", "LaneReport", "LaneTerms"]
