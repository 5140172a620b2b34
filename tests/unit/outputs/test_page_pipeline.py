"""The page pipeline: a text that takes too long ends the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rayocr.actors.document_worker.output_plan import plan_outputs
from rayocr.outputs.markdown import MarkdownOutput
from rayocr.pdf.guard import Allowance

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


_ENDLESS_TYPESETTING = """
import io, time
from rayocr.config import LimitsConfig, MarkdownConfig
from rayocr.messages import PageOutcome, PageRecord
from rayocr.outputs import clean_pdf, page_pipeline
from rayocr.outputs.typeset import markup
from tests.unit.outputs.clean_pages import document_context

def endless(text, prepare):
    {body}

markup.typeset_markdown = endless
writer = clean_pdf.CleanPdfOutput(io.BytesIO(), document_context(1))
limits = LimitsConfig(page_timeout_s={seconds}, page_memory=64 << 20)
pipeline = page_pipeline.PagePipeline(MarkdownConfig(), [writer], limits=limits)
pipeline.add(PageRecord(document_id="a", page_number=1, outcome=PageOutcome.DONE, text="a word"))
"""


@pytest.mark.parametrize(
    ("body", "seconds", "why"),
    [
        ("while True: pass", 1, b"longer than 1 s"),
        ("kept = [bytes(1 << 20).replace(b'\\0', b'x') for _ in range(4000)]; time.sleep(600)", 600, b"more memory than"),
    ],
)
def test_a_page_whose_typesetting_takes_too_much_ends_the_process(body: str, seconds: int, why: bytes) -> None:
    code = _ENDLESS_TYPESETTING.format(body=body, seconds=seconds)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    assert why in done.stderr


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_steps_that_take_too_long_together_end_the_process() -> None:
    clock, ends = _Clock(), list[str]()
    allowance = Allowance(seconds=10, memory_bytes=1 << 40, clock=clock, end=ends.append)
    for _ in range(3):
        with allowance.step():
            clock.now += 3
        clock.now += 1_000  # waiting for the ledger or for storage does not count
    assert not ends
    with allowance.step():
        clock.now += 3
    assert ends == ["longer than 10 s in all"]


def test_steps_that_keep_too_much_memory_end_the_process() -> None:
    used, ends = [100, 150, 201], list[str]()
    allowance = Allowance(seconds=10, memory_bytes=100, memory=lambda: used.pop(0), end=ends.append)
    with allowance.step():
        pass
    assert not ends
    with allowance.step():
        pass
    assert ends == ["more memory than limits.page_memory allows"]


_SLOW_DOCUMENT = """
import io, time
from rayocr.config import LimitsConfig, MarkdownConfig
from rayocr.messages import PageOutcome, PageRecord
from rayocr.outputs import page_pipeline

page_pipeline.normal = lambda text, of_a_model: time.sleep(0.4) or text
limits = LimitsConfig(assemble_timeout_s=1, assemble_page_s=0.01, page_timeout_s=600)
pipeline = page_pipeline.PagePipeline(MarkdownConfig(), [], limits=limits, page_count=20)
for number in range(1, 21):
    pipeline.add(PageRecord(document_id="a", page_number=number, outcome=PageOutcome.DONE, text="a word"))
"""


def test_a_document_of_slow_pages_ends_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", _SLOW_DOCUMENT], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"longer than 1 s in all" in done.stderr


def test_after_several_crashes_the_text_is_written_as_it_was_read() -> None:
    assert plan_outputs((MarkdownOutput,), 2).normalizes
    assert not plan_outputs((MarkdownOutput,), 3).normalizes
