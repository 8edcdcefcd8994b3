"""Fixtures for all tests, and a check that no test leaves threads behind."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from engine.files.profile import Profile
from engine.library.default_model import find_default_model
from engine.requests import ChatRequest, Message, Sampling
from engine.scheduler import thread_tuner


def pytest_unconfigure() -> None:
    """WORKAROUND: closes two files that llama_cpp opens on import and never closes. At exit they would cause a
    ResourceWarning, which is an error in tests.
    """
    if (module := sys.modules.get("llama_cpp._utils")) is not None:
        for name in ("outnull_file", "errnull_file"):
            getattr(module, name).close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Moves the longest test to the front. If it came last, one test process would run it while the others are done."""
    items.sort(key=lambda item: item.path.name != "test_short_soak.py")


@pytest.fixture(scope="session", autouse=True)
def _one_thread_for_models() -> Iterator[None]:
    """Lets models use one thread if several test processes share the cores. llama.cpp's threads spin while they wait
    for each other, so two threads beside another busy process take several times as long as one. Child processes of
    tests, and models that are loaded with `n_threads`, are not affected."""
    with pytest.MonkeyPatch.context() as patch:
        if "PYTEST_XDIST_WORKER" in os.environ:
            patch.setattr(thread_tuner, "candidate_thread_counts", lambda n_cores: (1,))
        yield


@pytest.fixture(scope="session")
def model_path() -> Path:
    """The default model, which `make test` installs."""
    path = find_default_model(Profile.default())
    assert path is not None, "the default model is missing: `make test` sets it up"
    return path


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """Fails a test that leaves threads of the app running."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5
    while left := [each for each in set(threading.enumerate()) - before if _is_app_thread(each)]:
        if time.monotonic() > deadline:
            pytest.fail(f"threads left behind: {sorted(each.name for each in left)}")
        left[0].join(0.05)


@pytest.fixture(autouse=True)
def _collect_garbage() -> Iterator[None]:
    """Desktop tests disable automatic garbage collection, so it runs here after each test."""
    yield
    if not gc.isenabled():
        gc.collect(1)


def _is_app_thread(thread: threading.Thread) -> bool:
    return thread.is_alive() and thread.name.startswith("inglenook")


def chat(
    text: str = "Tell me about the sea.",
    origin: str = "window",
    *,
    max_tokens: int | None = None,
    stop: tuple[str, ...] = (),
    sampling: Sampling = Sampling(temperature=0.0),
) -> ChatRequest:
    assert origin in ("window", "endpoint")
    return ChatRequest(
        (Message("user", text),),
        "window" if origin == "window" else "endpoint",
        sampling=sampling,
        max_tokens=max_tokens,
        stop=stop,
    )
