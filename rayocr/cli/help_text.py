"""Implements `--help`: shows an overview, one option (`--help limits.rpm`), a group of options (`--help limits`), a sub-command,
the reason of a failure (`--help NotAPdf`), a flag, or a word of the glossary (`--help shard`)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from rayocr import __version__, errors
from rayocr.cli.arguments import COMMAND_FLAGS, COMMANDS, FLAGS
from rayocr.config.describe import OptionHelp, describe_options
from rayocr.engines.registry import engine_names
from rayocr.errors import UsageError
from rayocr.failure_reasons import explanation, rejects_document, retry_helps
from rayocr.overrides import CONFIG_GROUPS

_OVERVIEW = """\
rayocr {version}: reads PDFs and writes Markdown and clean PDFs, page for page. Resumable.

Usage
  rayocr IN [OUT] [key=value…]          read IN into OUT; IN and OUT are folders, gs://BUCKET/PREFIX or gdrive://FOLDER_ID
  rayocr a.pdf -                        one document on standard output
  cat a.pdf | rayocr -                  `-` as IN reads standard input; without OUT it writes to standard output
  rayocr                                reads the bundled samples into output/
  rayocr COMMAND … [key=value…]
  python -m rayocr source=IN dest=OUT   the same, with options only

Commands
  status OUT         what is finished, what failed, and why
  retry OUT          retry failed documents (failed pages only)
  dismiss OUT        stop reporting failures of deleted files, or of those that document=NAME or retry.reason= selects
  view OUT           search, compare and correct the results in a browser
  correct OUT NAME PAGE                 correct a page in $EDITOR; --file page.md (- is standard input), --author, --undo
  reread OUT NAME --pages 2,5-7 engine=tesseract    read pages again and compare; --accept or --keep answers the question
  report OUT         all runs as one HTML file: OUT/report.html
  watch IN OUT       read new documents as they appear, until Ctrl-C
  estimate IN [OUT]  pages, tokens, cost and time in advance
  cancel IN OUT document=NAME           running jobs stop processing it; later runs skip it
  submit IN OUT cluster=http://HOST:8265        run as a job on a Ray cluster and follow its log
  login drive        sign in to Google Drive, for gdrive://FOLDER_ID

Which documents
  include=['reports/*']  exclude=['drafts/*']  limit=100  min_bytes=1000  max_bytes=50000000
  order=listing|newest|oldest|smallest|largest|name     overwrite=true (read finished documents again)
Engine
  engine={engines}     (default: gemini if GEMINI_API_KEY is set, otherwise local)
  engine.chain=[textlayer,gemini,rapidocr]      engine.gemini.prompt=translate
Outputs
  outputs=[markdown,clean_pdf,searchable_pdf,jsonl,parquet]        (default: the first two)
Pace and cost
  limits=free|tier1|tier2|tier3|unlimited  limits.rpm=600  limits.max_in_flight=64  budget.usd=20
Where it runs
  cluster=auto|inprocess|local|ADDRESS  workers.max=4  locks=redis (several machines on one destination; needs REDIS_URL)

Flags
  --help [OPTION|GROUP|COMMAND|FAILURE|WORD]   for example --help limits.rpm, --help limits, --help retry, --help NotAPdf
  --config FILE.yaml   options from a file; the command line overrides them
  --cfg                print the complete configuration with your options
  --json               status, estimate, report and the final table as JSON
  -q, --quiet          no progress                    -v, --verbose   log lines on the terminal
  --samples FOLDER     copy the bundled sample PDFs to a folder, to try rayocr with
  --completion bash|zsh|fish   print a completion script                   --version

Exit codes: 0 all complete · 1 some documents partial or rejected · 2 wrong usage · 3 stopped by an external cause ·
130 interrupted; start the same command again to resume."""

_COMMAND_HELP = {
    "run": "rayocr IN [OUT]: reads every document in IN that is not finished, and writes outputs to OUT (default: output).",
    "watch": "rayocr watch IN OUT: reads existing documents, then new ones as they appear, until Ctrl-C.",
    "estimate": "rayocr estimate IN [OUT]: counts pages and predicts tokens, cost and time. Sends nothing. Documents that are"
    " finished in OUT are not counted (default: output).",
    "submit": "rayocr submit IN OUT cluster=http://HOST:8265: runs the same command as a job of a Ray cluster and follows it.",
    "retry": "rayocr retry OUT: retries the failed pages of failed documents. `rayocr retry IN OUT` names the source, too.",
    "dismiss": "rayocr dismiss OUT: stops reporting failures of files that are no longer at the source. document=NAME (or a"
    " pattern) and retry.reason=REASON select failures to stop reporting, even if the source still has the file. Outputs are"
    " unchanged.",
    "cancel": "rayocr cancel IN OUT document=NAME: running jobs stop processing the document; later runs skip it.",
    "status": "rayocr status OUT: prints what is finished, what failed and why, and which runs are active.",
    "report": "rayocr report OUT: writes OUT/report.html about the documents of all runs. "
    "With report.run=last, the report covers only the last run.",
    "view": "rayocr view OUT: opens the results in a browser, with search, comparison and corrections, until Ctrl-C.\n"
    "  gateway.port=9000   the port of its page; 0: any free port. `rayocr --help gateway` lists the other options of the page",
    "correct": "rayocr correct OUT NAME PAGE: replaces the text of a page in all outputs, as in the results view. The"
    " new text replaces that of every engine, also after overwrite=true. NAME is the document's name below the source.\n"
    "  --file page.md   the new text (Markdown, UTF-8); - is standard input. Without it, $VISUAL or $EDITOR opens on the text\n"
    "  --author NAME    who corrects it (default: the name of your user)\n"
    "  --undo           restores the text that the page had before its first correction",
    "reread": "rayocr reread OUT NAME --pages 2,5-7 engine=…: reads these pages again and shows the difference. All options of"
    " engines apply. The cost counts as that of a run.\n"
    "  --pages 2,5-7    the pages\n"
    "  --accept         the new texts replace the present ones, without a question; --keep: only show the difference\n"
    "  --author NAME    who accepts the new texts (default: the name of your user)",
    "login": "rayocr login drive: signs in to Google Drive once.",
}
_COMMAND_OPTIONS = {
    "retry": "retry",
    "watch": "watch",
    "submit": "submit",
    "report": "report",
    "correct": "correct",
    "reread": "reread",
    "login": "login",
}


def help_text(topic: str) -> str:
    """Returns the text. Raises UsageError for an unknown topic."""
    if not topic:
        return _OVERVIEW.format(version=__version__, engines="|".join(("auto", "local", *engine_names())))
    options = {option.name: option for option in describe_options()}
    if topic in COMMANDS:
        group = _COMMAND_OPTIONS.get(topic)
        of_flags = COMMAND_FLAGS.get(topic, {}).values()  # described with their flags
        shown = [option for name, option in options.items() if group and name.startswith(f"{group}.") and name not in of_flags]
        lines = list(_rows(shown))
        return "\n".join([_COMMAND_HELP[topic], *lines])
    if topic in options:
        return "\n".join(_rows([options[topic]]))
    members = [option for name, option in options.items() if name.startswith(f"{topic}.")]
    meaning = _word(topic)
    if members:
        return "\n".join([*([meaning] if meaning else []), *_rows(members)])
    if described := _failure(topic) or _server_word(topic):
        return described
    if flag := _flag(topic):
        return "\n".join(filter(None, (meaning, flag)))
    found = _mentioning(topic, list(options.values()))
    if meaning:
        return "\n".join([meaning, *(["Options that mention it:", *_rows(found)] if found else [])])
    if found:
        return "\n".join([f"Options that mention {topic!r}:", *_rows(found)])
    topics = {name.lower(): name for name in (*errors.__all__, *options, *COMMANDS)}
    close = difflib.get_close_matches(topic.lower(), topics, n=1, cutoff=0.75)
    hint = f"Did you mean --help {topics[close[0]]}?" if close else "Run rayocr --help."
    raise UsageError(f"No help for {topic!r}.", hint=hint)


def _failure(name: str) -> str:
    """Returns the meaning of a failure's reason and the next step, for its name in any case; "" for other words."""
    known = {error.lower(): error for error in errors.__all__}
    found = explanation(known.get(name.lower(), ""))
    if found is None:
        return ""
    lines = [f"{known[name.lower()]}: {found.meaning}", found.step]
    if rejects_document(known[name.lower()]) and not retry_helps(known[name.lower()]):
        lines.append("A retry of the unchanged file cannot help. To stop reporting it: rayocr dismiss OUT document=NAME")
    return "\n  ".join(line for line in lines if line)


def _flag(topic: str) -> str:
    """Returns the lines about a flag, named with or without its dashes; "" for other words."""
    flag = f"--{topic.lstrip('-')}"
    if of_commands := [
        f"rayocr {command}{line[1:]}"
        for command, flags in COMMAND_FLAGS.items()
        if flag in flags
        for line in _COMMAND_HELP[command].splitlines()[1:]
        if f"{flag} " in line
    ]:
        return "\n".join(of_commands)
    if flag not in FLAGS:
        return ""
    flags = _OVERVIEW.partition("\nFlags\n")[2].partition("\n\n")[0].splitlines()
    return "\n".join(line for line in flags if re.search(rf"{flag}\b", line))


def _server_word(topic: str) -> str:
    """Returns the failure for which a server's word such as MAX_TOKENS stands; "" for other words."""
    found = re.search(rf"── (\w+)\s[^\n]*\b{re.escape(topic)}\b", errors.__doc__ or "") if topic.isupper() else None
    return f"{topic} is the server's word.\n{_failure(found[1])}" if found else ""


def _word(topic: str) -> str:
    """Returns the meaning of a word of the glossary, in any case and in the plural, too; "" for other words."""
    for row in re.findall(r"^\| (\*\*.+?) \| (.+) \|$", Path(__file__).with_name("glossary.md").read_text("utf-8"), re.MULTILINE):
        words = [word.lower() for cell in row for word in re.findall(r"\*\*(.+?)\*\*", cell)]
        if topic.lower().replace("-", " ") in words or topic.lower().removesuffix("s") in words:
            return re.sub(r"\*\*|(?<!`)`(?!`)", "", f"{row[0]}: {row[1]}")
    return ""


def _mentioning(word: str, options: list[OptionHelp]) -> list[OptionHelp]:
    """Returns the options with the word in their name, then those with a word that begins with it in their description."""
    word = word.lower()
    named = [option for option in options if word in option.name]
    begins = re.compile(rf"\b{re.escape(word)}")
    return named + [option for option in options if option not in named and begins.search(option.meaning.lower())]


def _rows(options: Iterator[OptionHelp] | list[OptionHelp]) -> Iterator[str]:
    for option in options:
        yield f"  {option.name}={option.default}"
        if option.meaning:
            yield f"      {option.meaning}"


def option_names() -> list[str]:
    """Returns every option, for completion."""
    return [*(option.name for option in describe_options()), *CONFIG_GROUPS]
