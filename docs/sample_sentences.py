"""`python docs/sample_sentences.py --seed 1`: prints random sentences of documentation, docstrings, comments and messages, to be
judged against the rules for text in CONTRIBUTING.md.
"""

from __future__ import annotations

import argparse
import ast
import io
import random
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
_LEAST_WORDS = 4


def prose_of_python(source: str) -> Iterator[tuple[int, str]]:
    """Docstrings, comments and strings that look like sentences, with their lines."""
    tree = ast.parse(source)
    docstrings: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                docstrings.add(id(first.value))
                yield first.lineno, first.value.value
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{…}" for part in node.values]
            yield node.lineno, "".join(str(part) for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value
    last, text, started = -2, "", 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not re.match(r"# (noqa|type:|--)|#!", token.string):
            if token.start[0] == last + 1 and token.line.lstrip().startswith("#"):
                text += " " + token.string.lstrip("# ")
            else:
                if text:
                    yield started, text
                text, started = token.string.lstrip("# "), token.start[0]
            last = token.start[0]
    if text:
        yield started, text


def prose_of_text(name: str, source: str) -> Iterator[tuple[int, str]]:
    """Paragraphs of Markdown; comments of YAML, Dockerfiles and the like."""
    if not name.endswith(".md"):
        source = "\n".join(line.partition("#")[2] if re.match(r"\s*#(?!!)|.*\s# ", line) else "" for line in source.splitlines())
    source = re.sub(r"```.*?```", lambda match: "\n" * match.group().count("\n"), source, flags=re.DOTALL)
    source = re.sub(r"^\|[-| :]+\|$", "", source, flags=re.MULTILINE)
    for match in re.finditer(r"(?:[^\n]+\n?)+", source):
        block = match.group()
        cells = re.split(r"\n(?=[-|*\d])|\s\|\s", block) if re.match(r"\s*[-|*\d]", block) else [block]
        for cell in cells:
            yield source.count("\n", 0, match.start()) + 1, cell.strip("|-* \n")


def sentences() -> list[tuple[str, str]]:
    """(place, sentence) for every sentence in the repository, each once."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    found: dict[str, str] = {}
    for name in listed.split("\0"):
        if name.startswith(("samples/", "benchmarks/corpus/", "tests/data/", "conf/prompts/")) or name == "LICENSE":
            continue
        python = name.endswith(".py")
        if not (python or name.endswith((".md", ".yaml", ".yml", ".toml")) or "Dockerfile" in name or name == "Makefile"):
            continue
        source = (REPOSITORY / name).read_text(encoding="utf-8")
        for line, text in prose_of_python(source) if python else prose_of_text(name, source):
            for sentence in re.split(r"(?<=[.!?:])\s+(?=[A-Z`])|\n\s*\n", text):
                words = " ".join(sentence.split())
                if words.count(" ") >= _LEAST_WORDS - 1 and re.search(r"[a-z] [a-z]", words):
                    found.setdefault(words, f"{name}:{line}")
    return [(place, words) for words, place in found.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=50)
    options = parser.parse_args()
    everything = sentences()
    print(f"{len(everything):,} sentences")
    for place, words in random.Random(options.seed).sample(everything, options.count):
        print(f"{place}\n    {words}")


if __name__ == "__main__":
    main()
