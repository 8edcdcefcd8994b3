"""Tests of messages that are sent while a model is being loaded, of reloading a model that stopped working, and of a
draft model that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.backend import CardFailure
from engine.errors import DraftModelError, ModelFileError
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.fakes import Script


def test_message_sent_during_model_load_is_answered_after_it(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Here.", load_s=0.6)) as gui:
            assert not gui.ready
            type_and_send(gui, "Are you there?")
            assert gui.rows[-1].state == "streaming"
            await answered(gui)
            assert gui.rows[-1].text == "Here."

    run(story())


def test_answer_waiting_for_model_can_be_stopped_and_retried(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Here.", load_s=0.6)) as gui:
            type_and_send(gui, "Are you there?")
            gui.window.chat_page.composer._send.click()
            await answered(gui)
            assert (gui.rows[-1].state, gui.rows[-1].text) == ("stopped", "")
            assert not gui.ready
            gui.transcript.retry_requested.emit(gui.rows[-1].id)
            await until(lambda: gui.rows[-1].text == "Here.")
            assert len(gui.rows) == 2

    run(story())


def test_button_of_toast_reloads_a_model_that_stopped_working(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        script = Script(answer=b"Half an answer", fail_after=9)
        async with open_gui(script) as gui:
            type_and_send(gui, "Will this work?")
            await answered(gui)
            assert gui.rows[-1].state == "failed"
            assert "Load it again" in gui.rows[-1].note
            await until(lambda: gui.window.toast.isVisible())
            script.fail_after = None
            gui.window.toast._action.click()
            await until(lambda: gui.ready)
            gui.transcript.retry_requested.emit(gui.rows[-1].id)
            await until(lambda: gui.rows[-1].text == "Half an answer")

    run(story())


@pytest.mark.parametrize("on_processor", [False, True])
def test_toast_about_a_lost_card_offers_to_load_again_and_on_the_processor(
    run: Run, open_gui: OpenGui, on_processor: bool
) -> None:
    async def story() -> None:
        script = Script(answer=b"Half an answer", fail_after=9, failure=CardFailure)
        async with open_gui(script) as gui:
            type_and_send(gui, "Will this work?")
            await answered(gui)
            toast = gui.window.toast
            await until(lambda: "The graphics card stopped responding" in toast.text)
            script.fail_after = None
            assert toast._action.text() == "Load it again"
            assert toast._other_action.text() == "Load on the processor"
            (toast._other_action if on_processor else toast._action).click()
            await until(lambda: gui.ready)
            assert gui.opener.settings[-1].devices == (() if on_processor else None)
            assert toast.isHidden()

    run(story())


def test_toast_says_why_the_draft_model_is_not_used(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        missing = Path("small.gguf")
        script = Script(draft_error=DraftModelError(missing, ModelFileError(missing, "it is not there")))
        async with open_gui(script) as gui:
            await until(lambda: gui.ready)
            assert "small" in gui.window.toast.text
            type_and_send(gui, "Are you there?")
            await answered(gui)
            assert gui.rows[-1].state != "failed"

    run(story())
