"""Executes the command line: takes overrides, runs the command of `mode=`, and returns an exit code.

Exit codes: 0 all documents complete, 1 some documents partial or rejected, 2 wrong usage or configuration, 3 stopped by an
external cause, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from rayocr import __version__
from rayocr.cli.arguments import STREAM, CommandLine, parse, unknown_word
from rayocr.cli.completion import completion_script
from rayocr.cli.engine_words import chain_words, unused_engine_options
from rayocr.cli.exit_code import exit_code_of
from rayocr.cli.help_text import help_text
from rayocr.cli.output_encoding import print_what_the_encoding_lacks
from rayocr.config import INPROCESS, Mode, RayocrConfig, Secrets
from rayocr.errors import CredentialsError, RayocrError, UsageError
from rayocr.masking import hide_environment
from rayocr.observe.logs import log_to_terminal
from rayocr.overrides import for_shell

if TYPE_CHECKING:
    from rayocr.driver.monitor.terminal import ConsoleTerminal
    from rayocr.driver.plan import Plan


def main(arguments: Sequence[str] | None = None) -> int:
    if arguments is None:  # prevents child processes from importing modules of the working folder, such as a user's queue.py
        os.environ.setdefault("PYTHONSAFEPATH", "1")
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    _open_missing_streams()
    print_what_the_encoding_lacks()
    _listen()
    return exit_code_of(lambda: _dispatch(parse(arguments)), as_json=bool({"--json", "progress=json"} & set(arguments)))


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
            from rayocr.driver.commands.estimate.command import show_estimate

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

        code = run_in_child(lambda: exit_code_of(run, as_json=False)) if config.cluster == INPROCESS and can_fork() else run()
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
    terminal.say(f"rayocr {__version__}: {chain_words(config, given or ())}")
    if unused := unused_engine_options(config, given or ()):
        terminal.warn(unused)
    without_ray = config.cluster == INPROCESS and config.mode is not Mode.watch and can_fork()
    if given is not None and (without_ray or ("cluster" not in given and is_small(config, planned))):
        code = run_in_child(
            lambda: exit_code_of(
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
