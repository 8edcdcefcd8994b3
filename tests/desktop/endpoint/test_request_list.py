"""Tests of the Qt list model of requests."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester

from desktop.endpoint import strings
from desktop.endpoint.activity import ToolRequest
from desktop.endpoint.request_list import MAX_ROWS, RequestList

CALL = ToolRequest("1", "127.0.0.1", "aider", "openai", "/v1/chat/completions", "writing", n_output=3)


def test_request_list_updates_changed_rows_without_model_reset(qtmodeltester: ModelTester) -> None:
    calls = RequestList(strings.accessible_text)
    qtmodeltester.check(calls)  # type: ignore[no-untyped-call]
    two = replace(CALL, id="2", state="queued", queue_place=1)
    calls.show([CALL, two])
    changes: list[int] = []
    resets: list[object] = []
    calls.dataChanged.connect(lambda first, last, roles: changes.append(first.row()))
    calls.modelReset.connect(lambda: resets.append(1))
    calls.show([CALL, two])
    assert changes == []
    calls.show([CALL, replace(two, state="reading", n_prompt=10, n_read=5)])
    assert changes == [1]
    calls.show([replace(two, state="writing"), replace(CALL, state="finished")])
    assert [calls[row].id for row in range(len(calls))] == ["2", "1"]
    calls.show([replace(CALL, id=str(n), state="finished") for n in range(200)])
    assert len(calls) == MAX_ROWS
    calls.show([])
    assert (len(calls), resets) == (0, [])
    calls.show([CALL])
    assert calls.index(0).data(Qt.ItemDataRole.AccessibleTextRole) == "aider, chat, answering · 3, 0:00"
