"""Tests of parsing Markdown into blocks. A streamed text has the same blocks as a complete one, and HTML in it is
escaped."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.render.blocks import Block
from desktop.render.code_highlighting import code_html
from desktop.render.html import THIN
from desktop.render.markdown import IncrementalMarkdown, blocks, needs_full_parse, prerender

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
FORMULAS = ("$", "x$", "\\(", "\\)", "\\]", "[^1]", "7")
PIECES = st.lists(
    st.sampled_from(
        (
            *MARKS,
            *FORMULAS,
            "| x | $|y|$ | z\n",
            "\\[",
            "é",
            "~~",
            "| a |\n|---|\n",
            "    ",
            "- ```\n  x\n  ```\n",
            "  ",
        )
    ),
    max_size=30,
)


@given(PIECES)
@settings(max_examples=150, deadline=None)
def test_any_streamed_text_is_parsed_into_the_same_blocks_as_the_complete_text(pieces: list[str]) -> None:
    growing = IncrementalMarkdown()
    found: list[Block] = []
    for end in range(1, len(pieces) + 1):
        found = growing.feed("".join(pieces[:end]))
    assert needs_full_parse("".join(pieces)) or found == list(blocks("".join(pieces)))


def test_streamed_table_that_turns_out_to_be_text_becomes_part_of_a_paragraph() -> None:
    text = "`| a |\n|---|\n---# "
    growing = IncrementalMarkdown()
    for end in range(len(text) + 1):
        assert growing.feed(text[:end]) == list(blocks(text[:end])), text[:end]


def test_streamed_text_of_all_constructs_has_the_blocks_of_the_complete_text() -> None:
    growing = IncrementalMarkdown()
    for end in range(len(SAMPLE) + 1):
        assert growing.feed(SAMPLE[:end]) == list(blocks(SAMPLE[:end])), SAMPLE[:end]


def test_text_that_does_not_continue_the_previous_one_is_parsed_from_its_start() -> None:
    growing = IncrementalMarkdown()
    growing.feed("# One\n\ntwo")
    assert growing.feed("three") == [Block("text", "<p>three</p>")]


def test_only_task_list_items_get_checkboxes() -> None:
    (block,) = blocks("- [ ] sow\n- [x] dig\n- [X] rest\n- a [x] b\n- [x](https://a.example)")
    assert [block.html.count(box) for box in "☐☑"] == [1, 2]
    assert "a [x] b" in block.html
    assert blocks("[x] no item")[0].html == "<p>[x] no item</p>"
    assert "☑ loose" in blocks("- [x] loose\n\n- two")[0].html


def test_each_markdown_construct_becomes_a_block_of_the_right_kind() -> None:
    assert [block.kind for block in blocks(SAMPLE)] == [
        "heading", "text", "list", "code", "quote", "table", "code", "rule", "text",
    ]  # fmt: skip
    assert blocks(SAMPLE)[6] == Block("code", code="def f():\n    return 1", language="python")


@given(st.text(alphabet="<>&\"'/scriptonad=:() `*_[]!\n", max_size=80))
@settings(max_examples=150, deadline=None)
def test_html_in_text_is_escaped(text: str) -> None:
    ours = {"p", "b", "i", "s", "code", "pre", "span", "ul", "ol", "li", "blockquote", "br", "a"}
    for block in blocks(text):
        html = block.html + (code_html(block.code, block.language) if block.kind == "code" else "")
        assert {name.lower() for name in re.findall(r"</?([a-zA-Z]\w*)", html)} <= ours


def test_inline_and_display_formulas_become_inline_images() -> None:
    inline = blocks(r"So $x^2$ and \(y\) and $$z$$.")[0].inline_images
    assert [(each.source, each.alt_text, each.display) for each in inline] == [
        ("x^2", "$x^2$", False), ("y", r"\(y\)", False), ("z", "$$z$$", True),
    ]  # fmt: skip
    for source in ("$$\na\n$$", "\\[\na\n\\]", "\\[ a \\]"):
        (alone,) = blocks(source)
        assert [(each.source, each.display) for each in alone.inline_images] == [("a", True)], source


@pytest.mark.parametrize("text", ["$5 and $6", "from $20-$30", "a $ b $ c", "`$x$`", r"\$x\$", "$x"])
def test_dollar_signs_in_prices_and_code_do_not_start_formulas(text: str) -> None:
    assert not blocks(text)[0].inline_images


def test_footnotes_become_a_numbered_block_at_the_end() -> None:
    first, notes = blocks("One[^a] and two[^b].\n\n[^b]: Second *note*.\n[^a]: First.")
    assert first.html == "<p>One<sup>1</sup> and two<sup>2</sup>.</p>"
    assert notes == Block("footnotes", "<p><sup>1</sup> First.</p><p><sup>2</sup> Second <i>note</i>.</p>")
    assert blocks("[^x] is not defined")[0].html == "<p>[^x] is not defined</p>"


def test_code_spans_have_a_thin_space_on_both_sides() -> None:
    assert blocks("`x<y`")[0].html.count(THIN) == 2
    assert "<code>x&lt;y</code>" in blocks("`x<y`")[0].html


def test_prerender_raises_no_error_for_empty_text_or_unclosed_markdown() -> None:
    prerender([SAMPLE, "", "```\nopen"])


def test_code_in_a_list_becomes_a_block_and_the_list_continues_after_it() -> None:
    text = "3. Install:\n\n   ```sh\n   pip\n   ```\n\n   Wait.\n4. Run\n"
    text += "   - a\n     ```\n     x\n     ```\n   - b\n5. Done"
    found = blocks(text)
    assert [(each.kind, each.code) for each in found] == [
        ("list", ""), ("code", "pip"), ("list", ""), ("code", "x"), ("list", ""),
    ]  # fmt: skip
    assert found[0].html == '<ol start="3"><li><p>Install:</p></li></ol>'
    assert found[2].html.startswith('<p style="margin-left: 24px">Wait.</p><ol start="4" style="-qt-list-indent: 1">')
    inner = '<ul style="-qt-list-indent: 2"><li>b</li></ul>'
    assert found[4].html == inner + '<ol start="5" style="-qt-list-indent: 1"><li><p>Done</p></li></ol>'
    for part in (found[0], found[2], found[4]):
        for tag in ("ol", "ul", "li", "p"):
            assert len(re.findall(f"<{tag}[ >]", part.html)) == part.html.count(f"</{tag}>"), part.html


def test_code_in_a_quote_in_a_list_stays_in_the_quote() -> None:
    (only,) = blocks("- > ```\n  > x\n  > ```")
    assert only.kind == "list"
    assert "<pre>x</pre>" in only.html
