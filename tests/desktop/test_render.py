"""Markdown and code: safe whatever comes, and the same whether it comes at once or in pieces."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.render.blocks import Block
from desktop.render.code import code_html
from desktop.render.growing_code import TAIL, GrowingCode
from desktop.render.html import THIN, is_safe_link
from desktop.render.markdown import GrowingText, blocks
from desktop.render.warm import warm

SAMPLE = """# Head

Some *words*, `code` and ~~more~~ [link](https://a.example/b?c=1&d).

1. one
2. two
   - three

     ```python
     x = 1
     ```

> said
> again

| a | b |
|---|--:|
| 1 | 2 |

```python
def f():
    return 1
```
---
![picture](https://a.example/p.png) <b>bold</b> &amp;
"""

MARKS = ("# ", "- ", "1. ", "> ", "```", "\n", "\n\n", "`", "**", "|", "---", "  ", "a", "[x](y)", "<p>", "\t", "\r\n")
PIECES = st.lists(st.sampled_from((*MARKS, "é", "$", "~~", "| a |\n|---|\n", "    ")), max_size=30)


@given(PIECES)
@settings(max_examples=150, deadline=None)
def test_any_text_gives_blocks_and_streamed_equals_whole(pieces: list[str]) -> None:
    growing = GrowingText()
    found: list[Block] = []
    for end in range(1, len(pieces) + 1):
        found = growing.feed("".join(pieces[:end]))
    assert found == list(blocks("".join(pieces)))


def test_a_table_that_turns_out_to_be_none_stays_with_its_paragraph() -> None:
    text = "`| a |\n|---|\n---# "
    growing = GrowingText()
    for end in range(len(text) + 1):
        assert growing.feed(text[:end]) == list(blocks(text[:end])), text[:end]


def test_any_cut_of_a_rich_text_streams_to_the_whole() -> None:
    growing = GrowingText()
    for end in range(len(SAMPLE) + 1):
        assert growing.feed(SAMPLE[:end]) == list(blocks(SAMPLE[:end])), SAMPLE[:end]


def test_a_text_that_begins_anew_is_read_anew() -> None:
    growing = GrowingText()
    growing.feed("# One\n\ntwo")
    assert growing.feed("three") == [Block("text", "<p>three</p>")]


def test_tasks_have_boxes_and_nothing_else_has() -> None:
    (block,) = blocks("- [ ] sow\n- [x] dig\n- [X] rest\n- a [x] b\n- [x](https://a.example)")
    assert [block.html.count(box) for box in "☐☑"] == [1, 2]
    assert "a [x] b" in block.html
    assert blocks("[x] no item")[0].html == "<p>[x] no item</p>"
    assert "☑ loose" in blocks("- [x] loose\n\n- two")[0].html


def test_the_kinds_of_blocks() -> None:
    assert [block.kind for block in blocks(SAMPLE)] == [
        "heading", "text", "list", "quote", "table", "code", "rule", "text",
    ]  # fmt: skip
    assert blocks(SAMPLE)[5] == Block("code", code="def f():\n    return 1", language="python")


@given(st.text(alphabet="<>&\"'/scriptonad=:() `*_[]!\n", max_size=80))
@settings(max_examples=150, deadline=None)
def test_nothing_from_outside_becomes_a_tag(text: str) -> None:
    ours = {"p", "b", "i", "s", "code", "pre", "span", "ul", "ol", "li", "blockquote", "br", "a"}
    for block in blocks(text):
        html = block.html + (code_html(block.code, block.language) if block.kind == "code" else "")
        assert {name.lower() for name in re.findall(r"</?([a-zA-Z]\w*)", html)} <= ours


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "vbscript:x", "//x"]
)
def test_a_link_that_leads_astray_is_no_link(address: str) -> None:
    assert not is_safe_link(address)
    assert "<a " not in blocks(f"[click]({address})")[0].html
    assert "click" in blocks(f"[click]({address})")[0].html


def test_links_to_the_web_and_to_mail_are_links() -> None:
    for address in ("https://a.example/", "http://a.example", "mailto:me@a.example"):
        assert is_safe_link(address)
        assert f'<a href="{address}">x</a>' in blocks(f"[x]({address})")[0].html
    assert not is_safe_link("http://[broken")


def test_an_image_is_its_description() -> None:
    assert blocks("![a <cat>](https://a.example/cat.png)")[0].html == "<p><i>a &lt;cat&gt;</i></p>"


def test_code_spans_have_room() -> None:
    assert blocks("`x<y`")[0].html.count(THIN) == 2
    assert "<code>x&lt;y</code>" in blocks("`x<y`")[0].html


def bare(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


def test_code_is_coloured_where_its_language_is_known() -> None:
    assert '<span class="k">def</span>' in code_html("def f(): pass", "python")
    assert code_html("a < b", "no-such-language") == "<pre>a &lt; b</pre>"
    assert code_html("a < b", "") == "<pre>a &lt; b</pre>"


@pytest.mark.parametrize("line", ["def f(x):\n    return x + 1\n\n", "no_line_end_at_all " * 3])
def test_growing_code_loses_nothing(line: str) -> None:
    growing = GrowingCode("python")
    code = ""
    while len(code) < 5 * TAIL:
        code += line
        shown = growing.feed(code)
    assert bare(shown) == bare(code_html(code, ""))
    assert bare(growing.feed("short")) == "short"


def test_reading_ahead_takes_any_text() -> None:
    warm([SAMPLE, "", "```\nopen"])
