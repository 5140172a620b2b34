"""Runs one page through one stage of the chain until an answer passes the checks. Decides outcomes. Does not depend on the ledger
or on Ray.

A page without ink is `blank`, and no engine reads it. A trusted text layer is used first, since it costs nothing and even a
single line of born-digital text is reliable. An answer with low confidence (LowConfidence) is kept, across stages too. If no
engine has a better one, it becomes the page text, and the doubt is recorded.
"""

from rayocr.engines.stages.compute import ComputeStage
from rayocr.engines.stages.ports import PageDedupPort, ReadLocally
from rayocr.engines.stages.progress import PageProgress
from rayocr.engines.stages.waiting import WaitingStage

__all__ = ["ComputeStage", "PageDedupPort", "PageProgress", "ReadLocally", "WaitingStage"]
