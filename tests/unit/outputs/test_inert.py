"""Page text never becomes a live element, whichever renderer shows the Markdown. Only a short list of HTML tags remains."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rayocr.outputs.normal.inert import ALLOWED_TAGS, inert, safe_destination
from rayocr.outputs.normal.page import as_written, normal
from rayocr.outputs.normal.running import untagged
from tests.unit.counted_steps import steps_of
from tests.unit.outputs.random_pages import PAGES

HARMLESS = {"href", "title", "colspan", "rowspan", "align", "style", "start", "value", "class"}
OF_MARKDOWN = {"a", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"}


class Elements(HTMLParser):
    """Collects the elements of a document, as a browser would create them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(markdown: str) -> Elements:
    """Renders with a renderer that passes HTML through and accepts every link."""
    renderer = MarkdownIt("commonmark", {"html": True, "maxNesting": 200}).enable(["table", "strikethrough"])
    renderer.validateLink = lambda url: True  # type: ignore[method-assign]
    return Elements(renderer.render(markdown))


def assert_nothing_is_live(markdown: str) -> None:
    for tag, attributes in rendered(markdown).found:
        assert tag in ALLOWED_TAGS | OF_MARKDOWN, (tag, markdown)
        assert set(attributes) <= HARMLESS, (attributes, markdown)
        if "href" in attributes:
            assert safe_destination(attributes["href"] or ""), (attributes, markdown)
        assert re.fullmatch(r"text-align:(left|right|center)", attributes.get("style") or "text-align:left")


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ("see <script>alert(1)</script>", "see &lt;script>alert(1)&lt;/script>"),
        ("<iframe src=http://x>", "&lt;iframe src=http://x>"),
        ("\\<script>", "&lt;script>"),
        ("H<sub>2</sub>O<br>x<sup onclick=a()>2</sup>", "H<sub>2</sub>O<br>x<sup>2</sup>"),
        ("![a map](http://x/y.png)", "[Image: a map](http://x/y.png)"),
        ("![](//x/y.png)", "[Image](//x/y.png)"),
        ("wow![1]", "wow!\\[1]"),
        ("!![a](http://x/y)", "\\![Image: a](http://x/y)"),
        ("\\!![a](http://x/y)", "\\![Image: a](http://x/y)"),
        ("[x](javascript:alert(1))", "[x\\](javascript:alert(1))"),
        ("[x](&#106;avascript:alert(1))", "[x\\](&#106;avascript:alert(1))"),
        ("[x](<java&Tab;script:alert(1)>)", "[x\\](&lt;java&Tab;script:alert(1)>)"),
        ("[x](https://a.b/c?d=e:f) [y](mailto:a@b.c) [z](#p)", "[x](https://a.b/c?d=e:f) [y](mailto:a@b.c) [z](#p)"),
        ("<javascript:alert(1)> <https://a.b> <a@b.cd>", "&lt;javascript:alert(1)> <https://a.b> <a@b.cd>"),
        ("[1]: Smith", "\\[1]: Smith"),
        ("[^1]: A note of the page", "[^1]: A note of the page"),
        ("[^1]: Smith", "\\[^1]: Smith"),
        ("`<script>` and\n\n```\n<stdio.h>\n```", "`<script>` and\n\n```\n<stdio.h>\n```"),
        ("```html\n<script>\n```", "```html\n\n    <script>\n```"),
        ("a < b, a <3, $x<y$ and 5<6", "a < b, a <3, $x< y$ and 5<6"),
        ("if a<b or c>d", "if a&lt;b or c>d"),
        ("<!-- 12 -->", "&lt;!-- 12 -->"),
        ("(a)[b](c):d", "(a)[b](c):d"),
    ],
)
def test_what_would_be_live_is_shown_as_text(page: str, wanted: str) -> None:
    assert inert(page) == wanted
    assert inert(wanted) == wanted
    assert_nothing_is_live(wanted)


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ('<div align="center">Title</div>\n\n<span style="x">word</span>', "Title\n\nword"),
        ("the <div> element", "the &lt;div> element"),
        ("`<div></div>` stays", "`<div></div>` stays"),
        ('<a href="https://a.b/c" onclick="x()">here</a>', "[here](https://a.b/c)"),
        ('<a href="javascript:x()">here</a>', "here"),
        ('<img src="http://x/y.png" alt="a [map]">', "[Image: a map](http://x/y.png)"),
        (
            '<table><tr><td colspan="2" onclick="x">1<img src=x></td></tr></table>',
            '<table><tr><td colspan="2">1[Image](x)</td></tr></table>',
        ),
    ],
)
def test_html_of_models_that_only_arranges_becomes_markdown(page: str, wanted: str) -> None:
    assert normal(page) == wanted
    assert normal(wanted) == wanted


def test_what_a_plain_engine_read_keeps_its_tags_as_text() -> None:
    assert normal("<div>x</div>", of_a_model=False) == "&lt;div>x&lt;/div>"


_FRAGMENTS = r"""
<script>alert(1)</script> <iframe@src='http://x'> <img@src=http://x@onerror=a()> ![a](http://x/y) ![a][b] [b]:@http://x
[a](javascript:b) [a](<data:text/html,x>) <a@href=javascript:b> <svg/onload=a()> <b@onclick=c> <style> </style>
<!-- --> <?php ?> <![CDATA[ ]]> <!X
<table> </table> <td@style='background:url(//x)'> <td/onclick=x> ` `` ``` ~~~ @ @@@@ @> - 1. \ \< [ ]( ) ] ! &lt; &#60; <br>
<javascript:x> <header>a</header> <page_number>3</page_number> $ <pre> </pre> <form@action=x> <input@autofocus> <x-y@z> : word
"""
_LIVE = st.one_of(
    st.sampled_from(_FRAGMENTS.split()).map(lambda text: text.replace("@", " ")),
    st.sampled_from(["\n", "\n\n", "\t", "<sup>\n", "\n> "]),
)
_PAGES = st.one_of(st.lists(_LIVE, max_size=14).map("".join), st.lists(_LIVE, max_size=14).map(" ".join), PAGES)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(_PAGES, st.booleans())
@example("\t<header>a</header><header>a</header>", False)
@example("\t<header>[a](javascript:b)</header>", False)
def test_nothing_on_any_page_is_live(page: str, of_a_model: bool) -> None:
    assert_nothing_is_live(untagged(normal(page, of_a_model=of_a_model)))
    assert_nothing_is_live(untagged(as_written(page)))


@pytest.mark.parametrize("piece", ["](", "[a](", "[a](b", "![a]("])
def test_links_that_do_not_end_are_read_about_as_quickly_as_others(piece: str) -> None:
    """Each once cost the 2,000 characters behind it: 190 s for the longest answer that is accepted."""

    def steps(piece: str, at_most: int) -> int:
        return steps_of(lambda: inert(piece * (4_000 // len(piece))), at_most=at_most)

    ended = steps(f"{piece}) ", 200_000)
    steps(piece, 60 * ended)  # 20 to 30 times with a bound on the depth, hundreds without
