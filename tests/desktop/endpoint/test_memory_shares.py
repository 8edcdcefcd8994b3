"""How the memory card divides the memory of the process among chats, tools, the model and the app."""

from __future__ import annotations

from desktop.endpoint.memory_shares import MemoryHolder, memory_shares
from desktop.endpoint.strings import holder_size
from engine.library.memory_use import MemoryUse
from engine.status import KvUsage, MemoryEstimate

MB = 1_000_000
ESTIMATE = MemoryEstimate(100 * MB, 80 * MB, 0, 1 << 34)
USAGE = (
    KvUsage("window", "chat-1", 0.25),
    KvUsage("window", "chat-2", 0.0, 30 * MB),
    KvUsage("endpoint", "aider", 0.5, 5 * MB),
    KvUsage("window", "deleted", 0.0, 1 * MB),
)


def test_states_in_host_memory_belong_to_their_chats_and_keys_and_not_to_the_app() -> None:
    titles = {"chat-1": "Plan", "chat-2": "Garden"}
    shares = memory_shares(MemoryUse(ESTIMATE, 300 * MB, 0, 1 << 33, USAGE), lambda chat_id: titles.get(chat_id, ""))
    assert shares.kv_window == (20 + 30 + 1) * MB
    assert shares.kv_tools == (40 + 5) * MB
    assert shares.kv_free == 20 * MB
    assert shares.others == (300 - 100 - 80 - 36) * MB
    assert shares.used == 300 * MB
    assert shares.holders == (
        MemoryHolder("aider", True, 40 * MB, 5 * MB),
        MemoryHolder("Garden", False, 0, 30 * MB),
        MemoryHolder("Plan", False, 20 * MB),
    )


def test_size_of_a_holder_tells_what_is_in_host_memory() -> None:
    assert holder_size(MemoryHolder("a", False, 20 * MB)) == "20\xa0MB"
    assert holder_size(MemoryHolder("a", False, 20 * MB, 5 * MB)) == "20\xa0MB + 5\xa0MB in host memory"
    assert holder_size(MemoryHolder("a", False, 0, 5 * MB)) == "5\xa0MB in host memory"
