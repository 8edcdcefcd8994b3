"""The files attached to a draft. Qt-free."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from desktop.platform.surrogates import well_formed
from desktop.store.records import Attachment


@dataclass(frozen=True, slots=True)
class AttachmentItem:
    """One attached file. `attachment` is None while the file is being read. `n_tokens` is None until its tokens are
    counted."""

    id: str
    name: str
    attachment: Attachment | None = None
    n_tokens: int | None = None
    is_estimate: bool = False
    """Whether `n_tokens` is estimated from the length of the text."""


class AttachmentList:
    """Attached files in the order in which they were added. `new_id()` makes the id of each item. Methods ignore
    unknown ids."""

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
        """The files whose text has been read. Their `n_tokens` is 0 if their tokens are not counted yet."""
        return tuple(
            replace(item.attachment, n_tokens=item.n_tokens or 0)
            for item in self._items.values()
            if item.attachment is not None
        )

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    def add(self, name: str) -> str:
        """Add an item for a file that is still being read. Returns the id of the item."""
        item_id = self._new_id()
        self._items[item_id] = AttachmentItem(item_id, well_formed(name))
        return item_id

    def set_attachment(self, item_id: str, attachment: Attachment) -> None:
        """Store the text of a file that has been read. Ignored if the item was removed meanwhile."""
        if item_id in self._items:
            self._items[item_id] = AttachmentItem(item_id, attachment.name, attachment)

    def set_n_tokens(self, item_id: str, n_tokens: int | None, *, is_estimate: bool = False) -> None:
        if item_id in self._items:
            self._items[item_id] = replace(self._items[item_id], n_tokens=n_tokens, is_estimate=is_estimate)

    def remove(self, item_id: str) -> None:
        self._items.pop(item_id, None)

    def remove_sent(self, sent: Iterable[Attachment]) -> None:
        """For each of these attachments, remove one item with the same name and text."""
        for attachment in sent:
            uncounted = replace(attachment, n_tokens=0)
            for item in self.items:
                if item.attachment is not None and replace(item.attachment, n_tokens=0) == uncounted:
                    self.remove(item.id)
                    break

    def show(self, attachments: Iterable[Attachment], *, keep_reading: bool = False) -> None:
        """Replace the items by these attachments. With `keep_reading`, items whose files are still being read are kept.
        Token counts are dropped, because another model may have counted them."""
        self._items = {item.id: item for item in self.items if keep_reading and item.attachment is None}
        for attachment in attachments:
            self.set_attachment(self.add(attachment.name), attachment)
