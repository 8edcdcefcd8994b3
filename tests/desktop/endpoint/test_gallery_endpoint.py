"""Takes screenshots of the endpoint page in each of its states."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.endpoint.activity import KeyUsage, ToolRequest
from desktop.endpoint.errors import PortTaken
from desktop.endpoint.memory_shares import MemoryHolder, MemoryShares
from desktop.endpoint.request_list import RequestList
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_gallery import SIZES, fill, open_chat, show

CHAT, RESPONSES, COMPLETIONS = "/v1/chat/completions", "/v1/responses", "/v1/completions"
REQUESTS = [
    ToolRequest("1", "127.0.0.1", "continue", "openai", CHAT, "writing", 7.2, 0, 2118, 312, 2118, 180, 41.3, "{}"),
    ToolRequest("2", "127.0.0.1", "notes.py", "openai", CHAT, "reading", 3.1, 0, 1800, 0, 1108),
    ToolRequest("3", "127.0.0.1", "aider", "openai", RESPONSES, "queued", 1.4, 1),
    ToolRequest("4", "127.0.0.1", "continue", "openai", COMPLETIONS, "finished", 2.0, 0, 1204, 1004, 1204, 55, 55.1),
    ToolRequest("5", "127.0.0.1", "aider", "anthropic", "/v1/messages", "cancelled", 71.0, 0, 900, 0, 900, 12, 38.2),
]
KEYS = (
    KeyUsage("inglenook", True, 3, 912),
    KeyUsage("continue", False, 1204, 2_100_000),
    KeyUsage("aider", False, 88, 310_400),
)
HOLDERS = (
    MemoryHolder("Parse a CSV with quotes", False, 41 << 20),
    MemoryHolder("aider", True, 22 << 20),
    MemoryHolder("Garden plan for March", False, 17 << 20),
    MemoryHolder("inglenook", True, 9 << 20),
)
SHARES = MemoryShares(92 << 20, 58 << 20, 31 << 20, 101 << 20, 110 << 20, 22 << 30, 1_200_000_000, HOLDERS)


def show_activity(gui: Gui) -> None:
    page = gui.endpoint_page
    model = page.requests.view.model()
    assert isinstance(model, RequestList)
    model.show(REQUESTS)
    page.keys.show_keys(KEYS)
    page.memory.show_shares(SHARES)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screenshots_of_endpoint_page_are_saved(run: Run, open_gui: OpenGui, profile: Profile, scheme: str) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(theme=scheme) as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)
            page = gui.endpoint_page
            await until(lambda: page._state.key)
            gui.window.show_page("endpoint")
            await until(lambda: page.memory.isVisible())
            await show(gui, "endpoint-off", scheme)
            page.show_state(replace(page._state, stage="on"))
            gui.window.sidebar.show_endpoint(True)
            show_activity(gui)
            await show(gui, "endpoint-on", scheme)
            gui.window.resize(*SIZES[0])
            page.ensureWidgetVisible(page.requests, 0, 0)
            await show(gui, "endpoint-narrow", scheme, SIZES[:1])
            page._address_card.how.click()
            page.snippets.tabs.setCurrentIndex(1)
            await show(gui, "endpoint-connect", scheme)
            page._address_card.how.click()
            page.keys.show_new_key("notes.py", "ink-5k2Jq0mW8rTb1xYcV7nD4eGhL9uPzAaS6dFfQwEiRtU")
            await show(gui, "endpoint-key", scheme, SIZES[:2])
            page.show_state(replace(page._state, stage="failed", error=PortTaken(4645)))
            await show(gui, "endpoint-failed", scheme, SIZES[:2])
            gui.window.show_page("chat")
            await open_chat(gui, "c3")
            gui.window.chat_page.header.show_tools(2)
            await show(gui, "endpoint-pill", scheme)

    run(story())
