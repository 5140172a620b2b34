"""Translates the command line into Hydra overrides: `rayocr IN [OUT] [key=value…]`, sub-commands and flags.

Reads no file except the one that `--config` names. `python -m rayocr key=value…` passes through unchanged.
"""

from __future__ import annotations

import difflib
import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rayocr.cli.config_file import options_in
from rayocr.composition import PATH_KEYS
from rayocr.config import RayocrConfig
from rayocr.config.ranges import choose
from rayocr.engines.registry import engine_names
from rayocr.errors import UsageError
from rayocr.overrides import (
    CONFIG_GROUPS,
    for_shell,
    is_group,
    kind_of,
    literal,
    meant_option,
    option_names,
)

# Sub-command -> the options that its positional arguments set, in order.
COMMANDS: dict[str, tuple[str, ...]] = {
    "run": ("source", "dest"),
    "watch": ("source", "dest"),
    "estimate": ("source", "dest"),
    "submit": ("source", "dest"),
    "retry": ("source", "dest"),
    "cancel": ("source", "dest"),
    "dismiss": ("dest",),
    "status": ("dest",),
    "report": ("dest",),
    "view": ("dest",),
    "correct": ("dest", "document", "correct.page"),
    "reread": ("dest", "document", "reread.pages"),
    "login": ("login.service",),
}
_OVERRIDE = re.compile(r"^[+~]*[a-z_]\w*(\.[\w*-]+)*=", re.ASCII)
STREAM = "-"  # standard input as source, standard output as destination
FLAGS = ("--help", "--version", "--cfg", "--config", "--json", "--quiet", "--verbose", "--completion", "--samples")
# Flags of single sub-commands -> the options that they set.
COMMAND_FLAGS: dict[str, dict[str, str]] = {
    "correct": {"--file": "correct.file", "--author": "correct.author", "--undo": "correct.undo"},
    "reread": {
        "--pages": "reread.pages",
        "--author": "reread.author",
        "--accept": "reread.accept",
        "--keep": "reread.keep",
    },
}
_SWITCHES = {"--version": "version", "-V": "version", "--cfg": "show_config", "-v": "verbose", "--verbose": "verbose"}
_PROGRESS = {"--json": "json", "-q": "none", "--quiet": "none"}
_SHOWN = {"source": "IN", "dest": "OUT", "document": "NAME"}
_NAMES = frozenset((*option_names(RayocrConfig), *CONFIG_GROUPS))
_MOST_NAMED = 10  # number of files in the command that a message suggests
_SHELLS = ("bash", "zsh", "fish")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """A parsed command line. `overrides`: options as key=value, in the order in which they apply. `help`: the requested topic, ""
    for the overview."""

    overrides: tuple[str, ...] = ()
    unknown: str | None = None  # the first word, if it is neither a command nor an existing path
    help: str | None = None
    version: bool = False
    show_config: bool = False
    verbose: bool = False
    completion: str | None = None
    samples: str | None = None  # the folder to which the bundled PDFs are copied


def parse(arguments: Sequence[str]) -> CommandLine:
    """Parses the arguments. Raises UsageError."""
    words = list(arguments)
    command, given = "", [word for word in words if not word.startswith("-")]
    if given and given[0] in COMMANDS and not _exists(given[0]):
        command = given[0]
        words.remove(command)
    elif given and given[0] == "help":
        words[words.index("help")] = "--help"
    read = _Words.read(words, topic=command)
    places, settings = read.places, read.settings
    _check_values(places)
    has_mode = any(setting.startswith("mode=") for setting in settings)
    unknown = None
    if places and not command and not has_mode and not _split_path(places):
        unknown = places[0] if _may_be_command(places[0]) else None
        _check_command(places[0], several=len(places) > len(COMMANDS["run"]))
    mode = _mode_of(command, settings)
    if (
        places == [STREAM]
        and (command or mode or "run") == "run"
        and not any(o.startswith("dest=") for o in read.from_file + settings)
    ):
        places.append(STREAM)  # a document from standard input goes to standard output
    overrides = (*read.from_file, *_positional(command or mode or "run", places, settings), *settings)
    if command and command != "run" and not has_mode:
        overrides = (f"mode={command}", *overrides)
    return CommandLine(overrides=overrides, unknown=unknown, **read.flags)


@dataclass(slots=True)
class _Words:
    """The words of a command line by kind, in their order."""

    flags: dict[str, Any] = field(default_factory=dict)  # fields of CommandLine
    settings: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)  # positional arguments
    from_file: list[str] = field(default_factory=list)  # settings of the file that --config names

    @classmethod
    def read(cls, words: list[str], topic: str) -> _Words:
        """Sorts `words` into kinds and consumes them. `topic`: the topic of a --help without one. Raises UsageError."""
        found = cls()
        while words:
            word = words.pop(0)
            if word == "--":  # paths that begin with a dash may follow
                found._add_places(words, topic)
                break
            if word.startswith("-") and word != STREAM:
                found._add_flag(word, words, topic)
            elif _OVERRIDE.match(word) and not _exists(word):
                found.settings.append(_whole_name(word, topic))
            else:
                found.places.append(word)
        return found

    def _add_places(self, words: list[str], topic: str) -> None:
        """Adds the words after `--`. Flags of the command keep their meaning there."""
        while words:
            word = words.pop(0)
            if word.partition("=")[0] in COMMAND_FLAGS.get(topic, {}) and not _exists(word):
                self._add_flag(word, words, topic)
            else:
                self.places.append(word)

    def _add_flag(self, word: str, following: list[str], topic: str) -> None:
        """Adds a flag. Takes its value from `following` if it has one."""
        name, equals, value = word.partition("=")
        if word in _SWITCHES:
            self.flags[_SWITCHES[word]] = True
        elif word in _PROGRESS:
            self.settings.append(f"progress={_PROGRESS[word]}")
        elif option := COMMAND_FLAGS.get(topic, {}).get(name):
            self.settings.append(f"{option}={'true' if kind_of(option) == 'bool' else _value(word, following)}")
        elif name == "--help" and equals:
            self.flags["help"] = value
        elif word in ("--help", "-h"):
            has_topic = following and not following[0].startswith("-") and "=" not in following[0]
            self.flags["help"] = following.pop(0) if has_topic else topic
        elif name == "--config":
            self.from_file += options_in(_value(word, following))
        elif name == "--completion":
            self.flags["completion"] = _shell(_value(word, following))
        elif name == "--samples":
            self.flags["samples"] = _value(word, following)
        else:
            raise _unknown_flag(word, following, topic)


def _whole_name(setting: str, command: str) -> str:
    """Returns the setting with the full name of its option: `reread.pages=2` for `pages=2` of `rayocr reread`."""
    name = setting.partition("=")[0]
    return (
        f"{command}.{setting}" if command in COMMAND_FLAGS and name not in _NAMES and f"{command}.{name}" in _NAMES else setting
    )


def _mode_of(command: str, settings: Sequence[str]) -> str:
    modes = [setting.partition("=")[2] for setting in settings if setting.startswith("mode=")]
    if command and modes and modes[-1] != command and command != "run":
        raise UsageError(f"`rayocr {command}` sets mode={command}.", hint=f"Remove mode={modes[-1]}.")
    return modes[-1] if modes and modes[-1] in COMMANDS else ""


def _unknown_flag(word: str, following: Sequence[str], command: str = "") -> UsageError:
    """Returns the error for an unknown flag. Many programs write options as --name value, rayocr as name=value."""
    if _exists(word) or word.lower().endswith(".pdf"):
        return UsageError(f"Unknown flag {word}.", hint=f"For a path that begins with a dash: {for_shell(f'./{word}')}")
    flag, equals, value = word.partition("=")
    if commands := [command for command, flags in COMMAND_FLAGS.items() if flag in flags]:
        return UsageError(f"{flag} is a flag of `rayocr {'` and `rayocr '.join(commands)}`.", hint="Put the command first.")
    name = flag.lstrip("-").replace("-", "_")
    name = meant_option(name) or name
    if is_group(name):
        return UsageError(f"Unknown flag {word}.", hint=f"{name} is a group of options: `rayocr --help {name}` lists them.")
    if name in _NAMES:
        given = following[0] if following and not following[0].startswith("-") else "…"
        value = value if equals else "true" if kind_of(name) == "bool" else given
        return UsageError(f"Unknown flag {word}.", hint=f"Write options as key=value: {for_shell(f'{name}={value}')}")
    known = (*COMMAND_FLAGS.get(command, ()), *FLAGS)
    close = difflib.get_close_matches(f"--{flag.lstrip('-')}", known, n=1, cutoff=0.7) if len(flag) > 2 else []
    if close:
        return UsageError(f"Unknown flag {word}.", hint=f"Did you mean {close[0]}?")
    return UsageError(f"Unknown flag {word}.", hint="Write options as key=value, for example: source=in/ dest=out/")


def _check_command(word: str, *, several: bool) -> None:
    """Raises UsageError for a misspelled command, which would otherwise count as a source."""
    if not _may_be_command(word):
        return
    close = difflib.get_close_matches(word, COMMANDS, n=1, cutoff=0.75) or [flag for flag in FLAGS if flag == f"--{word}"]
    if close:
        raise UsageError(f"{word!r} is neither a command nor a folder.", hint=f"Did you mean `rayocr {close[0]}`?")
    if several:
        raise unknown_word(word, "Put a path with spaces in quotes.")


def unknown_word(word: str, step: str = "Check the path.") -> UsageError:
    """Returns the error for a word that is neither a command nor an existing path."""
    return UsageError(f"{word!r} is neither a command nor a folder.", hint=f"{step} Commands: {', '.join(COMMANDS)}.")


def _may_be_command(word: str) -> bool:
    return not set(word) & set("/\\.:") and word != STREAM and not _exists(word)


def _exists(path: str) -> bool:
    """Returns whether the path exists. Returns False if a parent folder cannot be searched, which the run reports."""
    try:
        return Path(path).exists()
    except OSError:
        return False


def _check_values(places: Sequence[str]) -> None:
    """Raises UsageError for an option without a value, which looks like a path."""
    for position, place in enumerate(places):
        name, colon, value = place.partition(":")
        if name not in _NAMES or _exists(place) or not (colon or "." in place or position > 0):
            continue
        if colon:
            raise UsageError(f"Cannot use {place!r}.", hint=f"Write options as key=value: {for_shell(f'{name}={value}')}")
        raise _without_value(place, [word for word in places[position + 1 :] if word != "="])


def _without_value(option: str, following: Sequence[str] = ()) -> UsageError:
    """Returns the error for an option without a value. The next word is probably the value: `engine local`, `engine = local`."""
    value = following[0] if following else "true" if kind_of(option) == "bool" else "VALUE"
    return UsageError(
        f"The option {option} has no value.",
        hint=f"Write {for_shell(f'{option}={value}')}. `rayocr --help {option}` explains it.",
    )


def _positional(command: str, places: Sequence[str], settings: Sequence[str]) -> list[str]:
    names = COMMANDS[command]
    if len(places) > len(names):
        raise _too_many(command, places, settings)
    if command == "retry" and len(places) == 1:
        return [f"dest={places[0]}"]  # the destination records the source
    return [f"{name}={place if name in PATH_KEYS else literal(place)}" for name, place in zip(names, places, strict=False)]


def _too_many(command: str, places: Sequence[str], settings: Sequence[str]) -> UsageError:
    """Returns the error for too many paths: the shell has split an option at its spaces or expanded *.pdf, or one path is
    superfluous."""
    names = COMMANDS[command]
    extra = places[len(names)]
    torn = next((setting for setting in settings if "=[" in setting and "]" not in setting), None)
    if torn is not None and any(place.endswith("]") for place in places):
        words = [torn, *places[places.index(extra) :]]
        together = (" " if torn.startswith(("include=", "exclude=")) else ",").join(words)
        return UsageError(f"The shell has split `{torn}` at a space.", hint=f"Put the option in quotes: {for_shell(together)}")
    if spaced := _split_path(places):
        return UsageError("The shell has split a path at a space.", hint=f"Put it in quotes: {for_shell(spaced)}")
    if "source" in names and sum(place.lower().endswith(".pdf") for place in places) > 1:
        return _several_sources(command, places)
    form = " ".join(f"[{_SHOWN.get(name, name.rpartition('.')[2].upper())}]" for name in names)
    hint = "Put a path with spaces in quotes."
    if command in COMMAND_FLAGS:
        of_file = command == "correct" and extra.lower().endswith((".md", ".txt"))
        hint = f"For the text: --file {for_shell(extra)}" if of_file else f"`rayocr --help {command}` explains its flags. {hint}"
    if extra in engine_names():
        hint = f"For an engine: engine={extra}"
    name = "rayocr" if command == "run" else f"rayocr {command}"
    return UsageError(f"Cannot use {extra!r}: `{name}` takes {form}, then options as key=value.", hint=hint)


def _split_path(places: Sequence[str]) -> str:
    """Returns the existing path that begins with the first word, which does not exist; "" if there is none."""
    joined = (" ".join(places[:count]) for count in range(len(places), 1, -1))
    return "" if _exists(places[0]) else next((path for path in joined if _exists(path)), "")


def _several_sources(command: str, places: Sequence[str]) -> UsageError:
    """Returns the error for several paths, with the command that reads these files if they are in one folder."""
    name = "rayocr" if command == "run" else f"rayocr {command}"
    files = [Path(place) for place in places if place.lower().endswith(".pdf")]
    out = next((place for place in places if not place.lower().endswith(".pdf")), "out/")
    known = len({file.parent for file in files}) == 1 and len(files) <= _MOST_NAMED
    folder = str(files[0].parent) if known else "in/"
    include = f"include={literal([glob.escape(file.name) for file in files] if known else ['a.pdf', 'b*.pdf'])}"
    return UsageError(
        f"`{name}` takes one source, but {len(places)} paths were given.",
        hint=f"Name the folder, and choose files in it: {name} {for_shell(folder)} {for_shell(out)} {for_shell(include)}",
    )


def _value(word: str, words: list[str]) -> str:
    flag, equals, value = word.partition("=")
    if not equals:
        value = words.pop(0) if words else ""
    if not value:
        raise UsageError(f"{flag} has no value.", hint=f"`rayocr --help` explains {flag}.")
    return value


def _shell(name: str) -> str:
    if name not in _SHELLS:
        raise UsageError(f"No completion for {name!r}.", hint=choose(name, _SHELLS))
    return name
