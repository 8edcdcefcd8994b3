"""Parts of set-up that are tested with a fake clock, disk, user or system."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.packaging.checkout import ROOT

Part = Callable[[str], ModuleType]


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_compile_progress_on_a_terminal_updates_one_line(part: Part) -> None:
    clock, written = Clock(), list[str]()
    progress = part("console").CompileProgress(on_terminal=True, clock_s=clock, write=written.append)

    progress.line("DEBUG Building: llama-cpp-python==0.3.36\n")
    progress.line("DEBUG [1/83] /usr/bin/g++ -c ggml.cpp\n")
    clock.now_s += 60
    progress.line("DEBUG [26/83] /usr/bin/g++ -c llama.cpp\n")
    progress.close()

    assert written == [
        "Compiling llama.cpp for this machine; this happens once.\n",
        "\r\x1b[KCompiling llama.cpp, 1 of 83",
        "\r\x1b[KCompiling llama.cpp, 26 of 83, about 130 s left",
        "\n",
    ]


def test_compile_progress_outside_a_terminal_prints_one_line_per_ten_percent(part: Part) -> None:
    written: list[str] = []
    progress = part("console").CompileProgress(on_terminal=False, clock_s=Clock(), write=written.append)

    for done in range(1, 84):
        progress.line(f"[{done}/83] /usr/bin/gcc\n")
    progress.close()

    assert len(written) == 1 + 11
    assert written[-1] == "Compiling llama.cpp, 83 of 83\n"


def test_no_compile_progress_is_shown_if_the_wheel_is_cached(part: Part) -> None:
    written: list[str] = []
    progress = part("console").CompileProgress(on_terminal=True, write=written.append)

    progress.line("DEBUG Registry requirement already cached: llama-cpp-python==0.3.36\n")
    progress.close()

    assert written == []
    assert not progress.has_begun


def test_set_up_is_refused_without_enough_disk_space(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(ROOT)._replace(free=500_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)

    with pytest.raises(part("errors").SetupError, match=r"has 0\.5 GB left and set-up needs \d GB"):
        part("checks").disk()


def test_disk_check_accepts_a_cache_folder_that_does_not_exist_yet(
    part: Part, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "not" / "yet"))
    monkeypatch.setattr(part("checks"), "NEEDED_GB", 0.0)

    part("checks").disk()


def test_missing_system_packages_without_root_are_reported_with_the_apt_command(
    part: Part, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packages = part("system_packages")
    rows = "engine libnone1 libnone.so.1  # why\nwindow libnone2 libnone.so.2\nfonts fonts-none /nowhere/none\n"
    (tmp_path / "packages.txt").write_text(rows)
    monkeypatch.setattr(packages, "DEBIAN_PACKAGES", tmp_path / "packages.txt")
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda name: {"apt-get": "/usr/bin/apt-get"}.get(name))

    with pytest.raises(part("errors").SetupError) as window:
        packages.ensure(window=True)
    with pytest.raises(part("errors").SetupError) as endpoint:
        packages.ensure(window=False)

    assert "`sudo apt-get install -y --no-install-recommends libnone1 libnone2 fonts-none`" in str(window.value)
    assert "recommends libnone1`" in str(endpoint.value)


def test_missing_libraries_without_apt_are_reported_by_name(
    part: Part, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packages = part("system_packages")
    (tmp_path / "packages.txt").write_text("engine libnone1 libnone.so.1\nengine libc6 libc.so.6\n")
    monkeypatch.setattr(packages, "DEBIAN_PACKAGES", tmp_path / "packages.txt")
    monkeypatch.setattr(shutil, "which", lambda name: None)

    with pytest.raises(part("errors").SetupError, match=r"missing: libnone\.so\.1; install"):
        packages.ensure(window=True)


def test_all_system_libraries_that_qt_needs_are_installed() -> None:
    if not sys.platform.startswith("linux") or shutil.which("ldd") is None:
        pytest.skip("reads what a Linux library links")
    qt = next((ROOT / ".venv").glob("lib/python*/site-packages/PySide6/Qt"))
    names = ["Core", "Gui", "Widgets", "DBus", "Svg", "XcbQpa", "WaylandClient"]
    libraries = [qt / "lib" / f"libQt6{name}.so.6" for name in names]
    plugins = [qt / "plugins" / "platforms" / f"libq{name}.so" for name in ("xcb", "wayland", "offscreen")]

    linked = subprocess.run(["ldd", *libraries, *plugins], capture_output=True, text=True, check=True).stdout

    assert sorted(set(re.findall(r"(\S+) => not found", linked))) == []


def test_python_lock_files_contain_no_registry_address() -> None:
    for path in (ROOT / "packaging" / "lock").iterdir():
        assert "://" not in path.read_text(), path


def test_endpoint_clients_are_installed_again_only_if_the_installation_failed(
    part: Part, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clients, installs, failures_left = part("endpoint_clients"), list[str](), [True]

    def run(argv: tuple[object, ...], task: str) -> None:
        installs.append(f"{argv[1]} {argv[3]}")
        if failures_left.pop() if failures_left else False:
            raise part("errors").ChildFailed("no network", 1, "")

    monkeypatch.setattr(clients, "FOLDER", tmp_path)
    monkeypatch.setattr(clients, "run", run)
    monkeypatch.setattr(clients, "install", lambda *args, task: installs.append("instructor"))
    monkeypatch.setattr(clients.shutil, "which", lambda name: "/usr/bin/npm")

    clients.ensure()
    assert "their tests are skipped" in capsys.readouterr().out
    for _ in range(2):
        clients.ensure()

    js = tmp_path / "js"
    assert installs == ["instructor", f"ci {js}", f"ci {js}"]
    assert (js / "package-lock.json").exists()
    assert capsys.readouterr().out == ""


def test_javascript_lock_file_contains_no_registry_address() -> None:
    folder = ROOT / "tests" / "clients" / "js"
    assert '"resolved"' not in (folder / "package-lock.json").read_text()
    assert "registry=" not in (folder / ".npmrc").read_text()


def test_native_build_digest_depends_on_the_processor(
    part: Part, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fingerprint, cpuinfo = part("build_fingerprint"), tmp_path / "cpuinfo"
    monkeypatch.setattr(fingerprint, "_CPUINFO", cpuinfo)
    digests = {fingerprint.native_build_digest()}
    for text in ("flags\t: sse avx2 amx_tile", "flags\t: sse avx2", "Features\t: asimd sve"):
        cpuinfo.write_text(f"processor\t: 0\n{text}\nbugs\t: many\n")
        digests.add(fingerprint.native_build_digest())
    cpuinfo.write_text("processor\t: 7\nflags\t: avx2 sse\n")
    digests.add(fingerprint.native_build_digest())
    assert len(digests) == 4
    assert fingerprint.build_digest() not in digests


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., str]:
    """Compiles C++ source that includes llama-x86.h, for an x86-64 processor with the given instruction set extensions.
    Returns the assembly code."""
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None or platform.machine() != "x86_64":
        pytest.skip("no g++ for an x86-64 processor here")

    def of(source: str, *extensions: str) -> str:
        path = tmp_path / "source.cpp"
        path.write_text(source)
        header = str(ROOT / "packaging/llama-x86.h")
        command = [compiler, "-O3", *extensions, "-include", header, "-S", "-o", "-", str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        if "unrecognized" in done.stderr or "unknown argument" in done.stderr:
            pytest.skip(f"the compiler does not support {' '.join(extensions)}")
        assert done.returncode == 0, done.stderr
        return done.stdout

    return of


def test_compiler_with_llama_x86_header_writes_all_bytes_of_the_amx_tile_configuration(
    compiled: Callable[..., str],
) -> None:
    source = (
        "#include <immintrin.h>\n"
        "void configure() { unsigned char tiles[64] = {}; tiles[0] = 1; tiles[63] = 90; _tile_loadconfig(tiles); }\n"
    )
    assembly = compiled(source, "-mamx-tile")
    assert "ldtilecfg" in assembly
    assert "$90" in assembly


def test_llama_x86_header_disables_half_precision_arithmetic(compiled: Callable[..., str]) -> None:
    compiled("#ifdef __AVX512FP16__\n#error it would be in half precision\n#endif\n", "-mavx512fp16")


def test_llama_server_is_built_again_only_if_its_locked_version_changes(
    part: Part, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server, installs = part("reference_server"), list[tuple[str, ...]]()

    def install(*args: object, **options: object) -> None:
        installs.append(tuple(map(str, args)))
        folder = Path(installs[-1][installs[-1].index("--target") + 1]) / "bin"
        folder.mkdir(parents=True)
        (folder / "llama-server").touch()

    monkeypatch.setattr(server, "FOLDER", tmp_path / "peer")
    monkeypatch.setattr(server, "PROGRAM", tmp_path / "peer" / "llama-server")
    monkeypatch.setattr(server, "install", install)

    server.ensure()
    server.ensure()

    [args] = installs
    assert {"--require-hashes", "--no-deps", "llama-cpp-python:build.targets=llama-server"} <= set(args)
    lock = Path(args[args.index("-r") + 1]).read_text(encoding="utf-8")
    assert lock == part("environment").split_lock((ROOT / "packaging/lock/runtime.txt").read_text("utf-8"))[0]
    assert sorted(path.name for path in (tmp_path / "peer").iterdir()) == ["llama-server", "llama.txt", "made-for"]

    monkeypatch.setattr(server, "_locked", lambda: "llama-cpp-python==9.9.9")
    server.ensure()
    assert len(installs) == 2
