"""Tests of local models that are loaded beside the model of the window."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from desktop.compare.local_models import LocalModel, LocalModels
from desktop.models.model_controller import ModelController
from engine.backend import LoadSettings
from engine.engine import Engine
from engine.errors import NotEnoughMemory
from engine.pool import ModelPool
from tests.desktop.conftest import Run, until
from tests.fakes import FakeBackend, FakeOpener, Script


@asynccontextmanager
async def local_models(
    tmp_path: Path, *, free_bytes: Callable[[], int] = lambda: 1 << 40, opener: FakeOpener | None = None
) -> AsyncIterator[tuple[LocalModels, ModelController]]:
    opener = opener or FakeOpener(Script(b"Hello."))

    def make_pool(make_engine: Callable[[], Engine]) -> ModelPool:
        return ModelPool(make_engine, lambda path, settings: 100, free_bytes)

    models = ModelController(lambda: Engine(opener))
    local = LocalModels(models, lambda: Engine(opener), lambda path: LoadSettings(), make_pool)
    models.make_room = local.make_room
    await models.load(tmp_path / "window.gguf")
    try:
        yield local, models
    finally:
        await local.aclose()
        await models.aclose()


def loaded(local: LocalModels) -> list[str]:
    return [each.path.name for each in local._pool.models if not each.is_adopted] if local._pool is not None else []


def test_models_are_loaded_beside_that_of_the_window(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        async with local_models(tmp_path) as (local, models):
            a, b = (LocalModel(local, tmp_path / f"{name}.gguf") for name in "ab")
            assert a.model_id == "a"
            assert a.waiting().stage == "memory"
            async with a.open() as one, b.open() as two:
                engines = [one, two, await models.ready()]
                assert len({id(each) for each in engines}) == 3
                assert all(each.status.state == "ready" for each in engines)
                assert a.waiting().stage == "loading", "it has begun to load"
            async with LocalModel(local, tmp_path / "a.gguf").open() as again:
                assert again is one, "it was loaded again"

    run(story())


def test_model_of_the_window_is_not_loaded_twice(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        async with local_models(tmp_path) as (local, models):
            async with LocalModel(local, tmp_path / "window.gguf").open() as engine:
                assert engine is await models.ready()
            assert not loaded(local)

    run(story())


def test_loading_another_model_in_the_window_frees_unused_models(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        async with local_models(tmp_path) as (local, models):
            async with LocalModel(local, tmp_path / "a.gguf").open():
                pass
            assert loaded(local) == ["a.gguf"]
            await until(lambda: not any(each.n_users for each in (local._pool.models if local._pool else ())))
            await models.load(tmp_path / "large.gguf")
            assert not loaded(local)

    run(story())


def test_model_without_room_waits_until_the_other_one_has_answered(run: Run, tmp_path: Path) -> None:
    """The opener refuses a second model beside that of the window."""

    refused: list[Path] = []

    class Tight(FakeOpener):
        def __call__(self, path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> FakeBackend:
            if sum(not each.is_model_freed() for each in self.backends) >= 2:
                refused.append(path)
                raise NotEnoughMemory(100, 10)
            return super().__call__(path, settings, on_progress)

    async def story() -> None:
        async with local_models(tmp_path, opener=Tight(Script(b"Hello."))) as (local, _):
            a, b = (LocalModel(local, tmp_path / f"{name}.gguf") for name in "ab")
            opened = asyncio.Event()

            async def use_second() -> None:
                async with b.open() as engine:
                    assert engine.status.state == "ready"
                    opened.set()

            async with a.open():
                second = asyncio.create_task(use_second())
                await until(lambda: refused and b.waiting().stage == "memory")
                assert not opened.is_set()
            await asyncio.wait_for(second, 10)
            assert loaded(local) == ["b.gguf"], "the first one was not unloaded"

    run(story())
