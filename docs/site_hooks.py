"""Hooks of `make site`. README.md becomes the first page, and the list of decisions becomes their index.

Links to files outside docs/ (code, manifests) become plain text, because no public address of the repository is known; a file
that does not exist fails the build.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

PROJECT = Path(__file__).parents[1]
# Page of the site -> the file that it is made from. Links are resolved from that file's folder.
_GENERATED = {"index.md": "README.md", "decisions/index.md": "docs/decisions/README.md"}
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")

log = logging.getLogger("mkdocs.hooks.rayocr")


def on_files(files: Files, *, config: Any) -> Files:
    for page, source in _GENERATED.items():
        files.append(File.generated(config, page, content=(PROJECT / source).read_text(encoding="utf-8")))
    decisions = sorted(file.src_uri for file in files if file.src_uri.startswith("decisions/0"))
    config["nav"].append({"Decisions": ["decisions/index.md", *decisions]})
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Files) -> str:
    place = page.file.src_uri
    origin = PurePosixPath(_GENERATED.get(place, f"docs/{place}")).parent

    def rewritten(match: re.Match[str]) -> str:
        mark, text, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        path, _, anchor = target.partition("#")
        found = (PROJECT / origin / path).resolve()
        if not found.exists():
            log.warning("%s links to %s, which does not exist.", place, target)
            return match[0]
        inside = _page_of(found.relative_to(PROJECT).as_posix())
        if inside is None or (not mark and files.get_file_from_path(inside) is None):
            return text
        up = "../" * place.count("/")
        return f"{mark}[{text}]({up}{inside}{'#' + anchor if anchor else ''})"

    return _outside_code(markdown, lambda part: _LINK.sub(rewritten, part))


def _page_of(path: str) -> str | None:
    """Returns the page of the site that a file of the repository becomes, or None if it is not in the site."""
    for page, source in _GENERATED.items():
        if path == source or path == str(PurePosixPath(source).parent):
            return page
    return path.removeprefix("docs/") if path.startswith("docs/") else None


def _outside_code(markdown: str, change: Any) -> str:
    parts = re.split(r"(^```.*?^```$|`[^`\n]+`)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("`") else change(part) for part in parts)
