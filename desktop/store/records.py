"""The records in the chat database: folders, chats and messages. All are immutable and may be shared between threads.

Field names are column names, or keys of JSON columns: renaming one needs a migration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]

State = Literal["complete", "streaming", "stopped", "failed", "cut", "length"]
"""complete: finished. streaming: being generated. stopped: by the user. failed: by an error, see `note`.
cut: the app ended during generation. length: the token limit or the context was exhausted."""

AttachmentKind = Literal["text", "code", "markdown", "csv", "pdf", "docx"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to a message; `text` is its extracted text, which is put into the prompt."""

    name: str
    kind: AttachmentKind
    text: str
    n_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call in an answer. `arguments` is JSON text exactly as the model generated it, valid or not."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """System prompt and sampling settings of a chat. None means the default of the model or of Inglenook."""

    system: str = ""
    preset: str = ""
    """Name of the preset that these settings were taken from, "" for none."""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    thinking: bool | None = None
    leaves_out: bool = False
    """Whether the oldest turns are left out of the prompt when the chat exceeds the context."""
    summary: str = ""
    """Generated summary that replaces the turns up to `summarised_to` in the prompt."""
    summarised_to: str = ""
    """Id of the last message that `summary` covers."""


TitledBy = Literal["start", "model", "person"]
"""Source of a chat's title: its first words, the model, or the user. A user's title is never replaced."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation. `leaf_id` is the last message of the branch that is shown. Times are Unix seconds."""

    id: str
    title: str
    created_s: float
    updated_s: float
    pinned: bool = False
    leaf_id: str | None = None
    settings: ChatSettings = ChatSettings()
    titled_by: TitledBy = "start"
    folder_id: str = ""
    """Id of the folder, "" for none. The id of a deleted folder counts as none."""
    archived: bool = False
    """Listed in the archive only; search still finds it. Folder and pin are kept for when it is unarchived."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of chats. The sidebar sorts folders by `place` and hides the chats of a `folded` one."""

    id: str
    name: str
    place: float = 0.0
    folded: bool = False


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A node of a chat's message tree; a root has the `parent_id` None. `created_s` is Unix time, other times are
    durations in seconds, counts are tokens."""

    id: str
    chat_id: str
    parent_id: str | None
    role: Role
    text: str
    state: State
    created_s: float
    model_id: str = ""
    n_prompt: int = 0
    n_cached: int = 0
    n_output: int = 0
    decode_s: float = 0.0
    first_token_s: float = 0.0
    note: str = ""
    """Error message as it was shown, in the language of that time."""
    reasoning: str = ""
    reasoning_s: float = 0.0
    calls: tuple[Call, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    group_id: str = ""
    """Answers to one parent with the same group id are shown side by side; "" for none."""
