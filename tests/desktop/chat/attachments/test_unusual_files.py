"""Tests of reading unusual files: documents of other office programs, file names that are not UTF-8, and large
files."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import time
import zipfile
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QUrl

from desktop.chat.attachments.attachment_list import AttachmentList
from desktop.chat.attachments.docx import read_docx
from desktop.chat.attachments.drop_zone import files_of
from desktop.chat.attachments.errors import NoText, NotText, TooLarge
from desktop.chat.attachments.file_reader import FileReader
from desktop.chat.attachments.pdf import read_pdf
from desktop.import_export.backup import stage_restore, write_backup
from desktop.import_export.controller import ImportExportController
from desktop.import_export.exporter import Exporter
from desktop.import_export.reader import read
from desktop.import_export.records import PortableChat
from desktop.platform.instance_lock import InstanceLock
from desktop.platform.logging_setup import LogFile
from desktop.settings.settings_file import SettingsFile
from desktop.store.records import Chat, ChatMessage
from desktop.store.search import ChatSearch
from desktop.store.store import Store
from engine.files.profile import Profile
from engine.library.model_scan import ModelFile
from tests.desktop.chat.attachments.sample_documents import W as TRANSITIONAL
from tests.desktop.chat.attachments.sample_documents import paragraph, write_docx, write_pdf
from tests.desktop.conftest import Run

STRICT = 'xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main"'
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
BODY = (
    '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Title</w:t></w:r></w:p>'
    "<w:p><w:r><w:t>Some text</w:t></w:r><w:del><w:r><w:t>gone</w:t></w:r></w:del></w:p>"
    "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
)
TEXT = "# Title\n\nSome text\n\n| a |\n| --- |"

only_on_linux = pytest.mark.skipif(sys.platform != "linux", reason="names of files are UTF-16 or UTF-8 there")


def package(path: Path, main: str, namespace: str, target: str, **more: str) -> Path:
    kind = "http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument"
    if namespace == TRANSITIONAL:
        kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r0" Type="x/metadata" Target="docProps/core.xml"/>'
            f'<Relationship Id="r1" Type="{kind}" Target="{target}"/></Relationships>',
        )
        archive.writestr(main, f"<w:document {namespace}><w:body>{BODY}</w:body></w:document>")
        for name, text in more.items():
            archive.writestr(name.replace("__", "/"), text)
    return path


@pytest.mark.parametrize("namespace", [STRICT, TRANSITIONAL])
@pytest.mark.parametrize(
    ("main", "target"),
    [("word/document.xml", "word/document.xml"), ("word/document2.xml", "/word/document2.xml"),
     ("main.xml", "main.xml"), ("a/b/c.xml", "./a/x/../b/c.xml")],
)  # fmt: skip
def test_strict_and_transitional_docx_are_read_from_main_part_named_in_relationships(
    tmp_path: Path, namespace: str, main: str, target: str
) -> None:
    assert read_docx(package(tmp_path / "x.docx", main, namespace, target)) == TEXT


def test_strict_docx_without_relationships_is_read_from_default_main_part(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.docx", "w") as archive:
        archive.writestr("word/document.xml", f"<w:document {STRICT}><w:body>{BODY}</w:body></w:document>")
    assert read_docx(tmp_path / "x.docx") == TEXT


def test_footnotes_of_docx_are_found_by_relationships(tmp_path: Path) -> None:
    relations = (
        f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" Type="y/footnotes" Target="notes7.xml"/>'
        '<Relationship Id="r2" Type="y/footnotes" Target="http://example.org" TargetMode="External"/></Relationships>'
    )
    notes = f"<w:footnotes {STRICT}><w:footnote>{paragraph('A note')}</w:footnote></w:footnotes>"
    more = {"word___rels__main.xml.rels": relations, "word__notes7.xml": notes}
    path = package(tmp_path / "x.docx", "word/main.xml", STRICT, "word/main.xml", **more)
    assert read_docx(path) == f"{TEXT}\n\nA note"


def test_reading_spreadsheet_named_docx_raises_not_text(tmp_path: Path) -> None:
    path = package(tmp_path / "x.docx", "xl/workbook.xml", 'xmlns:w="urn:table"', "xl/workbook.xml")
    with pytest.raises(NotText):
        read_docx(path)


def test_reading_document_without_text_raises_no_text(tmp_path: Path) -> None:
    with pytest.raises(NoText):
        FileReader().read(write_docx(tmp_path / "x.docx", paragraph(" ")))
    with pytest.raises(NoText):
        FileReader().read(write_pdf(tmp_path / "x.pdf", ["", ""]))


def pdf_with_map(path: Path, *maps: tuple[str, str], shown: str) -> Path:
    cmap = "".join(f"<{code}> <{value}> " for code, value in maps)
    stream = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def 1 begincodespacerange <00> <FF> "
        f"endcodespacerange {len(maps)} beginbfchar {cmap}endbfchar endcmap end end"
    ).encode()
    page = f"BT /F1 12 Tf 72 720 Td <{shown}> Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(page), page),
        b"<</Type/Font/Subtype/TrueType/BaseFont/Foo/ToUnicode 6 0 R>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(stream), stream),
    ]  # fmt: skip
    out, places = io.BytesIO(b"%PDF-1.4\n"), []
    out.seek(0, io.SEEK_END)
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    xref = out.tell()
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    out.write(
        b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size 7/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (7, rows, xref)
    )
    path.write_bytes(out.getvalue())
    return path


def test_lone_surrogate_in_pdf_becomes_replacement_character(tmp_path: Path) -> None:
    maps = (("41", "0041"), ("42", "D835"), ("43", "D83DDE00"))
    text = read_pdf(pdf_with_map(tmp_path / "x.pdf", *maps, shown="41424341"))
    assert text == "A\ufffd😀A"
    assert FileReader().read(tmp_path / "x.pdf").text == text


def test_surrogate_pair_in_pdf_is_joined_to_one_character(tmp_path: Path) -> None:
    maps = (("41", "D83D"), ("42", "DE00"))
    assert read_pdf(pdf_with_map(tmp_path / "x.pdf", *maps, shown="4142")) == "😀"


def test_reading_26_mb_text_raises_too_large_within_5_seconds(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"All work and no play. " * (26_000_000 // 22))
    began = time.monotonic()
    with pytest.raises(TooLarge) as caught:
        FileReader().read(tmp_path / "x.txt")
    assert caught.value.measure == "characters"
    assert time.monotonic() - began < 5


def latin1_path(folder: Path, name: str) -> Path:
    """Path of a file whose name is encoded in Latin-1, so that it is not UTF-8."""
    return Path(os.fsdecode(os.fsencode(folder) + b"/" + name.encode("latin-1")))


@only_on_linux
def test_non_utf8_name_of_attached_file_gets_replacement_character(tmp_path: Path) -> None:
    for name, text in (("notiz-ü.txt", "Sow in March."), ("notiz-ü.docx", "Sow")):
        path = latin1_path(tmp_path, name)
        if name.endswith("docx"):
            write_docx(path, paragraph(text))
        else:
            path.write_text(text)
        attachment = FileReader().read(path)
        assert (attachment.name, attachment.text) == (name.replace("ü", "\ufffd"), text)
    attachments = AttachmentList(lambda: "1")
    attachments.add(latin1_path(tmp_path, "ü.txt").name)
    assert attachments.items[0].name == "\ufffd.txt"
    with pytest.raises(NotText) as caught:
        FileReader().read(latin1_path(tmp_path, ""))
    caught.value.name.encode()


@only_on_linux
def test_path_of_dropped_file_with_non_utf8_name_is_found(tmp_path: Path) -> None:
    path = latin1_path(tmp_path, "caf\xe9 #1 50%.txt")
    path.write_text("x")
    mime = QMimeData()
    mime.setUrls([QUrl(path.as_uri()), QUrl.fromLocalFile(str(tmp_path / "plain ü%41.txt"))])
    assert files_of(mime) == [path, tmp_path / "plain ü%41.txt"]
    assert files_of(mime)[0].is_file()


@only_on_linux
def test_profile_with_non_utf8_path_can_be_used_and_backed_up(tmp_path: Path) -> None:
    profile = Profile(latin1_path(tmp_path, "prüfung")).ensure()

    async def run() -> None:
        store, search = Store(profile.chats), ChatSearch(profile.chats)
        assert await store.open() is None
        await store.save(Chat("c", "Sea", 1.0, 1.0), [ChatMessage("m", "c", None, "user", "water", "complete", 1.0)])
        assert len(await search.find("water") or []) == 1
        await asyncio.to_thread(write_backup, profile, latin1_path(profile.root, "ü.zip"))
        await search.aclose()
        await store.aclose()

    asyncio.run(run())
    stage_restore(profile, latin1_path(profile.root, "ü.zip"))
    settings = SettingsFile(profile.settings)
    settings.change(model_folders=[str(latin1_path(tmp_path, "modelle-ä"))])
    settings.save()
    assert SettingsFile(profile.settings).value == settings.value
    lock = InstanceLock(profile.root / "window.lock")
    assert lock.acquire()
    lock.release()
    LogFile(profile.root).close()
    assert Path(profile.chats).is_file()


@only_on_linux
def test_non_utf8_name_of_model_file_gets_replacement_character(tmp_path: Path) -> None:
    path = latin1_path(tmp_path, "café-7B-Q4_K_M.gguf")
    ModelFile(path, 1).name.encode()
    assert "\ufffd" in ModelFile(path, 1).name


@only_on_linux
@pytest.mark.parametrize("form", ["md", "html", "json", "pdf"])
def test_chat_can_be_exported_into_folder_with_non_utf8_name(run: Run, tmp_path: Path, form: str) -> None:
    folder = latin1_path(tmp_path, "ordner-ü")
    folder.mkdir()

    async def story() -> None:
        store = Store(tmp_path / "chats.db")
        await store.open()
        chat = Chat("c", "Sea", 1.0, 1.0, leaf_id="m")
        await store.save(chat, [ChatMessage("m", "c", None, "user", "water", "complete", 1.0)])
        exchange = ImportExportController(Profile(tmp_path), store, Exporter(lambda role: role, str, str))
        exported, failed = list[str](), list[object]()
        exchange.exported.connect(exported.append)
        exchange.failed.connect(failed.append)
        exchange.export(chat, latin1_path(folder, f"sée.{form}"), form)  # type: ignore[arg-type]
        await exchange.aclose()
        await store.aclose()
        assert (failed, len(exported)) == ([], 1)

    run(story())
    assert [os.fsencode(path.name) for path in folder.iterdir()] == [f"sée.{form}".encode("latin-1")]
    assert latin1_path(folder, f"sée.{form}").stat().st_size > 0


@only_on_linux
def test_chat_can_be_imported_from_file_with_non_utf8_name(tmp_path: Path) -> None:
    path = latin1_path(tmp_path, "gespräch.md")
    path.write_text("## You\n\nhello\n\n## Inglenook\n\nHi.\n")
    (found,) = read(path)
    assert isinstance(found, PortableChat)
    (found,) = read(tmp_path)
    assert isinstance(found, PortableChat)
