"""Runs the soak test: `python -m tests.soak [MINUTES] [SEED]`. Prints figures on stalls, leaks and lost text. The exit
code is 1 if a figure misses its bound.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from desktop.app import create_loop
from desktop.store.store import Store
from engine.files.profile import Profile
from engine.library.default_model import find_default_model
from tests.bench import report
from tests.bench.__main__ import FIGURES
from tests.bench.engine_run import percentile
from tests.bench.figure import Figure, Result
from tests.model_files.tiny_models import TINY_MODELS
from tests.soak.disturbances import Disturbances
from tests.soak.fuzzers import FUZZERS, run_all
from tests.soak.soaked_app import StallLog, running_app
from tests.soak.user_actions import UserActions

ROOT = Path(__file__).resolve().parents[2]
MINUTES = 10.0
WARM_SHARE = 0.25
"""Memory is measured for the first time after this share of the duration."""
FUZZ_SHARE = 0.2
"""The running time of the fuzzers, as a share of the duration. They run after the app has been measured, so that they
do not disturb the measurement."""
MB = 1024 * 1024
EXPECTED_OUTCOMES = ("200", "400", "busy")


def main(minutes: float, seed: int) -> int:
    application = QApplication(sys.argv[:1])
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=lambda: create_loop(application)) as runner,
    ):
        results = runner.run(_soak(application, Path(folder), 60 * minutes, seed))
    for result in results:
        print(result.row())
    names = [*FIGURES, *(result.name for result in results)]
    report.write({**report.known(), **{result.name: result.record() for result in results}}, names)
    return 0 if all(result.ok for result in results if isinstance(result, Figure)) else 1


async def _soak(application: QApplication, folder: Path, seconds: float, seed: int) -> list[Result]:
    rng, port = random.Random(seed), 20_000 + os.getpid() % 20_000
    default = find_default_model(Profile.default())
    assert default is not None, "the default model is missing: `make soak` sets it up"
    tiny = TINY_MODELS["plain"].write(folder / "tiny.gguf")
    async with running_app(application, folder / "profile", port) as app:
        disturbances, user = Disturbances(app, (default, tiny), rng), UserActions(app, rng)
        clients = _start_clients(port, (folder / "profile" / "endpoint.key").read_text().strip(), seed)
        stall_log = StallLog()
        living = [asyncio.create_task(each.run()) for each in (user, disturbances)]
        await asyncio.sleep(seconds * WARM_SHARE)
        quiet_s = min(2.0, seconds / 60)
        first = await _resident(application, disturbances, default, quiet_s)
        done, _ = await asyncio.wait(living, timeout=seconds * (1 - WARM_SHARE), return_when=asyncio.FIRST_EXCEPTION)
        for task in living:
            task.cancel()
        await asyncio.gather(*living, return_exceptions=True)
        for task in done:
            task.result()  # raises the error, if an error ended the task early
        late = stall_log.late_s
        answers, _ = await asyncio.to_thread(clients.communicate, "end\n", 150)
        last = await _resident(application, disturbances, default, quiet_s)
        final_texts = dict(app.final_texts)
    lost = await _lost(folder / "profile", final_texts)
    results = _results(
        late, last - first, first, lost, final_texts, json.loads(answers), {**user.done, **disturbances.done}
    )
    return [*results, _fuzzed(await asyncio.to_thread(run_all, seconds * FUZZ_SHARE, seed), seconds * FUZZ_SHARE)]


def _start_clients(port: int, key: str, seed: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.soak.endpoint_clients", str(port), key, str(seed)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def _resident(application: QApplication, disturbances: Disturbances, model: Path, quiet_s: float) -> int:
    """Returns the resident memory `quiet_s` after loading this model, and after collecting garbage. It is the minimum
    over twice that time, since the engine may be writing a KV snapshot of 30 MB."""
    async with disturbances.model_lock:
        await disturbances.load(model)
        await asyncio.sleep(quiet_s)
        application.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        seen: list[int] = []
        for _ in range(40):
            await asyncio.sleep(quiet_s / 20)
            seen.append(psutil.Process().memory_info().rss)
        return min(seen)


async def _lost(profile: Path, final_texts: dict[str, str]) -> list[str]:
    """The ids of messages whose text in the database differs from the text that the window showed."""
    store = Store(Profile(profile).chats)
    await store.open()
    kept = {each.id: each.text for chat in await store.chats() for each in await store.messages(chat.id)}
    await store.aclose()
    return [message_id for message_id, text in final_texts.items() if kept.get(message_id) != text]


def _results(
    late: Sequence[float],
    grown: int,
    first: int,
    lost: list[str],
    final_texts: dict[str, str],
    answers: dict[str, int],
    done: dict[str, int],
) -> list[Result]:
    unexpected = {outcome: n for outcome, n in answers.items() if outcome.split(": ")[1] not in EXPECTED_OUTCOMES}
    requests = f"{sum(answers.values())} requests: {_listed(answers)}"
    return [
        Figure("soak.stall_p99", 1000 * percentile(late, 0.99), 33.0, "ms", f"{len(late)} ticks; {_listed(done)}"),
        Figure("soak.stall_longest", 1000 * max(late), 250.0, "ms", "the same"),
        Figure("soak.leak", grown / MB, 30.0, "MB", f"{first / MB:.0f} MB when warm"),
        Figure("soak.lost", float(len(lost)), 0.0, "", f"{len(final_texts)} answers that were shown as done"),
        Figure(
            "soak.odd_answers",
            float(sum(unexpected.values())),
            0.0,
            "",
            f"{requests}{f'; unexpected: {unexpected}' if unexpected else ''}",
        ),
    ]


def _fuzzed(found: Sequence[str], seconds: float) -> Result:
    listed = "; ".join(found)[:2000]
    note = f"{len(FUZZERS)} fuzzers, {seconds:.0f} s{f': {listed}' if listed else ''}"
    return Figure("soak.fuzz", float(len(found)), 0.0, "", note)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))


if __name__ == "__main__":
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    sys.exit(main(minutes, int(sys.argv[2]) if len(sys.argv) > 2 else 4645))
