"""What the store keeps: chats, in folders, with their messages as nodes of a tree. Frozen, fit to cross threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]

State = Literal["complete", "streaming", "stopped", "failed", "cut", "length"]
"""complete: as meant. streaming: being written now. stopped: by the person. failed: by an error, see `note`.
cut: the app ended while it was being written. length: no more tokens were allowed, or fit."""

AttachmentKind = Literal["text", "code", "markdown", "csv", "pdf", "docx"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message, as the text that the model reads."""

    name: str
    kind: AttachmentKind
    text: str
    n_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model asked for; `arguments` is JSON text, as the model wrote it."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """How a chat is answered. None leaves a value to the model's or our own default."""

    system: str = ""
    preset: str = ""
    """The name of the preset that these came from, "" for none."""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    thinking: bool | None = None
    leaves_out: bool = False
    """The person chose that the oldest turns are left out where a chat has become too long."""
    summary: str = ""
    """What the turns up to `summarised_to` said, in the model's words; it stands in their place."""
    summarised_to: str = ""
    """The id of the last message that `summary` covers."""


TitledBy = Literal["start", "model", "person"]
"""Where a chat's title comes from: the first words of it, the model, or the person, whose title is never changed."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A stored conversation. `leaf_id` is the last message of the branch that is shown."""

    id: str
    title: str
    created_s: float
    updated_s: float
    pinned: bool = False
    leaf_id: str | None = None
    settings: ChatSettings = ChatSettings()
    titled_by: TitledBy = "start"
    folder_id: str = ""
    """The folder that it lies in, "" for none; one that is not there any more counts as none."""
    archived: bool = False
    """Put away: not among the others, but found by a search. It keeps its folder and its pin for when it is back."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Chats that belong together. Folders stand in the order of `place`; of a `folded` one only the name is seen."""

    id: str
    name: str
    place: float = 0.0
    folded: bool = False


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One node of a chat's tree. `parent_id` None marks a root. Times are seconds, counts are tokens."""

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
    """One sentence about what went wrong, as it was shown."""
    reasoning: str = ""
    reasoning_s: float = 0.0
    calls: tuple[Call, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    group_id: str = ""
    """Answers of one parent with the same group were asked for together, to be seen side by side; "" for none."""
