"""Tests of formulas and tables in Markdown: where formulas start and end, which `|` separate table cells, and line
breaks in answers."""

from __future__ import annotations

import pytest

from desktop.render.blocks import Block
from desktop.render.markdown import IncrementalMarkdown, blocks


def formulas(text: str) -> list[str]:
    return [image.source for block in blocks(text) for image in block.inline_images]


@pytest.mark.parametrize(
    "text",
    [
        "From $5 to $10, or R$ 12,29/m (R$ 15,83/m)",
        "Put $HOME/bin:$PATH first, then $match and $group of Mongo.",
        "US$5 or US$6",
        "$1,200 for you and A$ for me",
        "regular ^a$ and b$",
        "in $A$_x and $x$1",
        "Costs ~2000 (~5000); lines 1~10, 11~20",
        "`$x$` and \\$x\\$",
    ],
)
def test_prices_shell_variables_and_tildes_are_not_parsed_as_formulas(text: str) -> None:
    assert formulas(text) == []
    assert "<s>" not in blocks(text)[0].html


def test_formulas_beside_prices_are_recognized() -> None:
    text = r"A ticket is $\$0.60$; $a+b$ and \(c\), the $n$th, 其中$x$是; ~~gone~~ for $5"
    assert formulas(text) == [r"\$0.60", "a+b", "c", "n", "x"]
    assert "<s>gone</s>" in blocks(text)[0].html


def test_display_formula_within_a_paragraph_keeps_surrounding_text() -> None:
    (block,) = blocks("So \\[ a \\\\[2pt] b \\] holds\n\\[ c \\] where c is *wide*")
    assert [(image.source, image.display) for image in block.inline_images] == [("a \\\\[2pt] b", True), ("c", True)]
    assert "<br>" in block.html
    assert block.html.endswith("where c is <i>wide</i></p>")


def test_display_formula_must_end_in_its_list_or_quote() -> None:
    assert formulas("> \\[ a\n> b \\]\n\n- $$\n  x\n  $$") == ["a\nb", "x"]
    assert formulas("- \\[ a\n\nText \\]") == []
    assert formulas("\\[\na\n\nb\n\\]") == ["a\n\nb"]


def test_vertical_bars_in_formulas_do_not_separate_table_cells() -> None:
    (table,) = blocks("| name | formula |\n|--|--|\n| modulus | $|x|$ means $x \\ge 0$ |\n| given | $P(A|B)$ |")
    assert [image.source for image in table.inline_images] == ["|x|", "x \\ge 0", "P(A|B)"]
    assert table.inline_images[0].alt_text == "$|x|$"
    assert " means " in table.html


def test_surplus_table_cells_are_joined_to_the_last_column() -> None:
    (table,) = blocks("a | b\n--|--\n1 | 2 | 3\n| 4 | 5 | 6 |\n7\n| `x\\|y` | 8 |")
    cells = [part.split("</td>")[0].partition(">")[2] for part in table.html.split("<td")[1:]]
    assert cells[:6] == ["1", "2 | 3", "4", "5 | 6", "7", ""]
    assert "x|y" in cells[6]
    assert cells[7] == "8"


def test_vertical_bars_outside_tables_are_unchanged() -> None:
    text = "$|x|$ and \\|\n\n```\na | $b|c$\n--|--\n```\n\n    a | b | c\n    --|--\n"
    assert formulas(text) == ["|x|"]
    assert [block.code for block in blocks(text) if block.kind == "code"] == ["a | $b|c$\n--|--", "a | b | c\n--|--"]


def test_streamed_table_with_vertical_bars_in_formulas_equals_the_complete_table() -> None:
    text = "| a | b |\n|--|--|\n| $|x|$ | 2 | 3 |\n\nEnd"
    growing = IncrementalMarkdown()
    for end in range(len(text) + 1):
        assert growing.feed(text[:end]) == list(blocks(text[:end])), text[:end]


def test_single_line_breaks_of_an_answer_are_kept() -> None:
    assert blocks("Roses are red,\nviolets are blue.\n\n- one\n  two\n\n> three\n> four") == (
        Block("text", "<p>Roses are red,<br>violets are blue.</p>"),
        Block("list", "<ul><li>one<br>two</li></ul>"),
        Block("quote", "<blockquote><p>three<br>four</p></blockquote>"),
    )
