"""Every error class survives pickling between processes and is listed in the docstring's tree."""

from __future__ import annotations

import ast
import copy
import pickle
import re
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from rayocr import errors
from rayocr.errors import (
    BadAnswer,
    DayQuotaExhausted,
    EngineRateLimited,
    EngineTransient,
    OutsideError,
    RayocrError,
    UsageError,
)


def walk(cls: type[RayocrError]) -> Iterator[type[RayocrError]]:
    yield cls
    for below in cls.__subclasses__():
        if below.__module__.startswith(errors.__name__):
            yield from walk(below)


TREE = list(walk(RayocrError))


def assert_same(error: RayocrError, again: RayocrError) -> None:
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.args == error.args
    assert again.__dict__ == error.__dict__
    assert (again.hint, again.reason, again.exit_code, again.transient) == (
        error.hint,
        error.reason,
        error.exit_code,
        error.transient,
    )


@pytest.mark.parametrize("cls", TREE, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_class_survives_pickling_with_message_hint_and_attributes(cls: type[RayocrError], protocol: int) -> None:
    error = cls("What happened.", hint="What to do.")
    if isinstance(error, EngineRateLimited):
        error = type(error)("What happened.", hint="What to do.", retry_after_s=34.07, per_day=True)
    elif isinstance(error, DayQuotaExhausted):
        error = type(error)("What happened.", hint="What to do.", resumes_at=1_800_000_000.0)
    elif isinstance(error, EngineTransient):
        error = type(error)("What happened.", hint="What to do.", retry_after_s=34.07)
    elif isinstance(error, BadAnswer):
        error = type(error)("What happened.", hint="What to do.", finish="SAFETY")
    error.extra = {"page_number": 3}  # type: ignore[attr-defined]
    again = pickle.loads(pickle.dumps(error, protocol))
    assert_same(error, again)
    assert again.hint == "What to do."
    assert again.extra == {"page_number": 3}
    assert_same(error, copy.copy(error))


@pytest.mark.parametrize("cls", TREE, ids=lambda cls: cls.__name__)
def test_every_class_can_be_made_from_nothing_and_from_a_message_alone(cls: type[RayocrError]) -> None:
    assert_same(cls(), pickle.loads(pickle.dumps(cls())))
    assert cls("x").hint == cls.default_hint
    assert str(cls("x")) == "x"


@pytest.mark.parametrize("cls", TREE, ids=lambda cls: cls.__name__)
def test_the_reason_is_the_class_name(cls: type[RayocrError]) -> None:
    assert cls("x").reason == cls.__name__


def test_the_reason_of_a_class_from_elsewhere_is_its_nearest_one_in_the_tree() -> None:
    class RayTaskLike(errors.EngineTimeout):  # Ray derives such a class from the error that a task raised
        pass

    assert RayTaskLike("x").reason == "EngineTimeout"
    assert RayTaskLike("x").transient


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"([│├└─ ]*)([A-Z][A-Za-z]+)(\s{2,}|$)", line)
        if match and (match.group(1) or match.group(2) == "RayocrError"):
            depth = len(match.group(1)) // 4
            path[depth:] = [match.group(2)]
            drawn[match.group(2)] = path[depth - 1] if depth else None
    actual = {cls.__name__: cls.__base__.__name__ if cls is not RayocrError and cls.__base__ else None for cls in TREE}
    assert drawn == actual


def test_only_what_waiting_can_cure_is_transient() -> None:
    assert {cls.__name__ for cls in TREE if cls.transient} == {
        "StorageUnavailable",
        "PartMissing",
        "LocksUnavailable",
        "EngineTransient",
        "EngineTimeout",
        "EngineOverloaded",
        "EngineRateLimited",
        "EngineConnectionLost",
        "EngineShed",
        "BatchIncomplete",
        "BatchWithdrawn",
        "BatchGone",
    }


def test_every_exit_code_is_one_that_the_command_line_knows() -> None:
    assert {cls.exit_code for cls in TREE} <= {1, 2, 3, 130}


_STEP = re.compile(
    r"[.:;] (?:add|check|choose|did you mean|free|give|install|leave|name|open|put|redirect|remove|run|save|see|set|use|write)\b",
    re.IGNORECASE,
)


def _messages_of_errors_that_end_a_run() -> Iterator[tuple[str, str]]:
    """Where the error is made, and its message with `{}` for values."""
    kinds = {name for name in errors.__all__ if issubclass(getattr(errors, name), UsageError | OutsideError)}
    package = Path(errors.__file__).parents[1]
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and node.args):
                continue
            message = node.args[0]
            parts = message.values if isinstance(message, ast.JoinedStr) else [message]
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
            yield f"{path.relative_to(package)}:{node.lineno}", text


def test_a_next_step_is_the_hint_and_no_part_of_the_message() -> None:
    messages = list(_messages_of_errors_that_end_a_run())
    assert len(messages) > 150
    assert [f"{where} {text}" for where, text in messages if _STEP.search(text)] == []


def test_a_traceback_shows_the_hint() -> None:
    shown = traceback.format_exception(UsageError("What happened.", hint="What to do."))
    assert "".join(shown).endswith("UsageError: What happened.\nWhat to do.\n")
