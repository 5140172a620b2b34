"""`--completion SHELL`: prints a script that completes commands, options and paths."""

from __future__ import annotations

from rayocr.cli.arguments import COMMANDS, FLAGS
from rayocr.cli.help_text import option_names

_BASH = """\
# rayocr completion: source <(rayocr --completion bash)
_rayocr() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}"
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "{words}" -- "$word"))
  [[ ${{#COMPREPLY[@]}} -eq 1 && ${{COMPREPLY[0]}} == *= ]] && compopt -o nospace
  [[ ${{#COMPREPLY[@]}} -eq 0 || -z "$word" ]] && COMPREPLY+=($(compgen -f -- "$word"))
}}
complete -o filenames -o bashdefault -F _rayocr rayocr
"""
_ZSH = """\
#compdef rayocr
# rayocr completion: source <(rayocr --completion zsh)
_rayocr() {{
  local -a words
  words=({words})
  compadd -S '' -- $words
  _files
}}
compdef _rayocr rayocr
"""


def completion_script(shell: str) -> str:
    words = [*COMMANDS, *FLAGS, *(f"{name}=" for name in sorted(set(option_names())))]
    if shell == "bash":
        return _BASH.format(words="\n".join(words))
    if shell == "zsh":
        return _ZSH.format(words=" ".join(f"'{word}'" for word in words))
    lines = ["# rayocr completion: rayocr --completion fish | source"]
    return "\n".join([*lines, *(f"complete -c rayocr -a '{word}'" for word in words)]) + "\n"
