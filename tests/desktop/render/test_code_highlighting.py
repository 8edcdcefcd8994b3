"""Tests of syntax highlighting, of complete and of streaming code, and of file names for code."""

from __future__ import annotations

import re

import pytest

from desktop.render.code_highlighting import TAIL_LENGTH, IncrementalHighlighter, code_html, file_name


def without_tags(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


def test_file_name_for_code_has_the_usual_extension_of_its_language() -> None:
    assert [file_name(each) for each in ("python", "rust", "", "nonsense")] == [
        "code.py", "code.rs", "code.txt", "code.txt",
    ]  # fmt: skip


def test_only_code_in_a_known_language_is_highlighted() -> None:
    assert '<span class="k">def</span>' in code_html("def f(): pass", "python")
    assert code_html("a < b", "no-such-language") == "<pre>a &lt; b</pre>"
    assert code_html("a < b", "") == "<pre>a &lt; b</pre>"


@pytest.mark.parametrize("line", ["def f(x):\n    return x + 1\n\n", "no_line_end_at_all " * 3])
def test_highlighting_of_streamed_code_keeps_all_text(line: str) -> None:
    growing = IncrementalHighlighter("python")
    code = ""
    while len(code) < 5 * TAIL_LENGTH:
        code += line
        shown = growing.feed(code)
    assert without_tags(shown) == without_tags(code_html(code, ""))
    assert without_tags(growing.feed("short")) == "short"
