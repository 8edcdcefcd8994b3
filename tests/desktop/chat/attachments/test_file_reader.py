"""Tests of `FileReader`: kinds and encodings of attached files, and errors for files that cannot be read."""

from __future__ import annotations

import codecs
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.chat import strings
from desktop.chat.attachments import limits
from desktop.chat.attachments.errors import (
    AttachError,
    Damaged,
    Encrypted,
    NoText,
    NotText,
    TooLarge,
    TooSlow,
    Unreachable,
)
from desktop.chat.attachments.file_kinds import kind_of, language_of
from desktop.chat.attachments.file_reader import FileReader
from desktop.chat.attachments.text_decoding import decode
from tests.desktop.chat.attachments.sample_documents import W, paragraph, write_docx, write_pdf


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("notes.txt", "text"),
        ("main.py", "code"),
        ("Makefile", "code"),
        ("README.md", "markdown"),
        ("rows.csv", "csv"),
        ("rows.TSV", "csv"),
        ("letter", "text"),
    ],
)
def test_file_extension_determines_kind_of_attachment(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.write_text("a, b\n", encoding="utf-8")
    attachment = FileReader().read(path)
    assert (attachment.name, attachment.kind, attachment.text) == (name, kind, "a, b\n")


def test_file_name_determines_language_of_code_block() -> None:
    assert language_of("app.TSX") == "tsx"
    assert language_of("Dockerfile") == "dockerfile"
    assert language_of("notes.txt") == ""
    assert kind_of("odd-name", b"junk before\n%PDF-1.4") == "pdf"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Grüße – 你好".encode(), "Grüße – 你好"),
        (codecs.BOM_UTF8 + "Grüße".encode(), "Grüße"),
        (codecs.BOM_UTF16_LE + "Grüße".encode("utf-16-le"), "Grüße"),
        (codecs.BOM_UTF16_BE + "Grüße".encode("utf-16-be"), "Grüße"),
        (codecs.BOM_UTF32_LE + "Grüße".encode("utf-32-le"), "Grüße"),
        ("Grüße – “ja”".encode("cp1252"), "Grüße – “ja”"),
        (b"caf\xe9 \x81", "café \x81"),
        (b"one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
        (b"GIF89a\x00\x01", None),
        (bytes(range(1, 256)), None),
        (codecs.BOM_UTF16_LE + b"\x00\xd8", None),
    ],
)
def test_decoding_returns_text_for_text_file_and_none_for_binary_file(data: bytes, text: str | None) -> None:
    assert decode(data) == text


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_decoding_utf8_bytes_returns_original_text(text: str) -> None:
    assert decode(text.encode()) == text.removeprefix("\ufeff")


@given(st.binary())
def test_decoded_text_has_no_carriage_returns(data: bytes) -> None:
    assert decode(data) is None or "\r" not in (decode(data) or "")


def test_pages_of_pdf_are_separated_by_empty_lines(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "plan.pdf", ["Turn the soil", "Sow the beans"])
    attachment = FileReader().read(path)
    assert attachment.kind == "pdf"
    assert attachment.text == "Turn the soil\n\nSow the beans"


def test_encrypted_pdf_with_empty_password_is_read(tmp_path: Path) -> None:
    assert FileReader().read(write_pdf(tmp_path / "open.pdf", ["Read me"], password="")).text == "Read me"


def test_word_document_is_converted_to_markdown(tmp_path: Path) -> None:
    body = (
        paragraph("The garden", '<w:pStyle w:val="Heading1"/>')
        + paragraph("Beans &amp; peas")
        + paragraph("first", "<w:numPr/>")
        + "<w:p><w:del><w:r><w:delText>gone</w:delText><w:t>gone</w:t></w:r></w:del><w:r><w:t>a</w:t><w:tab/>"
        + "<w:t>b</w:t></w:r></w:p>"
        + "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Crop</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Rows</w:t></w:r></w:p>"
        + "</w:tc></w:tr><w:tr><w:tc><w:p><w:r><w:t>Beans</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>4</w:t></w:r>"
        + "</w:p></w:tc></w:tr></w:tbl>"
    )
    notes = f"<w:footnotes {W}><w:footnote>{paragraph('See page 2.')}</w:footnote></w:footnotes>"
    attachment = FileReader().read(write_docx(tmp_path / "plan.docx", body, footnotes=notes))
    assert attachment.kind == "docx"
    assert attachment.text.split("\n\n") == [
        "# The garden",
        "Beans & peas",
        "- first",
        "a\tb",
        "| Crop | Rows |\n| --- | --- |\n| Beans | 4 |",
        "See page 2.",
    ]


def read_error(path: Path) -> AttachError:
    with pytest.raises(AttachError) as caught:
        FileReader().read(path)
    assert caught.value.name == path.name
    return caught.value


def test_reading_binary_file_raises_not_text(tmp_path: Path) -> None:
    picture = tmp_path / "cat.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("a.txt", "a")
    assert type(read_error(picture)) is NotText
    assert type(read_error(archive)) is NotText
    assert type(read_error(tmp_path)) is NotText


def test_reading_missing_file_raises_unreachable_with_reason(tmp_path: Path) -> None:
    error = read_error(tmp_path / "gone.txt")
    assert isinstance(error, Unreachable)
    assert "No such file" in error.reason


def test_reading_empty_file_or_scanned_pdf_raises_no_text(tmp_path: Path) -> None:
    blank = tmp_path / "blank.txt"
    blank.write_text(" \n", encoding="utf-8")
    assert type(read_error(blank)) is NoText
    assert strings.attachment_error(read_error(blank)) == f"{blank.name} is empty."
    scan = read_error(write_pdf(tmp_path / "scan.pdf", ["", ""]))
    assert type(scan) is NoText
    assert "A scan needs text recognition (OCR) first" in strings.attachment_error(scan)
    assert type(read_error(write_docx(tmp_path / "blank.docx", ""))) is NoText


def test_reading_password_protected_document_raises_encrypted(tmp_path: Path) -> None:
    wrapped = tmp_path / "secret.docx"
    wrapped.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert type(read_error(write_pdf(tmp_path / "secret.pdf", ["Hidden"], password="sesame"))) is Encrypted
    assert type(read_error(wrapped)) is Encrypted


def test_reading_truncated_document_raises_damaged(tmp_path: Path) -> None:
    pdf = write_pdf(tmp_path / "whole.pdf", ["Half of this is gone"])
    (tmp_path / "half.pdf").write_bytes(pdf.read_bytes()[:200])
    docx = write_docx(tmp_path / "whole.docx", paragraph("x" * 5_000))
    (tmp_path / "half.docx").write_bytes(docx.read_bytes()[:-60])
    broken = write_docx(tmp_path / "broken.docx", "<w:p>")
    for path in (tmp_path / "half.pdf", tmp_path / "half.docx", broken):
        assert type(read_error(path)) is Damaged


def test_reading_docx_with_xml_entities_raises_damaged(tmp_path: Path) -> None:
    path = tmp_path / "laughs.docx"
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("word/document.xml", f"{laughs}<w:document {W}><w:body>&b;</w:body></w:document>")
    assert type(read_error(path)) is Damaged


def test_reading_docx_zip_bomb_raises_too_large(tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        package.writestr("word/document.xml", b" " * (limits.UNPACKED_BYTES + 2))
    assert path.stat().st_size < 1 << 20
    error = read_error(path)
    assert isinstance(error, TooLarge)
    assert (error.measure, error.most) == ("bytes", limits.UNPACKED_BYTES)


def test_reading_deeply_nested_docx_raises_damaged(tmp_path: Path) -> None:
    nest = "<w:sdt>" * 200_000 + "</w:sdt>" * 200_000
    assert type(read_error(write_docx(tmp_path / "deep.docx", nest))) is Damaged


def test_reading_file_over_size_limit_raises_too_large(tmp_path: Path) -> None:
    huge = tmp_path / "huge.log"
    with huge.open("wb") as file:
        file.truncate(limits.FILE_BYTES + 1)  # a sparse file takes no space on the disk
    long = tmp_path / "long.txt"
    long.write_text("a" * (limits.CHARACTERS + 1), encoding="utf-8")
    errors = [
        read_error(huge),
        read_error(long),
        read_error(write_pdf(tmp_path / "book.pdf", [""] * (limits.PAGES + 1))),
    ]
    assert [error.measure for error in errors if isinstance(error, TooLarge)] == ["bytes", "characters", "pages"]


def test_document_whose_reading_takes_too_long_raises_too_slow(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "slow.pdf", ["Slow"])
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(TooSlow):
        FileReader(lambda kind, path: command, document_s=0.2).read(path)


def test_running_read_call_ends_when_file_reader_is_closed(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "slow.pdf", ["Slow"])
    reader = FileReader(lambda kind, path: [sys.executable, "-c", "import time; time.sleep(60)"])
    closing = threading.Timer(0.2, reader.close)
    started = time.monotonic()
    closing.start()
    with pytest.raises(TooSlow):
        reader.read(path)
    closing.join()
    assert time.monotonic() - started < 30


def test_crash_of_document_process_raises_damaged(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "deadly.pdf", ["Deadly"])
    with pytest.raises(Damaged):
        FileReader(lambda kind, path: [sys.executable, "-c", "import os; os.abort()"]).read(path)
