"""The contents of installers. These tests build no installer; `make package` does."""

from __future__ import annotations

import io
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from tests.packaging.checkout import ROOT

Ship = Callable[[str], ModuleType]


@pytest.mark.parametrize(("system", "machine"), [("linux", "x86_64"), ("win32", "AMD64"), ("darwin", "arm64")])
def test_shipped_llama_cpp_is_built_for_all_processors_and_not_only_for_the_build_machine(
    ship: Ship, system: str, machine: str
) -> None:
    definitions = ship("llama_build").definitions(system, machine)

    assert definitions["GGML_NATIVE"] == "OFF"
    variants = system != "darwin"
    assert (definitions.get("GGML_CPU_ALL_VARIANTS") == "ON") is variants
    assert (definitions.get("GGML_BACKEND_DL") == "ON") is variants


def test_split_lock_separates_llama_cpp_from_all_other_packages(ship: Ship) -> None:
    lock = (ROOT / "packaging/lock/runtime.txt").read_text(encoding="utf-8")
    ours, others = ship("environment").split_lock(lock)

    assert ours.startswith("llama-cpp-python==")
    assert ours.count("==") == 1
    assert "--hash=sha256:" in ours
    assert "llama-cpp-python" not in others
    assert lock.count("==") == others.count("==") + 1


@pytest.mark.parametrize(
    "name",
    [
        "PySide6/Qt/lib/libQt6Widgets.so.6",
        "PySide6/QtSvg.abi3.so",
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/Qt/plugins/platforms/libqwayland.so",
        "PySide6/Qt/plugins/imageformats/libqsvg.so",
        "PySide6/plugins/platforms/qwindows.dll",
        "PySide6/Qt6Core.dll",
        "PySide6/Qt/lib/QtCore.framework/Versions/A/QtCore",
        "PySide6/Qt/plugins/platforms/libqcocoa.dylib",
        "PySide6\\plugins\\imageformats\\qjpeg.dll",
        "PySide6/Qt/translations/qtbase_de.qm",
        "llama_cpp/lib/libllama.so",
        "llama_cpp/lib/libggml.so.0",
        "llama_cpp/lib/libggml-base.so.0",
        "llama_cpp/lib/libggml-cpu-haswell.so",
        "llama_cpp/lib/libggml-cpu-x64.so",
        "llama_cpp/lib/ggml-cpu-haswell.dll",
        "llama_cpp/lib/llama.dll",
        "resources/icons/flame.svg",
        "libQt6Core.so.6",
    ],
)
def test_needed_file_is_kept_in_the_freeze(ship: Ship, name: str) -> None:
    assert ship("prune").is_needed(name)


@pytest.mark.parametrize(
    "name",
    [
        "PySide6/Qt/lib/libQt6Quick.so.6",
        "libQt6Qml.so.6",
        "PySide6/QtQml.abi3.so",
        "PySide6/Qt6Quick.dll",
        "PySide6/opengl32sw.dll",
        "PySide6/Qt/lib/QtQuick.framework/Versions/A/Resources/Info.plist",
        "PySide6/Qt/plugins/sqldrivers/libqsqlite.so",
        "PySide6/Qt/plugins/platforms/libqvnc.so",
        "PySide6/Qt/plugins/platformthemes/libqgtk3.so",
        "PySide6/Qt/plugins/imageformats/libqtiff.so",
        "PySide6/Qt/translations/qtbase_fr.qm",
        "PySide6/Qt/translations/qt_help_de.qm",
        "PySide6/Qt/qml/QtQuick/qmldir",
        "PySide6/QtCore.pyi",
        "llama_cpp/lib/libllama.so.0",
        "llama_cpp/lib/libggml.so",
        "llama_cpp/lib/libggml.so.0.25.3",
        "numpy/_core/include/numpy/arrayobject.h",
    ],
)
def test_unneeded_file_is_removed_from_the_freeze(ship: Ship, name: str) -> None:
    assert not ship("prune").is_needed(name)


def test_guide_pictures_are_shipped_and_readme_pictures_are_not(ship: Ship) -> None:
    unused = ship("freeze")._unused

    assert unused(str(ROOT / "resources"), ["pictures", "guide", "styles"]) == {"pictures"}
    assert unused(str(ROOT / "resources/guide"), ["pictures", "en"]) == set()
    assert unused(str(ROOT / "resources/translations"), ["inglenook_de.qm", "inglenook_de.ts"]) == {"inglenook_de.ts"}


def test_system_libraries_do_not_include_libpython(ship: Ship) -> None:
    binaries = [
        ("libssl.so.3", "/usr/lib/x86_64-linux-gnu/libssl.so.3"),
        ("libX11.so.6", "/lib/x86_64-linux-gnu/libX11.so.6"),
        ("libpython3.11.so.1.0", "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0"),
        ("python3.11/lib-dynload/_ssl.so", "/usr/lib/python3.11/lib-dynload/_ssl.so"),
        ("llama_cpp/lib/libllama.so", "/home/ada/venv/llama_cpp/lib/libllama.so"),
    ]
    assert ship("elf").system_libraries(binaries) == ["libssl.so.3", "libX11.so.6"]


def test_ico_file_contains_all_sizes(ship: Ship) -> None:
    pngs = {16: b"small", 256: b"a large one"}
    data = ship("icons").ico(pngs)

    reserved, kind, n = struct.unpack_from("<HHH", data)
    assert (reserved, kind, n) == (0, 1, 2)
    for index, (size, png) in enumerate(pngs.items()):
        width, height, *_, length, offset = struct.unpack_from("<BBBBHHII", data, 6 + 16 * index)
        assert width == height == size % 256
        assert data[offset : offset + length] == png


def test_icns_file_contains_all_sizes(ship: Ship) -> None:
    data = ship("icons").icns({16: b"small", 24: b"not for a Mac", 512: b"large"})

    assert data[:4] == b"icns"
    assert struct.unpack(">I", data[4:8])[0] == len(data)
    found, at = {}, 8
    while at < len(data):
        length = struct.unpack_from(">I", data, at + 4)[0]
        found[data[at : at + 4]] = data[at + 8 : at + length]
        at += length
    assert found == {b"icp4": b"small", b"ic09": b"large"}


def test_icon_svg_contains_the_flame_path(ship: Ship) -> None:
    flame = (ROOT / "resources/icons/flame.svg").read_text(encoding="utf-8")
    drawn = ElementTree.fromstring(ship("icons").tile(flame, "#B5451A", "#FFFFFF"))

    path = drawn.find(".//{*}path")
    assert path is not None
    assert path.attrib["d"] in flame


CHANGES = (
    "# Changelog\n\n## [Unreleased]\n\n- Soon.\n\n## [1.2.0] - 2026-12-01\n\n- A window.\n- A tray icon.\n\n"
    "## [1.1.0]\n\n- Old.\n"
)


@pytest.mark.parametrize(("of", "section"), [("1.2.0", "- A window.\n- A tray icon."), ("1.1.0", "- Old.")])
def test_release_notes_are_the_changelog_section_of_the_version(ship: Ship, of: str, section: str) -> None:
    assert ship("release_notes").notes(f"v{of}", CHANGES, of) == section


@pytest.mark.parametrize(("tag", "of"), [("v1.2.1", "1.2.0"), ("1.2.0", "1.2.0"), ("v1.2", "1.2"), ("v1.3.0", "1.3.0")])
def test_release_with_wrong_version_or_without_changelog_is_refused(ship: Ship, tag: str, of: str) -> None:
    with pytest.raises(ship("release_notes").SetupError):
        ship("release_notes").notes(tag, CHANGES, of)


def test_tarball_does_not_depend_on_file_times(ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/file").write_text("text")
    (tmp_path / "link").symlink_to("sub/file")

    def packed() -> bytes:
        with io.BytesIO() as raw:
            with tarfile.open(fileobj=raw, mode="w") as archive:
                ship("tarball")._add(archive, tmp_path, "inglenook-1")
            return raw.getvalue()

    first = packed()
    (tmp_path / "sub/file").touch()
    assert packed() == first
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        assert archive.getmember("inglenook-1/link").linkname == "sub/file"
        assert {member.mtime for member in archive} == {1700000000}


def test_rpm_pattern_for_private_libraries_matches_included_libraries(ship: Ship) -> None:
    pattern = ship("rpm").private_pattern(["libQt6Core.so.6", "libQt6Core.so.6.11", "_ssl.cpython-311.so", "inglenook"])
    assert pattern == r"_ssl\\.cpython\\-311\\.so|libQt6Core\\.so"
