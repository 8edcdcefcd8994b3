"""Takes screenshots of every page in both colour schemes and three sizes. A person looks at them in build/gallery."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from desktop.store.records import Chat, ChatMessage
from desktop.store.store import Store
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_main_window import type_and_send
from tests.fakes import Script

GALLERY = Path(os.environ.get("INGLENOOK_GALLERY") or Path(__file__).parents[3] / "build" / "gallery")
SIZES = ((600, 450), (1100, 750), (1600, 1000))
DAY = 86_400

ANSWER = '''Use the standard library’s `csv` module. It follows the quoting rules, so a comma inside quotes stays in its
field.

```python
import csv

def rows(path):
    """Yields each row as a dict; quotes may hold commas."""
    with open(path, newline="") as f:
        yield from csv.DictReader(f)
```

Open the file with `newline=""` so that line breaks inside a quoted field survive. If the file comes from a
spreadsheet, add `encoding="utf-8-sig"`.'''

RICH = """# What to know before you plant

The bed gets **six hours** of sun in March, *if* the hedge is cut. See [the almanac](https://example.org/almanac).

1. Turn the soil, then wait a week.
2. Sow the hardy ones first:
   - broad beans
   - spinach, under `fleece`
3. Keep notes.

| Crop | Sow | Rows |
|:-----|:---:|-----:|
| Beans | 3 March | 4 |
| Spinach | 10 March | 2 |

> A garden is never finished; it is only left for the night.

---

### And then

~~Water daily.~~ Water when the top of the soil is dry."""

SECOND = (
    "Catch `csv.Error` and say which line it was on: the reader counts them for you in `line_num`, so that the person"
)


async def fill(profile: Profile) -> None:
    """Writes chats and folders into the profile."""
    now = time.time()
    store = Store(profile.chats)
    await store.open()
    titles = [
        ("Reading group notes", 2, True),
        ("Rust borrow checker", 3, True),
        ("Sea shanties", 0.0, False),
        ("Parse a CSV with quotes", 0.001, False),
        ("Titles for the talk", 0.002, False),
        ("Garden plan for March", 2, False),
        ("Letter to the landlord", 3, False),
        ("Why is the sky dark at night?", 4, False),
        ("Kubernetes probes", 5, False),
    ]
    for number, (title, days, pinned) in enumerate(titles):
        chat = Chat(f"c{number}", title, now - days * DAY, now - days * DAY, pinned, leaf_id=f"c{number}-a")
        question = "How do I parse a CSV whose fields hold quotes and commas?" if "CSV" in title else title
        text = ANSWER if "CSV" in title else RICH
        ask = ChatMessage(f"c{number}-q", chat.id, None, "user", question, "complete", now)
        reply = ChatMessage(
            f"c{number}-a", chat.id, ask.id, "assistant", text, "complete", now + 1, "tiny", 40, 0, 184, 3.5, 0.1
        )
        await store.save(chat, [ask, reply])
    await store.aclose()


async def show(gui: Gui, name: str, scheme: str, sizes: tuple[tuple[int, int], ...] = SIZES) -> None:
    GALLERY.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 -- nothing else runs
    for width, height in sizes:
        gui.window.resize(width, height)
        await asyncio.sleep(0.05)  # wait until the layouts have settled; nothing is asserted about them
        gui.window.grab().save(str(GALLERY / f"{name}-{scheme}-{width}.png"))


async def open_chat(gui: Gui, chat_id: str) -> None:
    gui.chats.requests.open_requested.emit(chat_id)
    await until(lambda: any(row.chat_id == chat_id for row in gui.rows))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screenshots_of_chats_are_saved(run: Run, open_gui: OpenGui, profile: Profile, scheme: str) -> None:
    async def story() -> None:
        await fill(profile)
        script = Script(answer=SECOND.encode(), step_s=0.01)
        async with open_gui(script, theme=scheme) as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)
            await show(gui, "greeting", scheme)
            await open_chat(gui, "c5")
            await show(gui, "rich", scheme)
            await open_chat(gui, "c3")
            type_and_send(gui, "And when a row is broken?")
            await until(lambda: len(gui.rows[-1].text) > 30)
            await show(gui, "chat", scheme)
            gui.window.chat_page.composer.stop_requested.emit()
            await until(lambda: gui.rows[-1].state == "stopped")
            gui.chats.requests.delete_requested.emit(("c2",))
            await show(gui, "deleted", scheme, SIZES[:2])
            gui.window.resize(*SIZES[0])
            gui.window.open_sidebar()
            await show(gui, "folded", scheme, SIZES[:1])

    run(story())
    assert (GALLERY / f"chat-{scheme}-1100.png").stat().st_size > 10_000


def test_screenshots_of_errors_are_saved(run: Run, open_gui: OpenGui) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Half an answer", fail_after=9)) as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "Will this work?")
            await until(lambda: gui.rows[-1].state == "failed")
            await show(gui, "failed", "light", SIZES[:2])
        async with open_gui(model=False) as gui:
            await until(lambda: gui.window.chat_page.greeting._choose.isVisible())
            await show(gui, "no-model", "light", SIZES[:2])
        async with open_gui(Script(load_s=30.0)) as gui:
            type_and_send(gui, "Are you there already?")
            await until(lambda: "%" in gui.window.chat_page.header._pill.text())
            await show(gui, "loading", "light", SIZES[:2])

    run(story())
