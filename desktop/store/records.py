"""The records in the chat database: folders, chats and messages. All are immutable and may be shared between threads.

Field names are names of columns or keys of JSON columns. Renaming a field needs a migration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]

State = Literal["complete", "streaming", "stopped", "failed", "cut", "length"]
"""The state of a message. complete: finished. streaming: being generated. stopped: ended by the user. failed: ended by
an error, see `note`. cut: the app ended during the generation. length: the token limit was reached or the context was
full."""

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
    """System prompt and sampling settings of a chat. A field that is None has the default of the model or of
    Inglenook."""

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
"""Source of a chat's title: its first words, the model, or the user. A title given by the user is never replaced
automatically."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation. `leaf_id` is the id of the last message of the branch that is shown. Times are in Unix
    seconds."""

    id: str
    title: str
    created_s: float
    updated_s: float
    pinned: bool = False
    leaf_id: str | None = None
    settings: ChatSettings = ChatSettings()
    titled_by: TitledBy = "start"
    folder_id: str = ""
    """Id of the folder of the chat, "" for none. The id of a deleted folder counts as none."""
    archived: bool = False
    """Archived chats are listed only in the archive, but the search finds them. An archived chat keeps its folder and
    its pin; both have an effect again when it is unarchived."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of chats. The sidebar sorts folders by `place`. While a folder is `folded` (collapsed), the sidebar
    hides its chats."""

    id: str
    name: str
    place: float = 0.0
    folded: bool = False


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A node of the message tree of a chat. The `parent_id` of a root is None. `created_s` is in Unix seconds; other
    times are durations in seconds. Counts are numbers of tokens."""

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
    """Error message as it was shown to the user, in the display language of that time."""
    reasoning: str = ""
    reasoning_s: float = 0.0
    calls: tuple[Call, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    group_id: str = ""
    """Answers to the same message with the same group id are shown side by side. "" means no group."""
    n_drafted: int = 0
    """Number of draft tokens that were verified; `n_accepted` of them are part of the answer."""
    n_accepted: int = 0
    host: str = ""
    """Name of the machine on which the model wrote the answer; "" for a model in this app."""
