"""Pictures of messages in each of their states, in build/gallery, for people to look at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.store.records import Attachment, Call, ChatMessage
from engine.library.profile import Profile
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_gallery import SECOND, SIZES, fill, open_chat, show
from tests.fakes import Script


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_messages_are_pictured(run: Run, open_house: OpenHouse, profile: Profile, scheme: str) -> None:
    async def story() -> None:
        await fill(profile)
        async with open_house(Script(answer=SECOND.encode(), step_s=0.001), theme=scheme) as house:
            await until(lambda: house.ready and house.chats.model().rowCount() > 9)
            await open_chat(house, "c3")
            await show(house, "actions", scheme)
            house.transcript.edit(house.rows[0].id)
            await show(house, "editing", scheme, SIZES[:2])
            house.transcript._editing.close()
            house.transcript.open_find()
            house.transcript.find_bar.edit.setText("quotes")
            await show(house, "finding", scheme, SIZES[:2])
            house.transcript.close_find()
            house.transcript.retry_asked.emit(house.rows[-1].id)
            await until(lambda: house.rows[-1].id != "c3-a" and house.rows[-1].state == "complete")
            await show(house, "versions", scheme, SIZES[1:2])
            house.transcript.alternatives_asked.emit(house.rows[-1].id)
            await until(lambda: len(kept_and_others(house)) == 3)
            await until(lambda: all(each.state == "complete" for each in kept_and_others(house)))
            await show(house, "beside", scheme)
            house.transcript.messages.show(learned(house.rows))
            await until(lambda: sum(len(each._drawn) for each in house.transcript._item(1).segments) == 6)
            await show(house, "learned", scheme)
            house.transcript.messages.show(thoughtful(house.rows))
            await show(house, "thoughts", scheme, SIZES[1:2])
            house.transcript._fold("thoughtful")
            await show(house, "thoughts-shown", scheme, SIZES[1:2])

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


def kept_and_others(house: House) -> tuple[ChatMessage, ...]:
    shown: tuple[ChatMessage, ...] = house.transcript.messages.alternatives(house.rows[-1].id)
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
