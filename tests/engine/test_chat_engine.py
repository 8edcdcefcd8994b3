"""The local engine implements the interface that the window and the API use."""

from __future__ import annotations

from engine.chat_engine import LOCAL_CAPABILITIES, Capabilities, ChatEngine
from engine.engine import Engine


def test_local_engine_is_a_chat_engine() -> None:
    engine: ChatEngine = Engine()  # mypy checks the interface
    assert engine.capabilities == LOCAL_CAPABILITIES
    assert engine.status.state == "empty"


def test_word_alternatives_need_log_probabilities_and_a_begun_answer() -> None:
    assert LOCAL_CAPABILITIES.word_alternatives
    assert not Capabilities(logprobs=True).word_alternatives
    assert not Capabilities(answer_start=True).word_alternatives
