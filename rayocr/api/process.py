"""Starts the child process of the API and reads its events. The child ends with the caller, even if the caller crashes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rayocr import errors
from rayocr.errors import InternalError, RayocrError, UsageError
from rayocr.overrides import CONFIG_GROUPS, kind_of, literal

_WITHOUT_RAY = "inprocess"  # the value of cluster=
_STDERR_TAIL = 2000  # bytes of the child's standard error that an error quotes


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """The progress of a run. `pages_total` and `eta_s` (seconds) are estimates while documents are still being found."""

    documents_done: int
    documents_total: int
    pages_done: int
    pages_total: int
    pages_per_s: float
    eta_s: float | None
    cost_usd: float


def overrides_of(options: Mapping[str, object]) -> list[str]:
    """Converts options to overrides: `limits__rpm=600`, `limits={"rpm": 600}` and `**{"limits.rpm": 600}` all mean
    `limits.rpm=600`. If an option is a list, a single string means a list of one item. Raises UsageError, also for an option that
    is given twice."""
    from rayocr.composition import PATH_KEYS

    found = []
    given: dict[str, str] = {}  # option -> the keyword that sets it
    for key, value in options.items():
        for option in _set_by(key.replace("__", "."), value):
            if given.setdefault(option, key) != key:
                raise UsageError(f"{given[option]}= and {key}= both set {option}.", hint="Give each option once.")
        name = key.replace("__", ".")
        if callable(value):
            raise UsageError(f"{key}= takes no function.", hint="Only on_progress= of rayocr.run, arun and start does.")
        if name in CONFIG_GROUPS and value is None:
            continue
        if name in CONFIG_GROUPS and isinstance(value, int | float):
            raise UsageError(f"{key}= takes a name, not {value!r}.")
        if name in CONFIG_GROUPS and isinstance(value, str) and not re.fullmatch(r"[\w.-]*", value) and "," not in value:
            raise UsageError(f"{key}={value} is not a name.", hint=f"`rayocr --help {name}` lists the names.")
        if name in PATH_KEYS:
            found.append(f"{name}={_path_value(value)}")
        elif name in CONFIG_GROUPS and isinstance(value, str):
            found.append(f"{name}={value}")
        else:
            items = [value] if isinstance(value, str | os.PathLike) and kind_of(name) == "list" else value
            found.append(f"{name}={literal(_plain(items))}")
    return found


def _path_value(value: object) -> str:
    """Quotes a path for `compose`, which reads an unquoted null as None and removes one pair of quotes."""
    if value is None:
        return "null"
    text = os.fsdecode(value) if isinstance(value, str | os.PathLike) else str(value)
    return f"'{text}'" if text == "null" or text[:1] in ("'", '"') else text


def place_of(name: str, value: object) -> str:
    """Returns the text of a path or URI, as an option accepts it. Raises UsageError for another type and for an empty path."""
    if isinstance(value, list | tuple | set | frozenset):
        raise UsageError(f"{name} takes one path.", hint="Name the folder, and choose files in it with include=[…].")
    if isinstance(value, bytes | bytearray | memoryview):
        raise UsageError(f"{name} takes a path, not bytes.", hint="rayocr.read reads the bytes of one PDF.")
    if not isinstance(value, str | os.PathLike):
        raise UsageError(f"{name} takes a path or a URI, not {type(value).__name__}.")
    text = os.fsdecode(value)
    if not text.strip():
        raise UsageError(f"{name} is empty.", hint="Name a folder, gs://BUCKET/PREFIX or gdrive://FOLDER_ID.")
    return f"./{text}" if text == "null" or text[0] in "'\"" else text  # words and quotes of the command line


def _set_by(name: str, value: object) -> Iterator[str]:
    """Yields the options that the value sets. A mapping sets one option for each of its items."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _set_by(f"{name}.{key}", item)
    else:
        yield name


def environment_of_child(folder: Path | None = None) -> dict[str, str]:
    """Keeps the child from importing modules of the working folder, such as a caller's queue.py. The child imports rayocr from
    the same place as this process, and its temporary files are in the folder, if there is one."""
    environment = os.environ | {"PYTHONSAFEPATH": "1"} | ({"TMPDIR": str(folder)} if folder is not None else {})
    package = str(Path(__file__).parents[2])
    if package not in site.getsitepackages():
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), package)))
    return environment


def _plain(value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return os.fspath(value) if isinstance(value, os.PathLike) else value


class ChildRun:
    """Runs rayocr in a child process. Iterate over `events`; the last one is `end`. `folder`: the folder of a read, which the
    child process removes when the caller has ended.

    A document can crash the process of a run without Ray. The run then resumes once with Ray, which isolates documents: the run
    counts the crashes of each document, fails the pages that cause them, and reads the other documents."""

    def __init__(self, overrides: list[str], *, folder: Path | None = None) -> None:
        try:
            Path.cwd()
        except FileNotFoundError as error:
            raise UsageError("The working folder no longer exists.", hint="Change to one that does: os.chdir(…)") from error
        self._overrides, self._folder = overrides, folder
        self._ended = self._has_started = self._is_stopped = False
        self._message = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._start(overrides)

    def _start(self, overrides: list[str]) -> None:
        folder = self._folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rayocr.api.child"],
            env=environment_of_child(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._message,
            text=True,
            encoding="utf-8",
        )
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(
                json.dumps({"overrides": overrides, "folder": str(folder) if folder is not None else None}) + "\n"
            )
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the end event contains the reason

    def events(self) -> Iterator[dict[str, Any]]:
        """Yields all events; see `next_event`."""
        while (event := self.next_event()) is not None:
            yield event

    def next_event(self) -> dict[str, Any] | None:
        """Returns the next event; None after the last one. Blocks. You can call it again after an interruption. Raises
        InternalError when the process crashed."""
        assert self._process.stdout is not None
        if self._ended:
            return None
        line = self._process.stdout.readline()
        if line:
            event: dict[str, Any] = json.loads(line)
            self._ended = event["event"] == "end"
            self._has_started |= event["event"] == "started"
            return event
        self._process.wait()
        if self._has_started and not self._is_stopped and self._is_in_process():
            return self._resume_with_ray()
        raise InternalError(
            f"The process that ran rayocr ended with code {self._process.returncode}.", hint=self._stderr_tail() or None
        )

    def _is_in_process(self) -> bool:
        clusters = [override.partition("=")[2] for override in self._overrides if override.startswith("cluster=")]
        return clusters[-1:] == [_WITHOUT_RAY]

    def _resume_with_ray(self) -> dict[str, Any]:
        """Starts the run again with Ray. Returns the event that reports this."""
        assert self._process.stdout is not None and self._process.stdin is not None
        self._process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._overrides = [*self._overrides, "cluster=local"]
        self._start(self._overrides)
        if self._is_stopped:  # another thread cancelled the run during the restart
            self._process.kill()
        return {"event": "warning", "text": "A document ended the process that was reading it. The run continues with Ray."}

    def cancel(self) -> None:
        """Asks the run to drain: pages in flight finish, and the next run resumes. Idempotent."""
        self._is_stopped = True
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # the process has ended
                self._process.stdin.write("\n")  # forks of this process may keep the pipe open
                self._process.stdin.flush()
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()

    def kill(self) -> None:
        """Ends the process immediately. May be called from any thread. `events` then raises InternalError."""
        self._is_stopped = True
        self._process.kill()

    def close(self) -> None:
        """Ends the process if it is still running."""
        self.cancel()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._message.close()

    def _stderr_tail(self) -> str:
        size = self._message.seek(0, os.SEEK_END)
        self._message.seek(max(0, size - _STDERR_TAIL))
        return self._message.read().decode("utf-8", "replace").strip()


def error_of(event: Mapping[str, Any]) -> RayocrError | None:
    """Returns the error that ended the run, of the class that the child raised."""
    if not event.get("error"):
        return None
    kind = getattr(errors, str(event["error"]), RayocrError)
    kind = kind if isinstance(kind, type) and issubclass(kind, RayocrError) else RayocrError
    return kind(str(event.get("message", "")), hint=event.get("hint"))
