"""Prints the error that ends the command line, and returns its exit code."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable

from rayocr.errors import DayQuotaExhausted, InternalError, Interrupted, RayocrError, StorageFull, StorageUnavailable
from rayocr.limits.quota_day import in_words
from rayocr.masking import for_terminal

_WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def exit_code_of(work: Callable[[], int], *, as_json: bool) -> int:
    """Runs the work, prints its error, and returns its exit code."""
    try:
        code = work()
        try:
            sys.stdout.flush()
        except BrokenPipeError:  # the work is done although the reader of its messages has ended
            _let_go_of_terminal()
        return code
    except RayocrError as error:
        if isinstance(error, StorageUnavailable) and not error.hint:
            error.set_hint("Start the same command again when the storage is available.")
        return _report(error, as_json=as_json)
    except KeyboardInterrupt:
        print("rayocr: interrupted.", file=sys.stderr)
        if as_json:
            _print_json(Interrupted("Interrupted."))
        return 130
    except BrokenPipeError:
        _let_go_of_terminal()
        return 1
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _WRITE_ERRORS and error.filename is None:  # a stream, not a file
            full = StorageFull(f"Cannot write to standard output: {error.strerror}.", hint="Free some space or redirect it.")
            return _report(full, as_json=False)
        # A bug in rayocr: the user gets one line, and the log gets the traceback.
        fields = {"action": "run_failed"}
        logging.getLogger("rayocr").critical("A bug in rayocr ended the run.", exc_info=error, extra={"rayocr_fields": fields})
        return _report(
            InternalError(
                f"Stopped by a bug in rayocr: {type(error).__name__}: {error}",
                hint="The traceback is in the log (logs/json). Finished pages are kept; start the same command again to resume.",
            ),
            as_json=as_json,
        )


def _print_json(error: RayocrError) -> None:
    from rayocr.driver.monitor.terminal import ConsoleTerminal
    from rayocr.observe.json_fields import error_json

    ConsoleTerminal("json").data(error_json(error))


def _let_go_of_terminal() -> None:
    """Discards further output after the reader has closed the pipe. Otherwise Python's flush at exit fails and replaces the exit
    code."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


def _report(error: RayocrError, *, as_json: bool) -> int:
    """Prints the error and returns its exit code, even if the terminal is closed."""
    try:
        sys.stdout.flush()
        _write(error)
        sys.stderr.flush()
        if as_json and not error.in_json:
            _print_json(error)
    except OSError:
        _let_go_of_terminal()
    return error.exit_code


def _write(error: RayocrError) -> None:
    message = str(error)
    if isinstance(error, DayQuotaExhausted) and error.resumes_at is not None:
        message += (
            f" It resumes at {in_words(error.resumes_at)}."  # added here, because only this process has the user's time zone
        )
    steps = " ".join(filter(None, (error.hint, getattr(error, "shell_hint", None))))
    lines = [f"rayocr: {message}"] + ([f"  {steps}"] if steps else [])
    text = for_terminal("\n".join(lines) + "\n")
    sys.stderr.write(text.encode(sys.stderr.encoding or "utf-8", "backslashreplace").decode(sys.stderr.encoding or "utf-8"))
