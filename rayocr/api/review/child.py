"""Calls a function in a new interpreter, since a hostile PDF may crash it. Unlike a process of `multiprocessing`, it does not run
the caller's main module again, so a program that uses rayocr needs no `if __name__ == "__main__"`.

Standard input contains a pickle of the function and its arguments; standard output contains a pickle of the result and the error.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from rayocr.api.process import environment_of_child
from rayocr.errors import InternalError, RayocrError
from rayocr.pdf.guard import quiet_process

P = ParamSpec("P")
T = TypeVar("T")


def in_child(function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Calls `function`, which must be in a module of rayocr, in a child process. Raises its RayocrError, and InternalError if the
    process crashed."""
    process = subprocess.run(
        [sys.executable, "-m", "rayocr.api.review.child"],
        input=pickle.dumps((function, arguments, options)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment_of_child(),
        check=False,
    )
    if process.returncode:
        raise InternalError(f"The document crashed the process that opened it (code {process.returncode}).")
    result, error = pickle.loads(process.stdout)  # noqa: S301 - from the process that this one started
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def main() -> None:
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # the output of libraries is not part of the answer
    quiet_process()
    function, arguments, options = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - from the process that started this one
    found: tuple[Any, RayocrError | None]
    try:
        found = (function(*arguments, **options), None)
    except RayocrError as error:
        found = (None, error)
    with answer:
        answer.write(pickle.dumps(found))


if __name__ == "__main__":
    main()
