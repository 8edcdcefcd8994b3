"""Saves screenshots of messages in all states to build/gallery, for visual review."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.store.records import Attachment, Call, ChatMessage
from engine.files.profile import Profile
from tests.desktop.conftest import Gui, OpenGui, Run, until
from tests.desktop.shell.test_gallery import SECOND, SIZES, fill, open_chat, show
from tests.fakes import Script


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screenshots_of_message_states_are_saved(run: Run, open_gui: OpenGui, profile: Profile, scheme: str) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_gui(Script(answer=SECOND.encode(), step_s=0.001), theme=scheme) as gui:
            await until(lambda: gui.ready and gui.chats.model().rowCount() > 9)
            await open_chat(gui, "c3")
            await show(gui, "actions", scheme)
            gui.transcript.edit(gui.rows[0].id)
            await show(gui, "editing", scheme, SIZES[:2])
            gui.transcript.editing.close()
            gui.transcript.open_find()
            gui.transcript.finder.bar.edit.setText("quotes")
            await show(gui, "finding", scheme, SIZES[:2])
            gui.transcript.finder.close()
            gui.transcript.retry_requested.emit(gui.rows[-1].id)
            await until(lambda: gui.rows[-1].id != "c3-a" and gui.rows[-1].state == "complete")
            await show(gui, "versions", scheme, SIZES[1:2])
            gui.transcript.alternatives_requested.emit(gui.rows[-1].id)
            await until(lambda: len(kept_and_others(gui)) == 3)
            await until(lambda: all(each.state == "complete" for each in kept_and_others(gui)))
            await show(gui, "beside", scheme)
            gui.transcript.messages.show(learned(gui.rows))
            await until(lambda: sum(len(each._drawn_images) for each in gui.transcript.column.item(1).segments) == 6)
            await show(gui, "learned", scheme)
            gui.transcript.messages.show(thoughtful(gui.rows))
            await show(gui, "thoughts", scheme, SIZES[1:2])
            gui.transcript._toggle_reasoning("thoughtful")
            await show(gui, "thoughts-shown", scheme, SIZES[1:2])

    run(story())


LEARNED = r"""The sum of the first $n$ numbers is $\frac{n(n+1)}{2}$, as a boy of nine found out.[^1] It follows from

$$\sum_{k=1}^{n} k = \frac{1}{2}\left(\sum_{k=1}^{n} k + \sum_{k=1}^{n} (n+1-k)\right)$$

- [x] for $n = 1$
- [ ] for all \(n \in \mathbb{N}\)

```python
print(all(sum(range(1, n + 1)) == n * (n + 1) // 2 for n in range(1_000)), "below a thousand, which proves little")
```

[^1]: Or so it is told; he had $n = 100$."""


def learned(rows: list[ChatMessage]) -> list[ChatMessage]:
    return [rows[0], replace(rows[-1], id="learned", text=LEARNED, state="complete")]


def kept_and_others(gui: Gui) -> tuple[ChatMessage, ...]:
    shown: tuple[ChatMessage, ...] = gui.transcript.messages.alternatives(gui.rows[-1].id)
    return shown


def thoughtful(rows: list[ChatMessage]) -> list[ChatMessage]:
    files = (Attachment("notes.pdf", "pdf", "", 1240), Attachment("main.py", "code", "", 80))
    answer = replace(
        rows[-1],
        id="thoughtful",
        reasoning="First I look at the file.\n\nThen I see that quotes matter.",
        reasoning_s=3.2,
        calls=(Call("get_weather", '{"city": "Oslo"}'),),
        text="It rains.",
        state="cut",
    )
    return [replace(rows[0], attachments=files), answer]
