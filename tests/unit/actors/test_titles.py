"""The process titles that benchmarks, chaos and the kill tests look for."""

from __future__ import annotations

import inspect

from benchmarks.processes import ACTOR_TITLES
from rayocr.actors import spawn


def test_every_actor_class_has_its_process_title_and_no_title_is_without_its_class() -> None:
    actors = {name for name, found in vars(spawn).items() if inspect.isclass(found) and name.endswith("Actor")}
    assert {title.removeprefix("ray::") for title in ACTOR_TITLES} == actors


def test_no_title_is_the_beginning_of_another() -> None:
    """Processes are distinguished by the start of their title, which is followed by a method name."""
    for title in ACTOR_TITLES:
        assert [other for other in ACTOR_TITLES if other.startswith(title)] == [title]
