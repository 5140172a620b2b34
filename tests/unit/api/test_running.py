"""A run that is interrupted while its caller waits, and options that cannot be options."""

from __future__ import annotations

from typing import Any

import pytest

from rayocr.api.process import overrides_of
from rayocr.api.reading import read
from rayocr.api.running import RunHandle
from rayocr.errors import InternalError, UsageError


class Child:
    """`events` are returned, or raised, one by one."""

    def __init__(self, *events: Any) -> None:
        self.events = list(events)
        self.cancelled = self.closed = False

    def next_event(self) -> dict[str, Any] | None:
        event = self.events.pop(0)
        if isinstance(event, BaseException):
            raise event
        assert event is None or isinstance(event, dict)
        return event

    def cancel(self) -> None:
        self.cancelled = True

    def close(self) -> None:
        self.closed = True


def test_an_interrupt_while_the_caller_waits_drains_the_run_and_is_raised() -> None:
    child = Child(KeyboardInterrupt(), {"event": "message", "text": "Stopping …"}, {"event": "end", "exit_code": 130}, None)
    with pytest.raises(KeyboardInterrupt), RunHandle(child, None) as handle:  # type: ignore[arg-type]
        handle.result()
    assert child.cancelled and child.closed
    assert handle.result().exit_code == 130


def test_a_child_that_ends_after_an_interrupt_does_not_hide_it() -> None:
    child = Child(KeyboardInterrupt(), InternalError("ended with code -2"))
    with pytest.raises(KeyboardInterrupt), RunHandle(child, None) as handle:  # type: ignore[arg-type]
        handle.result()
    assert child.closed


@pytest.mark.parametrize(
    ("options", "words"),
    [({"engine": 5}, "takes a name"), ({"on_progres": print}, "takes no function"), ({"foo": lambda: 0}, "takes no function")],
)
def test_values_of_the_wrong_kind_are_wrong_usage(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        overrides_of(options)


def test_none_leaves_a_group_of_options_as_it_is() -> None:
    assert overrides_of({"engine": None}) == []


@pytest.mark.parametrize(("source", "words"), [(None, "not NoneType"), (3, "not int"), ("", "empty")])
def test_other_types_and_an_empty_path_are_wrong_usage(source: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(source)
