"""Small sample exports in the formats of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from desktop.import_export.reader import read
from desktop.import_export.records import PortableChat


def chats_in(path: Path) -> list[PortableChat]:
    """Returns the chats of a file that contains only chats."""
    found = list(read(path))
    chats = [piece for piece in found if isinstance(piece, PortableChat)]
    assert len(chats) == len(found)
    return chats


CHATGPT: list[dict[str, Any]] = [
    {
        "title": "Sea",
        "conversation_id": "abc",
        "create_time": 100.5,
        "update_time": 200.5,
        "current_node": "d",
        "mapping": {
            "root": {"id": "root", "message": None, "parent": None, "children": ["sys"]},
            "sys": {
                "id": "sys",
                "message": {
                    "author": {"role": "system"},
                    "content": {"content_type": "text", "parts": [""]},
                    "metadata": {"is_visually_hidden_from_conversation": True},
                },
                "parent": "root",
                "children": ["a"],
            },
            "a": {
                "id": "a",
                "message": {
                    "author": {"role": "user"},
                    "create_time": 101.0,
                    "content": {"content_type": "text", "parts": ["What is the sea?"]},
                },
                "parent": "sys",
                "children": ["b", "tool", "d"],
            },
            "b": {
                "id": "b",
                "message": {
                    "author": {"role": "assistant"},
                    "content": {"content_type": "text", "parts": ["Water."]},
                    "metadata": {"model_slug": "gpt-4"},
                },
                "parent": "a",
                "children": [],
            },
            "tool": {
                "id": "tool",
                "message": {
                    "author": {"role": "assistant"},
                    "recipient": "python",
                    "content": {"content_type": "code", "text": "print(1)"},
                },
                "parent": "a",
                "children": [],
            },
            "d": {
                "id": "d",
                "message": {
                    "author": {"role": "assistant"},
                    "content": {"content_type": "multimodal_text", "parts": [{"asset": 1}, "Salt water."]},
                },
                "parent": "a",
                "children": [],
            },
        },
    },
    {"title": "Empty", "id": "e", "mapping": {}, "current_node": None},
]

OPEN_WEBUI: list[dict[str, Any]] = [
    {
        "id": "w1",
        "title": "Hills",
        "created_at": 100,
        "updated_at": 300,
        "chat": {
            "history": {
                "currentId": "3",
                "messages": {
                    "2": {"id": "2", "parentId": "1", "role": "assistant", "content": "Old.", "model": "llama3"},
                    "3": {"id": "3", "parentId": "1", "role": "assistant", "content": "Green.", "timestamp": 102},
                    "1": {"id": "1", "parentId": None, "role": "user", "content": "How are hills?", "timestamp": 101},
                    "9": {"id": "9", "parentId": "9", "role": "user", "content": "A ring."},
                },
            }
        },
    }
]

LLAMA_SERVER: dict[str, Any] = {
    "conv": {"id": "l1", "name": "Fire", "lastModified": 300_000, "currNode": "c"},
    "messages": [
        {"id": "r", "type": "root", "role": "system", "content": "", "timestamp": 99_000, "children": ["a"]},
        {"id": "c", "parent": "a", "role": "assistant", "content": "Hot.", "timestamp": 102_000, "model": "smol",
         "reasoningContent": "Let me see."},
        {"id": "a", "parent": "r", "role": "user", "content": "What is fire?", "timestamp": 101_000},
    ],
}  # fmt: skip

LM_STUDIO: dict[str, Any] = {
    "name": "Moon",
    "createdAt": 100_000,
    "systemPrompt": "Be short.",
    "messages": [
        {
            "versions": [
                {"type": "singleStep", "role": "user", "content": [{"type": "text", "text": "What is the moon?"}]}
            ],
            "currentlySelected": 0,
        },
        {
            "versions": [
                {"type": "multiStep", "role": "assistant", "steps": [
                    {"type": "contentBlock", "content": [{"type": "text", "text": "Cheese."}]},
                ]},
                {"type": "multiStep", "role": "assistant", "steps": [
                    {"type": "contentBlock", "style": {"type": "thinking"}, "content": "Hm"},
                    {"type": "contentBlock", "content": [{"type": "text", "text": "A rock."}]},
                    {"type": "debugInfoBlock", "debugInfo": "x"},
                ]},
            ],
            "currentlySelected": 1,
        },
        {
            "versions": [{"type": "singleStep", "role": "user", "content": [{"type": "text", "text": "Thanks"}]}],
            "currentlySelected": 0,
        },
    ],
}  # fmt: skip

JAN_THREAD: dict[str, Any] = {"id": "jan_1", "title": "Trees", "created": 100_000_000_000_0, "updated": 200}
JAN_MESSAGES: list[dict[str, Any]] = [
    {"id": "2", "role": "assistant", "created_at": 102, "content": [{"type": "text", "text": {"value": "Tall."}}]},
    {"id": "1", "role": "user", "created_at": 101, "content": [{"type": "text", "text": {"value": "How are trees?"}}]},
]
