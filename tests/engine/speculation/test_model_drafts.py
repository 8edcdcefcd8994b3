"""Drafts of a second model, with a fake: when it is asked, and that answers stay the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from engine.adapter import Adapter
from engine.backend import Backend, Limits, LoadSettings
from engine.engine import Engine
from engine.errors import DraftModelError, ModelFileError
from engine.events import Usage
from engine.library.load_trial import LoadTrial
from engine.speculation.model_drafter import ModelDrafter
from engine.speculation.step_cost import StepCost
from tests.conftest import chat
from tests.fakes import FakeBackend, FakeDraftModel, FakeOpener, Script

STORY = b"Seven gulls went out to look for one warm chimney, but each of them found a different town. The end."


class DraftingOpener(FakeOpener):
    """Opens fake backends with a fake draft model."""

    def __init__(self, next_tokens: Callable[[list[int], int], list[int]], limits: Limits) -> None:
        super().__init__(Script(answer=STORY), limits)
        self.model = FakeDraftModel(next_tokens)

    def __call__(self, path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> FakeBackend:
        backend = super().__call__(path, settings, on_progress)
        backend.draft_model = self.model
        return backend


def right(tokens: list[int], n: int) -> list[int]:
    """Drafts what the fake's script will answer. The prompt ends with a line break."""
    n_output = len(tokens) - 1 - max(at for at, token in enumerate(tokens) if token == ord("\n"))
    return [*STORY, 256, *b"   " * n][n_output : n_output + n]


def wrong(tokens: list[int], n: int) -> list[int]:
    return [ord("~")] * n


def run(
    opener: DraftingOpener,
    n_draft_max: int | None = None,
    n_requests: int = 1,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[list[str], Usage, int]:
    """Returns the answers, the usage of the first one, and the number of decodes."""

    async def answers() -> tuple[list[str], Usage, int]:
        engine = Engine(opener)
        engine._worker._clock = clock
        await engine.load(Path("fake.gguf"))
        try:
            request = replace(chat(), n_draft_max=n_draft_max)
            streams = [engine.submit(replace(request, id=str(n))) for n in range(n_requests)]
            ended = await asyncio.gather(*(each.collect() for each in streams))
            return [text for text, _ in ended], ended[0][1].usage, opener.backends[0].n_decodes
        finally:
            await engine.aclose()

    return asyncio.run(answers())


LIMITS = Limits(4096, 8, 256)


def test_accepted_drafts_of_a_model_save_decodes_and_keep_the_answer() -> None:
    opener = DraftingOpener(right, LIMITS)
    texts, usage, n_decodes = run(opener)
    assert texts == [STORY.decode()]
    assert usage.n_accepted > 60
    assert n_decodes < len(STORY) - 50
    assert not opener.model.held, "the draft model still holds tokens of an ended request"
    together, _, _ = run(opener, n_requests=3)
    assert together == [STORY.decode()] * 3


def test_model_whose_drafts_are_rejected_is_hardly_asked() -> None:
    opener = DraftingOpener(wrong, LIMITS)
    texts, usage, n_decodes = run(opener)
    assert texts == [STORY.decode()]
    assert usage.n_accepted <= 3, "a few tokens repeat earlier ones"
    assert opener.model.n_calls <= 3
    assert n_decodes >= len(STORY)


def test_model_is_not_asked_if_drafts_are_off_or_cannot_be_verified() -> None:
    for limits, n_draft_max in (
        (LIMITS, 0),
        (replace(LIMITS, supports_truncation=False), None),
        (replace(LIMITS, uses_drafts=False), None),
    ):
        opener = DraftingOpener(right, limits)
        texts, usage, _ = run(opener, n_draft_max)
        assert (texts, usage.n_drafted, opener.model.n_calls) == ([STORY.decode()], 0, 0)


class RecordingTrial(LoadTrial):
    """Records the files instead of loading them in a child process."""

    def __init__(self) -> None:
        super().__init__(None)
        self.checked: list[Path] = []

    def check(self, path: Path, cancelled: Callable[[], bool] = bool, adapters: Sequence[Adapter] = ()) -> None:
        self.checked.append(path)


def test_file_of_the_draft_model_is_loaded_on_trial_too() -> None:
    async def load() -> None:
        trial = RecordingTrial()
        engine = Engine(DraftingOpener(right, LIMITS), load_trial=trial)
        await engine.load(Path("fake.gguf"), LoadSettings(draft_model=Path("small.gguf")))
        await engine.aclose()
        assert trial.checked == [Path("fake.gguf"), Path("small.gguf")]

    asyncio.run(load())


class RefusingTrial(RecordingTrial):
    """Accepts only the chat model."""

    def check(self, path: Path, cancelled: Callable[[], bool] = bool, adapters: Sequence[Adapter] = ()) -> None:
        super().check(path, cancelled, adapters)
        if path.name == "small.gguf":
            raise ModelFileError(path, "it is not there")


def test_model_is_loaded_without_a_draft_model_that_cannot_be_loaded() -> None:
    async def load() -> None:
        opened: list[LoadSettings] = []

        def open_model(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> Backend:
            opened.append(settings)
            return FakeOpener()(path, settings, on_progress)

        engine = Engine(open_model, load_trial=RefusingTrial())
        info = await engine.load(Path("fake.gguf"), LoadSettings(draft_model=Path("small.gguf")))
        assert isinstance(info.draft_error, DraftModelError)
        assert str(info.draft_error) == "the draft model small.gguf is not used: small.gguf: it is not there"
        assert engine.status.state == "ready"
        assert engine.status.model == info
        assert opened == [LoadSettings()]
        info = await engine.load(Path("fake.gguf"))
        assert info.draft_error is None
        await engine.aclose()

    asyncio.run(load())


def test_model_that_is_as_slow_as_the_main_one_does_not_draft() -> None:
    assert ModelDrafter("model", 63, token_cost=1.0).choose(100) == 0
    assert ModelDrafter("model", 63, token_cost=0.1).choose(100) > 0


def test_measured_time_of_the_draft_model_replaces_the_assumed_one() -> None:
    drafter = ModelDrafter("model", 63, token_cost=0.1)
    assert drafter.choose(100, token_cost=1.0) == 0
    assert drafter.choose(100, token_cost=0.1) > 0
    costs = StepCost()
    assert costs.of_model_token(1) is None
    costs.record(1, 0.010)
    costs.record_model(4, 0.020)
    assert costs.of_model_token(1) == 0.5


class SlowDrafts:
    """A clock that passes one second while the draft model drafts, and a millisecond otherwise."""

    def __init__(self, model: FakeDraftModel) -> None:
        self._model = model
        self._n_calls, self._now = 0, 0.0

    def __call__(self) -> float:
        self._now += 0.001 + (self._model.n_calls - self._n_calls)
        self._n_calls = self._model.n_calls
        return self._now


def test_draft_model_that_is_slower_than_assumed_is_hardly_asked() -> None:
    opener = DraftingOpener(right, LIMITS)
    together, _, _ = run(opener, n_requests=2, clock=SlowDrafts(opener.model))
    assert together == [STORY.decode()] * 2
    assert opener.model.n_calls <= 2
