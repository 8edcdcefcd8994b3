"""Tests of chats exported as HTML and PDF: formulas, images, wide code and tables, unusual characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from xml.etree import ElementTree

import pypdf
import pytest
from PySide6.QtWidgets import QApplication

from desktop.import_export.exporter import Exporter
from desktop.import_export.formats.markdown import markdown
from desktop.import_export.html_export import MAX_COLUMNS, html, pdf_html
from desktop.import_export.pdf_export import write_pdf
from desktop.import_export.records import PortableChat
from desktop.platform.theme import Theme
from desktop.store.records import Chat, ChatMessage

FORMULAS = "The area is $\\pi r^2$.\n\n$$\\int_0^1 x\\,dx$$\n\n| a | $b$ |\n|--|--|\n| $c_1$ | d |"
HALF = "\ud83d"


def chat(text: str, question: str = "") -> tuple[Chat, list[ChatMessage]]:
    asked = ChatMessage("q", "i", None, "user", question, "complete", 0.0)
    answer = ChatMessage("m", "i", "q", "assistant", text, "complete", 0.0)
    return Chat("i", "Title", 0.0, 0.0, leaf_id="m"), [asked, answer] if question else [answer]


def page(text: str, question: str = "") -> str:
    return html(*chat(text, question), lambda role: role, "")


def pdf(theme: Theme, path: Path, text: str, question: str = "") -> pypdf.PdfReader:
    written, formulas = pdf_html(*chat(text, question), lambda role: role, theme.paper_style())
    write_pdf(written, formulas, "Title", path)
    return pypdf.PdfReader(path)


def words(reader: pypdf.PdfReader) -> str:
    return " ".join(" ".join(sheet.extract_text() for sheet in reader.pages).split())


def test_long_pdf_written_on_a_pool_thread_logs_no_qt_warning(theme: Theme, tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(pdf, theme, path, "word " * 100 + "\n\nword " * 2_000).result()
    assert len(reader.pages) > 1  # a warning logged by Qt fails the test


def test_formulas_in_html_are_mathml_with_latex_annotation() -> None:
    found = page(FORMULAS)
    assert "inline:" not in found
    formulas = re.findall("<math.*?</math>", found)
    assert len(formulas) == 4
    read = [ElementTree.fromstring(each) for each in formulas]
    notes = [each.findtext("semantics/annotation") for each in read]
    assert notes == ["\\pi r^2", "\\int_0^1 x\\,dx", "b", "c_1"]
    assert [each.get("display") for each in read] == ["inline", "block", "inline", "inline"]


def test_invalid_formula_in_html_is_exported_as_its_source() -> None:
    found = page("$\\frac{a$ and $x\\hspace{99999999999em}y$ and $\\text{<script>}$ and $" + "x+" * 5000 + "y$")
    assert "\\frac{a$" in found
    assert "hspace{99999999999em}" in found
    assert "<script" not in found
    assert "<mspace" not in found
    assert "x+" * 5000 in found


def test_data_url_images_are_embedded_and_others_replaced_by_descriptions() -> None:
    found = page("![dot](data:image/png;base64,AAAA) ![cat](/home/me/cat.png) ![x](data:image/svg+xml;base64,AAAA)")
    assert '<img src="data:image/png;base64,AAAA" alt="dot">' in found
    assert "<i>cat</i>" in found
    assert "/home/me" not in found
    assert found.count("<img") == 1
    assert "inline:" not in page('![q](data:image/png;base64,AA"onerror="x)')


def test_user_message_in_html_is_rendered_as_in_the_window() -> None:
    found = page("Yes", "Is  **this**\nright?\n```python\nx<1\n```\n# no heading")
    assert '<p style="white-space: pre-wrap">Is  <b>this</b>\nright?</p><pre>' in found
    assert "# no heading" in found


def test_exported_html_contains_no_thin_spaces_or_bidi_isolates(theme: Theme) -> None:
    found = page("`a` and `csv.Error()` هو نوع الخطأ")
    assert not set(found) & {"\u2009", "\u2066", "\u2069"}
    assert "<code>a</code>" in found


@pytest.mark.parametrize("text", [f"a{HALF}b", "a\x00b", "\u2028x\u2029", "漢字かな交じり文" * 200, "مرحبا 123 abc"])
def test_unusual_characters_are_exported_in_every_format(theme: Theme, tmp_path: Path, text: str) -> None:
    page(text, text).encode()
    markdown(*chat(text, text), lambda role: role).encode()
    assert len(pdf(theme, tmp_path / "x.pdf", text, text).pages) >= 1
    assert "\x00" not in page("a\x00b", "c")


def test_lone_surrogate_is_exported_as_a_replacement_character(qapp: QApplication, tmp_path: Path) -> None:
    exporter = Exporter(lambda role: role, str, str)
    the_chat, messages = chat(f"half {HALF}", f"also {HALF}")
    forms: Sequence[str] = ("md", "html", "pdf", "json")
    for form in forms:
        exporter.write([PortableChat(the_chat, tuple(messages), None)], (), tmp_path / form, form, Event())  # type: ignore[arg-type]
    assert "half \ufffd" in (tmp_path / "json").read_text("utf-8")
    assert "half \ufffd" in (tmp_path / "html").read_text("utf-8")


def test_pdf_formulas_are_drawn_with_searchable_latex(theme: Theme, tmp_path: Path) -> None:
    reader = pdf(theme, tmp_path / "x.pdf", FORMULAS)
    text = words(reader)
    for latex in ("\\pi r^2", "\\int_0^1 x\\,dx", "c_1"):
        assert latex in text
    assert not reader.pages[0].images


def test_long_code_lines_are_wrapped_in_pdf(theme: Theme, tmp_path: Path) -> None:
    lines = ["one " * 60 + "END", "x" * 300 + "END"]
    reader = pdf(theme, tmp_path / "x.pdf", "```python\n" + "\n".join(lines) + "\n```")
    right: list[float] = []

    def visit(text: str, matrix: list[float], at: list[float], *_: object) -> None:
        if text.strip():
            right.append(at[4] * matrix[0] + matrix[4])

    reader.pages[0].extract_text(visitor_text=visit)
    assert words(reader).count("END") == 2
    assert max(right) < float(reader.pages[0].mediabox.width)


def test_pdf_page_is_white_in_dark_theme(theme: Theme, tmp_path: Path) -> None:
    light = theme.paper_style()
    theme.choose("dark")
    assert theme.paper_style() == light
    assert "#FFFFFF" in light


def test_wide_table_in_pdf_is_split_into_narrower_tables(theme: Theme, tmp_path: Path) -> None:
    n_columns = 2 * MAX_COLUMNS + 1
    rows = ["|".join(f"{kind}{n}" for n in range(n_columns)) for kind in ("head", "cell")]
    text = words(pdf(theme, tmp_path / "x.pdf", f"{rows[0]}\n{'|'.join(['--'] * n_columns)}\n{rows[1]}"))
    assert all(f"cell{n}" in text for n in range(n_columns))
    assert text.count("head0") == 3


def test_long_chat_has_several_pdf_pages(theme: Theme, tmp_path: Path) -> None:
    reader = pdf(theme, tmp_path / "x.pdf", "\n\n".join(f"Paragraph {n}" for n in range(120)))
    assert len(reader.pages) > 2
    text = words(reader)
    assert all(f"Paragraph {n}" in text for n in range(120))
