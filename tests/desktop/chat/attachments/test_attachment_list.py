"""Tests of `AttachmentList`, the files attached to a draft."""

from __future__ import annotations

from desktop.chat.attachments.attachment_list import AttachmentList
from desktop.store.records import Attachment


def test_attachment_removed_while_being_read_is_not_added_again() -> None:
    ids = iter("abc")
    attachments = AttachmentList(lambda: next(ids))
    first, second = attachments.add("one.txt"), attachments.add("two.txt")
    attachments.remove(first)
    attachments.set_attachment(first, Attachment("one.txt", "text", "1"))
    assert attachments.is_reading
    attachments.set_attachment(second, Attachment("two.txt", "text", "2"))
    attachments.set_n_tokens(second, 7)
    attachments.set_n_tokens(first, 7)
    assert attachments.attachments == (Attachment("two.txt", "text", "2", 7),)
    assert not attachments.is_reading
