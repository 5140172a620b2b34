"""A socket that is left open names the code that opened it."""

from __future__ import annotations

import socket

from tests.open_sockets import close_sockets_opened_by


def test_the_warning_of_an_open_socket_names_the_test_that_opened_it() -> None:
    with socket.socket() as opened:
        assert "unit/test_open_sockets.py:" in repr(opened).split(" < ")[0]


def test_sockets_are_closed_by_the_module_that_opened_them() -> None:
    with socket.socket() as opened:
        close_sockets_opened_by("urllib3/connection.py")
        assert opened.fileno() >= 0
        close_sockets_opened_by("unit/test_open_sockets.py")
        assert opened.fileno() == -1
