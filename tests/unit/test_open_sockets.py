"""A socket that is left open names the code that opened it."""

from __future__ import annotations

import socket


def test_the_warning_of_an_open_socket_names_the_test_that_opened_it() -> None:
    with socket.socket() as opened:
        assert "unit/test_open_sockets.py:" in repr(opened).split(" < ")[0]
