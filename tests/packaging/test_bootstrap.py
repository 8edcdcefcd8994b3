"""Set-up as `make` starts it: the steps that it runs, and its error messages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.checkout import MODEL, ROOT, Checkout

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the stand-ins are shell scripts")


RECOMPILES = "--reinstall-package llama-cpp-python"


@pytest.fixture
def ready(checkout: Checkout) -> Checkout:
    """A checkout in which set-up will succeed."""
    checkout.make_venv()
    checkout.make_uv()
    return checkout


def error_message(done: subprocess.CompletedProcess[str]) -> str:
    """The error message of a failed set-up. Asserts that the exit code is 1, and that the message is a single line on
    stderr."""
    assert done.returncode == 1, done
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].endswith(".")
    return lines[0]


def path_with_only(tmp_path: Path, *programs: str) -> str:
    """Creates a folder that contains only the given programs. Returns its path as a value for PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in programs:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return str(folder)


def test_serve_command_runs_set_up_and_starts_the_endpoint(ready: Checkout) -> None:
    done = ready.run("serve", "--port", "8000")

    assert done.returncode == 0, done
    assert done.stdout.splitlines()[-1] == "started inglenook-serve --port 8000"
    assert ready.model.read_bytes() == MODEL
    assert list(ready.model.parent.iterdir()) == [ready.model]
    assert not (ready.root / "build/model").exists()


def test_second_start_does_not_run_uv(ready: Checkout) -> None:
    ready.run("serve")
    calls = ready.uv_calls()

    done = ready.run("serve")

    assert done.stdout == "started inglenook-serve \n"
    assert ready.uv_calls() == calls


def test_set_up_for_development_includes_runtime_packages(ready: Checkout) -> None:
    python = ready.root / ".venv/bin/python"
    ready.run("check")
    calls = ready.uv_calls()
    ready.run("serve")

    assert ready.uv_calls() == calls
    assert any("dev.txt" in call for call in calls)
    assert python.exists()


@pytest.mark.parametrize(
    "changed", ["packaging/lock/runtime.txt", "packaging/llama-cpp.cmake", "packaging/llama-x86.h"]
)
def test_changed_lock_or_build_setting_runs_set_up_again(ready: Checkout, changed: str) -> None:
    ready.run("serve")
    calls = ready.uv_calls()
    with (ready.root / changed).open("a") as file:
        file.write("# changed\n")

    ready.run("serve")

    assert len(ready.uv_calls()) > len(calls)


def test_change_of_a_tool_section_in_pyproject_toml_does_not_run_set_up_again(ready: Checkout) -> None:
    ready.run("serve")
    calls = ready.uv_calls()
    with (ready.root / "pyproject.toml").open("a") as file:
        file.write("\n[tool.other]\nx = 1\n")

    ready.run("serve")

    assert ready.uv_calls() == calls


def test_missing_model_is_installed_again(ready: Checkout) -> None:
    ready.run("serve")
    ready.model.unlink()

    ready.run("serve")

    assert ready.model.read_bytes() == MODEL


def test_damaged_model_is_replaced(ready: Checkout) -> None:
    ready.model.parent.mkdir(parents=True)
    ready.model.write_bytes(b"x" * len(MODEL))

    ready.run("serve")

    assert ready.model.read_bytes() == MODEL


def test_model_with_wrong_hash_is_refused(ready: Checkout) -> None:
    ready.make_uv(model=b"something else")

    assert "not the one that is wanted" in error_message(ready.run("serve"))
    assert not ready.model.exists()


def test_missing_display_is_reported_before_anything_is_installed(checkout: Checkout) -> None:
    sentence = error_message(checkout.run("run"))

    assert "no display" in sentence
    assert "`make serve`" in sentence
    assert not (checkout.root / "build").exists()


def test_missing_compiler_is_reported_before_any_download(ready: Checkout, tmp_path: Path) -> None:
    sentence = error_message(ready.run("serve", PATH=path_with_only(tmp_path, "sh")))

    assert "no C++ compiler" in sentence
    assert "WHEEL=" in sentence
    assert not any(call.startswith("pip") for call in ready.uv_calls())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("error: failed to write to file: No space left on device (os error 28)", "disk is full"),
        ("  Caused by: error sending request for url\n  Caused by: dns error", "check the network connection"),
        ("error: Hash mismatch for `h11==0.16.0`", "not the one that is locked"),
        ("c++: fatal error: Killed signal terminated program cc1plus", "out of memory"),
        ("error: an unknown failure", "the reason is at the end of build/setup.log"),
    ],
)
@pytest.mark.parametrize("step", ["*wheels.txt*", "*--target*", "*build-constraints*--editable*"])
def test_failure_of_uv_is_reported_in_one_sentence(ready: Checkout, step: str, text: str, expected: str) -> None:
    ready.make_uv(fails=step, text=text)

    assert expected in error_message(ready.run("serve"))
    assert text.splitlines()[0] in (ready.root / "build/setup.log").read_text()


def test_uv_is_run_with_network_access_only_if_it_failed_offline(ready: Checkout) -> None:
    ready.make_uv(fails="*--offline*")

    done = ready.run("serve")

    assert done.returncode == 0, done
    installs = [call for call in ready.uv_calls() if call.startswith("pip install")]
    assert ["--offline" in call for call in installs] == [True, False] * (len(installs) // 2)


def test_failed_compile_of_llama_cpp_is_not_retried_online(ready: Checkout) -> None:
    ready.make_uv(fails="*config-settings*", text="DEBUG [1/83] /usr/bin/g++ x.cpp\nerror: Failed to build")

    assert "compiling llama.cpp" in error_message(ready.run("serve"))
    assert sum("config-settings" in call for call in ready.uv_calls()) == 1


def test_set_up_recreates_the_venv_if_the_previous_set_up_was_interrupted(ready: Checkout) -> None:
    ready.make_uv(fails="*config-settings*", sleep=True)
    child = ready.start("serve")
    with child:
        _, err = ready.interrupt(child, "sleeping")

    assert child.returncode == 130
    assert err.strip() == "Interrupted: `make serve` starts again where it can."

    # Set-up was interrupted while it changed .venv, so it creates .venv anew. The installation of uv by pip then fails
    # here for lack of a network.
    no_index = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    again = ready.run("serve", **no_index)
    assert "Recreating the environment in .venv" in again.stdout
    assert "check the network connection" in error_message(again)


def test_venv_with_a_broken_python_is_recreated(ready: Checkout) -> None:
    python = ready.root / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3")

    again = ready.run("serve", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0", PIP_CONFIG_FILE=os.devnull)

    assert "Recreating the environment in .venv" in again.stdout
    assert python.resolve().exists()


def test_ready_built_wheel_is_installed_before_the_locked_packages(ready: Checkout) -> None:
    lock = (ready.root / "packaging/lock/runtime.txt").read_text()
    version = lock.split("llama-cpp-python==")[1].split()[0]
    wheel = ready.root / f"llama_cpp_python-{version}+cu124-py3-none-any.whl"
    wheel.touch()

    done = ready.run("serve", WHEEL=wheel.name)

    assert done.returncode == 0, done
    installs = [call for call in ready.uv_calls() if wheel.name in call or "config-settings" in call]
    assert [wheel.name in call for call in installs] == [True, False]


def test_ready_built_wheel_is_kept_when_build_settings_change(ready: Checkout) -> None:
    version = ready.install_llama()
    wheel = ready.root / f"llama_cpp_python-{version}+cu124-py3-none-any.whl"
    wheel.touch()
    ready.run("serve", WHEEL=wheel.name)
    with (ready.root / "packaging/llama-cpp.cmake").open("a") as file:
        file.write("# changed\n")

    ready.run("serve")

    assert not any(RECOMPILES in call for call in ready.uv_calls())


@pytest.mark.parametrize("built", ["another processor", "other settings", "an older Inglenook"])
def test_llama_cpp_built_with_other_settings_is_compiled_again(ready: Checkout, built: str) -> None:
    ready.install_llama()
    ready.run("serve")
    assert any(RECOMPILES in call for call in ready.uv_calls()), "set-up has no record of its build settings"
    calls = ready.uv_calls()
    if built == "other settings":
        with (ready.root / "packaging/llama-x86.h").open("a") as file:
            file.write("/* changed */\n")
    else:
        ready.change_state(compiled="old digest" if built == "another processor" else None, done={})

    ready.run("serve")

    new = ready.uv_calls()[len(calls) :]
    assert any(RECOMPILES in call for call in new)
    ready.change_state(done={})
    ready.run("serve")
    assert not any(RECOMPILES in call for call in ready.uv_calls()[len(calls) + len(new) :])


@pytest.mark.parametrize(
    ("name", "expected"),
    [("llama_cpp_python-0.0.1-py3-none-any.whl", "is locked to"), ("missing.whl", "There is no file")],
)
def test_ready_built_wheel_is_refused_if_it_is_missing_or_has_the_wrong_version(
    ready: Checkout, name: str, expected: str
) -> None:
    if name != "missing.whl":
        (ready.root / name).touch()

    assert expected in error_message(ready.run("serve", WHEEL=name))
    assert not any(call.startswith("pip") for call in ready.uv_calls())


def test_missing_system_libraries_are_installed_with_apt(ready: Checkout, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("asks apt-get as root")
    (ready.root / "packaging/linux/debian-packages.txt").write_text("engine libnone1 libnone.so.1  # why\n")
    apt = tmp_path / "apt-get"
    apt.write_text('#!/bin/sh\necho "$@" >> apt.log\n')
    apt.chmod(0o755)

    sentence = error_message(ready.run("serve", PATH=f"{tmp_path}:{os.environ['PATH']}"))

    assert (ready.root / "apt.log").read_text().splitlines()[1:] == [
        "install -y --no-install-recommends libnone1",
    ]
    assert "installed but do not work: libnone1" in sentence


def test_file_in_place_of_the_build_folder_is_reported_in_one_sentence(ready: Checkout) -> None:
    (ready.root / "build").write_text("a file where a folder belongs")

    assert str(ready.root / "build") in error_message(ready.run("serve"))


def test_unsupported_python_is_refused(checkout: Checkout) -> None:
    code = "import sys, runpy; sys.version_info = (3, 10, 4); runpy.run_module('bootstrap', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout.root, env=checkout.env(), capture_output=True, text=True
    )

    sentence = error_message(done)
    assert "3.10.4" in sentence
    assert "PYTHON=python3.1" in sentence


def test_makefile_passes_args_to_the_program(ready: Checkout) -> None:
    shutil.copy(ROOT / "Makefile", ready.root)
    command = ["make", "serve", f"PYTHON={sys.executable}", "ARGS=--profile 'a b'"]

    done = subprocess.run(command, cwd=ready.root, env=ready.env(), capture_output=True, text=True)

    assert done.stdout.splitlines()[-1] == "started inglenook-serve --profile a b"
