"""The page pipeline: a text that takes too long ends the process."""

from __future__ import annotations

import subprocess
import sys

from rayocr.actors.document_worker.output_plan import plan_outputs
from rayocr.outputs.markdown import MarkdownOutput

_ENDLESS = """
from rayocr.config import LimitsConfig, MarkdownConfig
from rayocr.messages import PageOutcome, PageRecord
from rayocr.outputs import page_pipeline

def endless(text, *, of_a_model):
    while True:
        pass

page_pipeline.normal = endless
pipeline = page_pipeline.PagePipeline(MarkdownConfig(), [], limits=LimitsConfig(page_timeout_s=1))
pipeline.add(PageRecord(document_id="a", page_number=1, outcome=PageOutcome.DONE, text="word " * 10_000))
"""


def test_a_page_whose_text_takes_too_long_ends_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", _ENDLESS], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"longer than 1 s" in done.stderr


def test_after_several_crashes_the_text_is_written_as_it_was_read() -> None:
    assert plan_outputs((MarkdownOutput,), 2).normalizes
    assert not plan_outputs((MarkdownOutput,), 3).normalizes
