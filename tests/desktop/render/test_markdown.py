"""Markdown and code: safe whatever comes, and the same whether it comes at once or in pieces."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.render import formula_rendering as formula_module
from desktop.render.blocks import Block, InlineImage
from desktop.render.code_highlighting import TAIL_LENGTH, IncrementalHighlighter, code_html, file_name
from desktop.render.formula_rendering import LIMIT_S, MAX_LENGTH, cached_formula, formula, mathml
from desktop.render.html import THIN
from desktop.render.markdown import IncrementalMarkdown, blocks, needs_full_parse, prerender
from desktop.render.safe_addresses import is_local_image, is_safe_link

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
def test_any_text_gives_blocks_and_streamed_equals_whole(pieces: list[str]) -> None:
    growing = IncrementalMarkdown()
    found: list[Block] = []
    for end in range(1, len(pieces) + 1):
        found = growing.feed("".join(pieces[:end]))
    assert needs_full_parse("".join(pieces)) or found == list(blocks("".join(pieces)))


def test_a_table_that_turns_out_to_be_none_stays_with_its_paragraph() -> None:
    text = "`| a |\n|---|\n---# "
    growing = IncrementalMarkdown()
    for end in range(len(text) + 1):
        assert growing.feed(text[:end]) == list(blocks(text[:end])), text[:end]


def test_any_cut_of_a_rich_text_streams_to_the_whole() -> None:
    growing = IncrementalMarkdown()
    for end in range(len(SAMPLE) + 1):
        assert growing.feed(SAMPLE[:end]) == list(blocks(SAMPLE[:end])), SAMPLE[:end]


def test_a_text_that_begins_anew_is_read_anew() -> None:
    growing = IncrementalMarkdown()
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
        "heading", "text", "list", "code", "quote", "table", "code", "rule", "text",
    ]  # fmt: skip
    assert blocks(SAMPLE)[6] == Block("code", code="def f():\n    return 1", language="python")


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


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example/cat.png", "//a.example/cat.png", "\\\\a.example\\cat.png", "/\\a.example/cat.png", "cat.png",
        "file://a.example/cat.png", "file:////a.example/cat.png", "data:text/html,x", "javascript:x", "ftp://a/b.png",
        "C://a/cat.png",
    ],
)  # fmt: skip
def test_an_image_elsewhere_is_its_description(address: str) -> None:
    assert not is_local_image(address)
    read = blocks(f"![a <cat>](<{address}>)")[0]
    assert not read.inline_images
    assert "a &lt;cat&gt;" in read.html


@pytest.mark.parametrize(
    "address", ["data:image/png;base64,AAAA", "/home/me/cat.png", "file:///home/me/cat.png", "C:/me/cat.png"]
)
def test_an_image_here_is_an_inset(address: str) -> None:
    assert blocks(f"![a cat](<{address}>)")[0].inline_images == (InlineImage("picture", address, "a cat"),)


def test_formulas_in_a_line_and_on_their_own() -> None:
    inline = blocks(r"So $x^2$ and \(y\) and $$z$$.")[0].inline_images
    assert [(each.source, each.alt_text, each.display) for each in inline] == [
        ("x^2", "$x^2$", False), ("y", r"\(y\)", False), ("z", "$$z$$", True),
    ]  # fmt: skip
    for source in ("$$\na\n$$", "\\[\na\n\\]", "\\[ a \\]"):
        (alone,) = blocks(source)
        assert [(each.source, each.display) for each in alone.inline_images] == [("a", True)], source


@pytest.mark.parametrize("text", ["$5 and $6", "from $20-$30", "a $ b $ c", "`$x$`", r"\$x\$", "$x"])
def test_money_and_code_are_no_formulas(text: str) -> None:
    assert not blocks(text)[0].inline_images


def test_a_formula_is_what_it_says_or_none_at_all_and_never_takes_long() -> None:
    made = formula(r"\frac{a}{b}", display=True)
    assert made is not None
    assert "<path" in made.svg
    assert made.ascent > 10 < made.descent < made.width + 10 < 100
    assert cached_formula(r"\frac{a}{b}", True) == (made,)
    for wrong in (r"\frac{a", "{" * 300, "x^" * 100 + "2", "x" * 3000):
        assert formula(wrong, display=False) is None, wrong
    hostile = "\\frac{" * 20 + "x" + "}{y}" * 20
    started = time.thread_time()
    assert formula(hostile, display=True) is None
    assert time.thread_time() - started < 2 * LIMIT_S


@pytest.mark.parametrize(
    "source",
    [
        r"\hspace{99999999999em}x", r"x\hspace{100000em}x", r"x\hspace{-100000em}x", r"\hspace{1e400em}",
        r"\rule{1000000em}{1000000em}", r"\rule{1em}{100000em}", r"\kern1000000em x", r"\hskip 1000000em x",
    ],
)  # fmt: skip
def test_formula_larger_than_any_page_shows_its_source(source: str) -> None:
    made = formula(source, display=True)
    assert made is None or made.width * (made.ascent + made.descent) < 8_000_000


def test_formula_of_ten_thousand_characters_is_refused_at_once() -> None:
    source = "x+" * 5_000
    started = time.thread_time()
    assert formula(source, display=True) is None is mathml(source, display=True)
    assert time.thread_time() - started < 0.01
    assert len(source) > MAX_LENGTH


def test_formulas_kept_in_memory_are_bounded_in_bytes() -> None:
    cache = formula_module._Cache()
    made = formula("x", display=False)
    assert made is not None
    for number in range(600):
        cache.put((f"{number}", False), replace(made, svg="x" * 200_000))
    assert cache.get(("599", False)) is not None
    assert cache.get(("0", False)) is None
    assert cache._n_bytes <= formula_module.MAX_CACHED_BYTES


def test_mathml_holds_the_latex_and_nothing_that_acts() -> None:
    made = mathml(r"\frac{a}{b}<\href{javascript:x}{y}", display=True)
    assert made is not None
    assert made.startswith('<math display="block"><semantics>')
    assert r'<annotation encoding="application/x-tex">\frac{a}{b}&lt;\href{javascript:x}{y}</annotation>' in made
    assert "href=" not in made
    assert mathml(r"\text{<script>}", display=False) is None


def test_footnotes_stand_at_the_end_by_number() -> None:
    first, notes = blocks("One[^a] and two[^b].\n\n[^b]: Second *note*.\n[^a]: First.")
    assert first.html == "<p>One<sup>1</sup> and two<sup>2</sup>.</p>"
    assert notes == Block("footnotes", "<p><sup>1</sup> First.</p><p><sup>2</sup> Second <i>note</i>.</p>")
    assert blocks("[^x] is not defined")[0].html == "<p>[^x] is not defined</p>"


def test_the_name_of_a_file_of_code() -> None:
    assert [file_name(each) for each in ("python", "rust", "", "nonsense")] == [
        "code.py", "code.rs", "code.txt", "code.txt",
    ]  # fmt: skip


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
    growing = IncrementalHighlighter("python")
    code = ""
    while len(code) < 5 * TAIL_LENGTH:
        code += line
        shown = growing.feed(code)
    assert bare(shown) == bare(code_html(code, ""))
    assert bare(growing.feed("short")) == "short"


def test_reading_ahead_takes_any_text() -> None:
    prerender([SAMPLE, "", "```\nopen"])


def test_code_in_a_list_is_a_card_and_the_list_goes_on() -> None:
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


def test_code_in_a_quote_in_a_list_stays_there() -> None:
    (only,) = blocks("- > ```\n  > x\n  > ```")
    assert only.kind == "list"
    assert "<pre>x</pre>" in only.html
