"""One page through one stage of the chain, until an answer passes the checks. Decides outcomes; knows no ledger and no Ray.

A page without ink is `blank` and no engine is asked. A trusted text layer comes first, since it costs nothing and a lone line of
born-digital text is text. An answer that an engine is unsure of (LowConfidence) is kept, over stages too: if no engine is surer,
it becomes the page text, with the doubt on record.
"""

from rayocr.engines.stages.compute import ComputeStage
from rayocr.engines.stages.progress import PageProgress
from rayocr.engines.stages.waiting import PageDedupPort, WaitingStage

__all__ = ["ComputeStage", "PageDedupPort", "PageProgress", "WaitingStage"]
