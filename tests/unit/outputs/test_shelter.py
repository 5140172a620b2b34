"""Code of a page is inert in renderers that see less code than CommonMark, and keeps its text in those that see as much."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from rayocr.outputs.normal.page import as_written, normal

markdown = pytest.importorskip("markdown")

RENDERERS: dict[str, Callable[[str], str]] = {
    "markdown-it": lambda text: str(MarkdownIt("commonmark", {"html": True}).enable("table").render(text)),
    "Python-Markdown": lambda text: str(markdown.markdown(text)),
    "Python-Markdown with fences": lambda text: str(markdown.markdown(text, extensions=["fenced_code", "tables"])),
    "Python-Markdown with extra": lambda text: str(markdown.markdown(text, extensions=["extra", "sane_lists"])),
}
SCRIPT = "<script>alert(1)</script>"
PAGES = {
    "a fence": f"```html\n{SCRIPT}\n```",
    "a fence with a blank line": f"```\na\n\n{SCRIPT}\n\nb\n```",
    "a fence of tildes whose info has backticks": f"~~~ `x`\n\n{SCRIPT}\n~~~",
    "a fence in a list item": f"- item\n\n  ```\n  {SCRIPT}\n  ```",
    "a fence in a numbered item": f"1. item\n\n    ```\n    {SCRIPT}\n\n    {SCRIPT}\n    ```",
    "a fence beside its bullet": f"- ```\n  {SCRIPT}\n  ```",
    "a fence in a nested list": f"- a\n    - b\n\n        ```\n        {SCRIPT}\n        ```",
    "a fence in a quote": f"> ```\n> a\n>\n> {SCRIPT}\n> ```",
    "a fence in an HTML block": f"<blockquote>\n\n```\n{SCRIPT}\n```\n\n</blockquote>",
    "a fence with attributes": '```{ .py onclick="a()" }\nx\n```',
    "code in a list item": f"- item\n\n      {SCRIPT}",
    "code behind a bullet": f"-\t\t{SCRIPT}",
    "code in a footnote": f"[^1]: a note\n\n     {SCRIPT}",
    "inline code behind an open backtick": f"``` {SCRIPT} [j]`{SCRIPT} x`",
    "inline code that ends at a backslash": f"`a\\` {SCRIPT} `",
    "a definition in a task": "- [ ] [x]: javascript:a()\n\n[x]",
    "a definition in a footnote": "x[^1]\n\n[^1]: [x]: javascript:a()\n\n[x]",
    "a definition in a fence": "> ```\n> [x]: javascript:a()\n\n[x]\n> ```",
    "attributes of a heading": "# Title {: onclick=a() }",
    "attributes of a word": '*word*{: onclick="a()" }',
    "attributes of a link": "[a](http://x){onclick=a()}",
    "a picture in a link": "<http://a.b/![x](http://e.x/a.png)>",
}


class Acting(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag] if tag in ("script", "img") else []
        self.found += [name for name, value in attrs if name.startswith("on") or (value or "").startswith("javascript:")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("place", PAGES)
def test_nothing_acts_in_any_renderer(place: str, renderer: str) -> None:
    for made in (normal(PAGES[place]), normal(PAGES[place], of_a_model=False), as_written(PAGES[place])):
        assert Acting(RENDERERS[renderer](made)).found == [], made


@pytest.mark.parametrize("place", ["a fence", "a fence in a list item", "a fence in a numbered item", "code in a list item"])
def test_code_that_would_act_keeps_its_text(place: str) -> None:
    made = normal(PAGES[place])
    assert normal(made) == made
    assert SCRIPT in Acting(RENDERERS["markdown-it"](made)).text


def test_code_that_cannot_act_is_not_moved() -> None:
    page = "- item\n\n  ```c\n  #include <stdio.h>\n\n  List<String> a;\n  ```"
    assert normal(page) == page
