"""The files that go with the next message. Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from desktop.platform.surrogates import well_formed
from desktop.store.records import Attachment


@dataclass(frozen=True, slots=True)
class AttachmentItem:
    """One file. `attachment` is None while it is read, `n_tokens` while it is counted."""

    id: str
    name: str
    attachment: Attachment | None = None
    n_tokens: int | None = None


class Tray:
    """Keeps the items in the order in which they came. `new_id` names each anew."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._items: dict[str, AttachmentItem] = {}

    @property
    def items(self) -> list[AttachmentItem]:
        return list(self._items.values())

    @property
    def is_reading(self) -> bool:
        return any(item.attachment is None for item in self._items.values())

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """What is read, with its count where that is known."""
        return tuple(
            replace(item.attachment, n_tokens=item.n_tokens or 0)
            for item in self._items.values()
            if item.attachment is not None
        )

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    def begin(self, name: str) -> str:
        """A file that is being read. Its id."""
        item_id = self._new_id()
        self._items[item_id] = AttachmentItem(item_id, well_formed(name))
        return item_id

    def finish(self, item_id: str, attachment: Attachment) -> None:
        """It was read. Nothing, where it was removed meanwhile."""
        if item_id in self._items:
            self._items[item_id] = AttachmentItem(item_id, attachment.name, attachment)

    def count(self, item_id: str, n_tokens: int | None) -> None:
        if item_id in self._items:
            self._items[item_id] = replace(self._items[item_id], n_tokens=n_tokens)

    def remove(self, item_id: str) -> None:
        self._items.pop(item_id, None)

    def take(self, sent: Iterable[Attachment]) -> None:
        """Takes away one item for each of these."""
        for attachment in sent:
            same = replace(attachment, n_tokens=0)
            for item in self.items:
                if item.attachment is not None and replace(item.attachment, n_tokens=0) == same:
                    self.remove(item.id)
                    break

    def show(self, attachments: Iterable[Attachment], *, keep_reading: bool = False) -> None:
        """These, in place of all, or of all that is read. Their counts may be of another model: they are taken anew."""
        self._items = {item.id: item for item in self.items if keep_reading and item.attachment is None}
        for attachment in attachments:
            self.finish(self.begin(attachment.name), attachment)
