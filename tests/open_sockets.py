"""Adds the place that opened a socket to the warning that nobody closed it.

Garbage collection finds such sockets during another test, and their addresses alone do not tell which test left them open.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

_FRAMES = 30
_opened: dict[int, str] = {}


def remember_who_opens() -> None:
    construct, describe = socket.socket.__init__, socket.socket.__repr__

    def init(opened: socket.socket, *arguments: Any, **options: Any) -> None:
        construct(opened, *arguments, **options)
        _opened[id(opened)] = _callers()

    def text(opened: socket.socket) -> str:
        return f"{describe(opened)[:-1]}, opened by {_opened.get(id(opened), 'code in C')}>"

    socket.socket.__init__ = init  # type: ignore[method-assign]
    socket.socket.__repr__ = text  # type: ignore[method-assign]


def _callers() -> str:
    found: list[str] = []
    frame = sys._getframe(2)
    while frame is not None and len(found) < _FRAMES:
        found.append(f"{'/'.join(frame.f_code.co_filename.split('/')[-2:])}:{frame.f_lineno}")
        if not frame.f_back:
            break
        frame = frame.f_back
    return " < ".join(found)
