"""Executes the command line: takes overrides, returns an exit code, and prints errors as one or two lines.

Exit codes: 0 all documents complete, 1 some documents partial or rejected, 2 wrong usage or configuration, 3 stopped by an
external cause, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from rayocr import __version__
from rayocr.cli.arguments import STREAM, CommandLine, parse, unknown_word
from rayocr.cli.completion import completion_script
from rayocr.cli.help_text import help_text
from rayocr.config import INPROCESS, Mode, RayocrConfig, Secrets
from rayocr.engines.registry import engine_names
from rayocr.errors import CredentialsError, DayQuotaExhausted, InternalError, Interrupted, RayocrError, StorageFull, UsageError
from rayocr.limits.quota_day import in_words
from rayocr.masking import for_terminal, hide_environment
from rayocr.observe.logs import log_to_terminal
from rayocr.overrides import for_shell

_WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

if TYPE_CHECKING:
    from rayocr.driver.monitor.terminal import ConsoleTerminal
    from rayocr.driver.plan import Plan


def main(arguments: Sequence[str] | None = None) -> int:
    if arguments is None:  # prevents child processes from importing modules of the working folder, such as a user's queue.py
        os.environ.setdefault("PYTHONSAFEPATH", "1")
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    _open_missing_streams()
    _listen()
    return _exit_code(lambda: _dispatch(parse(arguments)), as_json=bool({"--json", "progress=json"} & set(arguments)))


def _exit_code(work: Callable[[], int], *, as_json: bool) -> int:
    """Runs the work, prints its error, and returns its exit code."""
    try:
        code = work()
        try:
            sys.stdout.flush()
        except BrokenPipeError:  # the work is done although the reader of its messages has ended
            _let_go_of_terminal()
        return code
    except RayocrError as error:
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


def _open_missing_streams() -> None:
    """Opens the null device for each standard stream that the caller closed (`>&-`), for which Python has None."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 (used until the process ends)


def _listen() -> None:
    """Makes SIGTERM act like Ctrl-C (exit code 130) until a run installs its own handler."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _dispatch(line: CommandLine) -> int:
    if _is_information(line):
        return 0
    from rayocr.composition import compose, load_dotenv

    load_dotenv()
    hide_environment()
    config = compose(line.overrides)
    if line.verbose:
        log_to_terminal()
    if line.show_config:
        from omegaconf import OmegaConf

        print(OmegaConf.to_yaml(OmegaConf.structured(config)), end="")
        return 0
    if line.unknown:
        raise unknown_word(line.unknown)
    check_source_is_named(config)
    if STREAM in (config.source, config.dest):
        return _run_on_streams(config, line.overrides)
    return _run_command(config, line.overrides)


def _is_information(line: CommandLine) -> bool:
    """Prints what the command line asks for if that needs no configuration, such as the help. Returns whether it did."""
    if line.help is not None:
        print(help_text(line.help))
    elif line.version:
        print(f"rayocr {__version__}")
    elif line.completion:
        print(completion_script(line.completion), end="")
    elif line.samples:
        _copy_samples(line.samples)
    else:
        return False
    return True


def _copy_samples(folder: str) -> None:
    from rayocr.api.samples import copy_samples, existing_samples

    kept = existing_samples(folder)
    place = copy_samples(folder)
    if kept:
        print(f"{place}/ has files of these names already, which are unchanged: {', '.join(kept)}")
    done = "The samples are in" if kept else "Copied the samples to"
    print(f"{done} {place}/. Read them: rayocr {for_shell(str(place))} out/")


def _run_command(config: RayocrConfig, given: Sequence[str]) -> int:
    """Runs the command of `mode=`, and returns its exit code. Each command is imported only when it is used, since imports take
    most of the time of a short command."""
    from rayocr.composition import secrets_from_environment

    keys = secrets_from_environment()
    match config.mode:
        case Mode.status:
            from rayocr.driver.commands.status import show_status

            return show_status(config, keys)
        case Mode.estimate:
            from rayocr.driver.commands.estimate import show_estimate

            return show_estimate(config)
        case Mode.report:
            from rayocr.driver.commands.report import show_report

            return show_report(config)
        case Mode.view:
            from rayocr.view.command import show_results

            return show_results(config, keys, given=given)
        case Mode.correct:
            from rayocr.cli.correct import correct_page

            return correct_page(config, keys)
        case Mode.reread:
            from rayocr.cli.reread import reread_pages

            return reread_pages(config, keys, given=given)
        case Mode.login:
            from rayocr.driver.commands.login import sign_in_to_drive

            return sign_in_to_drive(config)
        case Mode.submit:
            from rayocr.driver.commands.submit import submit

            return submit(config, list(given))
        case Mode.dismiss:
            from rayocr.driver.commands.dismiss import dismiss_failures

            return dismiss_failures(config)
        case Mode.cancel:
            from rayocr.driver.commands.cancel import request_cancel

            return request_cancel(config)
        case _:  # run, retry or watch
            names = {override.partition("=")[0].lstrip("+") for override in given}
            return _run(config, keys, bundled=config.source is None and config.mode is Mode.run, given=names)


def check_source_is_named(config: RayocrConfig) -> None:
    """Raises UsageError if no source is named, except for a run and an estimate, which then read the bundled samples."""
    if config.source is not None or config.mode not in (Mode.watch, Mode.submit, Mode.cancel):
        return
    examples = {
        Mode.watch: "rayocr watch in/ out/",
        Mode.submit: "rayocr submit gs://BUCKET/in gs://BUCKET/out cluster=http://HOST:8265",
        Mode.cancel: "rayocr cancel in/ out/ document=a.pdf",
    }
    raise UsageError(
        f"`rayocr {config.mode.value}` needs IN, the folder, bucket or Drive folder with the PDFs.",
        hint=f"For example: {examples[config.mode]}",
    )


def _run_on_streams(config: RayocrConfig, given: Sequence[str]) -> int:
    from rayocr.cli.small_run import can_fork, run_in_child
    from rayocr.cli.streams import streams
    from rayocr.composition import secrets_from_environment
    from rayocr.driver.monitor.terminal import ConsoleTerminal

    with streams(config, given) as opened:
        terminal = ConsoleTerminal(config.progress, stderr=True)

        def run() -> int:
            return _run(config, secrets_from_environment(), terminal, places=not opened.dest)

        code = run_in_child(lambda: _exit_code(run, as_json=False)) if config.cluster == INPROCESS and can_fork() else run()
        if code is None:
            terminal.warn("The document ended the process that was reading it.")
            return 1
        opened.deliver()
    return code


def _run(
    config: RayocrConfig,
    keys: Secrets,
    terminal: ConsoleTerminal | None = None,
    *,
    places: bool = True,
    bundled: bool = False,
    given: Collection[str] | None = None,
) -> int:
    """Executes a run. `places`: names the outputs at the end. `bundled`: whether to report that the samples are read because no
    source was named. `given`: the names of the options of the command line; unless they include `cluster`, a small job runs
    without Ray. A run without Ray is in a child process if `given` is not None, and resumes with Ray if a document crashes it."""
    from rayocr.cli.small_run import can_fork, is_small, run_in_child
    from rayocr.composition import source_accesses
    from rayocr.driver.monitor.terminal import ConsoleTerminal
    from rayocr.driver.plan import existing_state, plan
    from rayocr.driver.retry_selection import check_reason, check_recorded_source, recorded_source
    from rayocr.gateway.server import check_gateway

    vertex = config.engine.gemini.vertexai and config.engine.gemini.project
    if "gemini" in config.engine.chain and not keys.gemini_api_key and not vertex:
        raise CredentialsError.no_gemini_key()
    check_gateway(config.gateway, keys.api_token)
    if config.mode is Mode.retry and config.source is None:
        source = recorded_source(existing_state(config))
        config.storage.source = source_accesses(config).get((source or "").partition("://")[0], config.storage.source)
        config.source = source
        check_recorded_source(config)
    check_reason(config)
    terminal = terminal or ConsoleTerminal(config.progress, stderr=config.logs.stdout == "json")
    planned = plan(config)
    if bundled:
        terminal.say(f"No IN was given: reading the bundled samples into {config.dest}/.")
    terminal.say(f"rayocr {__version__}: {_chain_words(config, given or ())}")
    if unused := unused_engine_options(config, given or ()):
        terminal.warn(unused)
    without_ray = config.cluster == INPROCESS and config.mode is not Mode.watch and can_fork()
    if given is not None and (without_ray or ("cluster" not in given and is_small(config, planned))):
        code = run_in_child(
            lambda: _exit_code(
                lambda: _execute(config, planned, keys, terminal, places=places, in_process=True), as_json=terminal.json
            )
        )
        if code is not None:
            return code
        terminal.warn("A document ended the process that was reading it. The run continues with Ray, which isolates documents.")
        config.cluster = "local" if without_ray else config.cluster
    return _execute(config, planned, keys, terminal, places=places)


def _execute(
    config: RayocrConfig, planned: Plan, keys: Secrets, terminal: ConsoleTerminal, *, places: bool, in_process: bool = False
) -> int:
    from rayocr.driver.run import Run

    run = Run(config, planned, keys, terminal, in_process=in_process)
    code: int | None = None
    failure: RayocrError | None = None
    try:
        code = run.execute()
    except RayocrError as error:
        failure = error
        raise
    finally:
        _listen()
        with contextlib.suppress(OSError) if failure else contextlib.nullcontext():  # a full standard output hides no failure
            run.announcements.summarize(
                ended=code is not None, places=places, exit_code=failure.exit_code if failure else code, error=failure
            )
    if config.gateway.after == "view" and run.status_page is not None:
        from rayocr.view.command import show_results

        show_results(config, keys, after=run.status_page)
    return code


def _chain_words(config: RayocrConfig, given: Collection[str]) -> str:
    chain = " → ".join(name.rstrip("?") for name in config.engine.chain)
    if config.engine.name == "local":
        return f"reading with {chain} (local; set GEMINI_API_KEY to read with Gemini)"
    if "gemini" in config.engine.chain and not {"engine", "engine.chain"} & set(given):
        return f"reading with {chain} (a key is set, so pages are sent to Google; engine=local reads on this machine only)"
    return f"reading with {chain}"


def unused_engine_options(config: RayocrConfig, given: Collection[str]) -> str:
    """Returns the warning about options of engines that the chain does not ask; "" if there are none."""
    chain = {name.rstrip("?") for name in config.engine.chain}
    unused = sorted(option for option in given if (engine := engine_of_option(option)) and engine not in chain)
    if not unused:
        return ""
    engine = engine_of_option(unused[0])
    has = "has" if len(unused) == 1 else "have"
    names = ", ".join(unused)
    return f"{names} {has} no effect, because the chain does not ask {engine}. To read with it, set engine={engine}."


def engine_of_option(option: str) -> str:
    """Returns the engine of an option such as engine.gemini.prompt; "" for other options."""
    group, _, rest = option.partition(".")
    engine = rest.partition(".")[0]
    return engine if group == "engine" and engine in engine_names() and "." in rest else ""


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
