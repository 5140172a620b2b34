"""Handles overrides in Hydra's grammar: names of options, quoted values, their composition with conf/, and explanations of
mistakes."""

from rayocr.overrides.composing import compose_files
from rayocr.overrides.mistakes import meant_option, nearest_option, unparsable
from rayocr.overrides.options import CONFIG_GROUPS, is_group, kind_of, option_names
from rayocr.overrides.quoting import for_shell, list_value, literal, pattern_option, quoted

__all__ = [
    "CONFIG_GROUPS",
    "compose_files",
    "for_shell",
    "is_group",
    "kind_of",
    "list_value",
    "literal",
    "meant_option",
    "nearest_option",
    "option_names",
    "pattern_option",
    "quoted",
    "unparsable",
]
