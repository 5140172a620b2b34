"""Implements `--completion SHELL`: prints a script that completes folders and PDFs, then commands, flags and options, and after
`option=` its values."""

from __future__ import annotations

from collections.abc import Iterator

from rayocr.cli.arguments import COMMAND_FLAGS, COMMANDS, FLAGS
from rayocr.cli.help_text import option_names
from rayocr.composition import conf_dir
from rayocr.config import Mode
from rayocr.engines.registry import engine_names
from rayocr.overrides import CONFIG_GROUPS, kind_of

_OUTPUTS = "markdown clean_pdf searchable_pdf jsonl parquet"
_VALUES = {
    "objective": "cost speed deadline",
    "order": "listing newest oldest smallest largest name",
    "outputs": _OUTPUTS,
    "cluster": "auto local inprocess",
    "progress": "auto live plain none json",
    "engine.on_outage": "wait fallback",
    "engine.lanes": "local batch flex standard",
    "engine.gemini.page_format": "pdf jpeg webp png",
    "engine.gemini.media_resolution": "default low medium high",
    "engine.gemini.thinking": "auto off minimal low medium high default",
    "engine.gemini.safety": "default off block_none block_only_high block_medium_and_above block_low_and_above",
    "engine.gemini.tier": "standard flex auto priority",
    "engine.openai.image_format": "png jpeg webp",
    "engine.rapidocr.speed": "auto fast best",
    "engine.rapidocr.runtime": "onnxruntime openvino",
    "engine.rapidocr.device": "auto cpu cuda",
    "output.markdown.headers": "keep mark remove",
    "gateway.after": "exit view",
    "login.service": "drive",
    "login.browser": "auto none",
    "logs.stdout": "none json",
    "report.run": "all last",
}

# Bash splits words at `=`, and completes only the part after it. Without `-o filenames` it does not escape the `=` of options, so
# the script marks folders and escapes names itself.
_BASH = """\
# rayocr completion: source <(rayocr --completion bash)
_rayocr_paths() {{
  local path
  while IFS= read -r path; do COMPREPLY+=("$(printf '%q/' "$path")"); done < <(compgen -d -- "$1")
  while IFS= read -r path; do
    [[ -d $path ]] || COMPREPLY+=("$(printf '%q' "$path")")
  done < <(compgen -f -X "!*.$2" -- "$1")
}}
_rayocr() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" option="" before="" values="" i=$COMP_CWORD
  if [[ $cur == "=" ]]; then option="${{COMP_WORDS[i-1]}}" cur=""
  elif (( i > 1 )) && [[ ${{COMP_WORDS[i-1]}} == "=" ]]; then option="${{COMP_WORDS[i-2]}}"
  elif [[ $cur == *=* && $cur != -* ]]; then option="${{cur%%=*}}" before="${{cur%%=*}}=" cur="${{cur#*=}}"
  fi
  COMPREPLY=()
  compopt -o nosort 2>/dev/null
  if [[ -n $option ]]; then
    case $option in
{cases}
    esac
    if [[ -n $values ]]; then
      local item="${{cur##*[\\[,]}}"
      before+="${{cur%"$item"}}"
      local IFS=$' \\n'
      COMPREPLY=($(compgen -P "$before" -W "$values" -- "$item"))
    else
      _rayocr_paths "$cur" "*"
      COMPREPLY=("${{COMPREPLY[@]/#/$before}}")
    fi
  else
    _rayocr_paths "$cur" "[pP][dD][fF]"
    local IFS=$'\\n'
    COMPREPLY+=($(compgen -W "{words}" -- "$cur"))
  fi
  [[ ${{#COMPREPLY[@]}} -eq 1 && ${{COMPREPLY[0]}} == *[=/] ]] && compopt -o nospace 2>/dev/null
  return 0
}}
complete -F _rayocr rayocr
"""
_ZSH = """\
#compdef rayocr
# rayocr completion: source <(rayocr --completion zsh)
_rayocr() {{
  local -a words options values
  if [[ $PREFIX == *=* ]]; then
    local option=${{PREFIX%%=*}}
    compset -P '*='
    case $option in
{cases}
    esac
    if (( $#values )); then
      compset -P '*(\\[|,)'
      compadd -- $values
    else
      _files
    fi
    return
  fi
  words=({words})
  options=({options})
  _files -g '*.(#i)pdf'
  compadd -J commands -- $words
  compadd -J options -S '' -- $options
}}
compdef _rayocr rayocr
"""


def values_of(option: str) -> str:
    """Returns the values of an option, separated by spaces; "" if it takes other ones."""
    if option in CONFIG_GROUPS:
        return " ".join(sorted(path.stem for path in (conf_dir() / option).glob("*.yaml")))
    if option == "engine.chain":
        return " ".join(engine_names())
    if option.endswith(".prompt"):
        return " ".join(sorted(path.stem for path in (conf_dir() / "prompts").glob("*.md")))
    if option == "mode" or option.endswith(".mode"):
        return " ".join(Mode)
    return "true false" if kind_of(option) == "bool" else _VALUES.get(option, "")


def _with_values() -> Iterator[tuple[str, str]]:
    for option in sorted(set(option_names())):
        if values := values_of(option):
            yield option, values


def completion_script(shell: str) -> str:
    words = [*COMMANDS, *FLAGS, *dict.fromkeys(flag for flags in COMMAND_FLAGS.values() for flag in flags)]
    options = [f"{name}=" for name in sorted(set(option_names()))]
    if shell == "bash":
        cases = "\n".join(f"      {option}) values='{values}' ;;" for option, values in _with_values())
        return _BASH.format(words="\n".join([*words, *options]), cases=cases)
    if shell == "zsh":
        cases = "\n".join(f"      {option}) values=({values}) ;;" for option, values in _with_values())
        return _ZSH.format(words=" ".join(words), options=" ".join(f"'{option}'" for option in options), cases=cases)
    lines = ["# rayocr completion: rayocr --completion fish | source"]
    offered = [*words, *options, *(f"{option}={value}" for option, values in _with_values() for value in values.split())]
    return "\n".join([*lines, *(f"complete -c rayocr -a '{word}'" for word in offered)]) + "\n"
