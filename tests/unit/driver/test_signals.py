"""Which signals end a run at once."""

from __future__ import annotations

import signal

import pytest

from rayocr.driver.signals import Shutdown


class Ended:
    def __init__(self) -> None:
        self.now = 100.0
        self.first: list[str] = []
        self.codes: list[int] = []
        self.shutdown = Shutdown(
            on_first=self.first.append, on_second=lambda: None, clock=lambda: self.now, end=self.codes.append
        )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_is_sent_twice_at_once_drains_the_run(number: signal.Signals) -> None:
    """timeout(1) sends SIGTERM to the process and to its group; a shell whose terminal is closed repeats SIGHUP."""
    ended = Ended()
    ended.shutdown._handle(number)
    ended.now += 0.01
    ended.shutdown._handle(number)
    assert (ended.first, ended.codes) == ([number.name], [])
    ended.now += 1
    ended.shutdown._handle(number)
    assert ended.codes == [130]


def test_a_second_ctrl_c_ends_the_run_at_once() -> None:
    ended = Ended()
    ended.shutdown._handle(signal.SIGINT)
    ended.shutdown._handle(signal.SIGINT)
    assert (ended.first, ended.codes) == (["SIGINT"], [130])
