"""Tests of closing the parts of the app: each step has a time limit, and a failed step does not prevent the others."""

from __future__ import annotations

import asyncio

from desktop.platform.closing import TimedExitStack


def test_closing_steps_run_in_reverse_order_despite_late_and_failing_ones() -> None:
    closed: list[str] = []

    async def close(name: str) -> None:
        closed.append(name)

    async def fail() -> None:
        closed.append("failing")
        raise OSError("no space")

    async def hang() -> None:
        closed.append("stuck")
        await asyncio.Event().wait()

    async def story() -> list[str]:
        async with TimedExitStack() as stack:
            stack.closes("first", lambda: close("first"), 5)
            stack.closes("failing", fail, 5)
            stack.closes("stuck", hang, 0.01)
            stack.closes("last", lambda: close("last"), 5)
        return stack.overdue

    assert asyncio.run(story()) == ["stuck"]
    assert closed == ["last", "stuck", "failing", "first"]
