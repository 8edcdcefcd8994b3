"""Tests of `Conversation`, the tree of messages of a chat: shown branch, versions, removal and its undo."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from desktop.chat.conversation import Conversation, RemovedMessages
from desktop.store.records import ChatMessage, Role, State


def message(
    name: str, parent: str | None, role: Role = "user", text: str = "words", state: State = "complete"
) -> ChatMessage:
    return ChatMessage(name, "c", parent, role, text, state, 0.0)


def test_shown_branch_ends_at_message_with_leaf_id() -> None:
    tree = Conversation([message("a", None), message("b", "a"), message("c", "a")], leaf_id="b")
    assert [node.id for node in tree.branch()] == ["a", "b"]
    tree.put(message("d", "c"))
    assert [node.id for node in tree.branch()] == ["a", "c", "d"]
    tree.put(message("a", None, text="other"))
    assert tree.leaf_id == "d"
    assert tree.branch()[0].text == "other"


def test_branch_of_damaged_tree_stops_at_missing_parent_or_cycle() -> None:
    assert [node.id for node in Conversation([message("a", "gone")]).branch()] == ["a"]
    ring = Conversation([message("a", "b"), message("b", "a")], leaf_id="missing")
    assert [node.id for node in ring.branch()] == ["a", "b"]
    assert Conversation().branch() == []


def tree() -> Conversation:
    """Tree with the branches a → b → c → d, which is shown, and a → b → e → f."""
    return Conversation(
        [
            message("a", None),
            message("b", "a", "assistant"),
            message("c", "b"),
            message("d", "c", "assistant"),
            message("e", "b"),
            message("f", "e", "assistant"),
        ],
        leaf_id="d",
    )


def shown(conversation: Conversation) -> str:
    return "".join(each.id for each in conversation.branch())


def test_showing_other_version_shows_branch_that_was_last_shown_below_it() -> None:
    conversation = tree()
    conversation.put(message("g", "c", "assistant"))
    assert shown(conversation) == "abcg"
    assert conversation.versions() == {"c": (1, 2), "g": (2, 2)}
    assert conversation.step("g", -1)
    assert conversation.step("c", 1)
    assert shown(conversation) == "abef"
    assert not conversation.step("e", 1)
    assert conversation.step("e", -1)
    assert shown(conversation) == "abcd", "the last shown answer, not the newest"


def test_version_shown_for_first_time_is_followed_by_newest_messages() -> None:
    conversation = tree()
    conversation.show("e")
    assert shown(conversation) == "abef"
    fresh = Conversation([*tree().descendants("a"), message("h", "e", "assistant")], leaf_id="d")
    fresh.show("e")
    assert shown(fresh) == "abeh"


def test_restore_adds_removed_messages_in_their_previous_order() -> None:
    conversation = tree()
    before = conversation.descendants("a")
    removed = conversation.remove("c")
    assert [each.id for each in removed.messages] == ["c", "d"]
    assert shown(conversation) == "abef", "the neighbouring version is shown"
    conversation.restore(removed)
    assert shown(conversation) == "abcd"
    assert conversation.descendants("a") == before
    whole = conversation.remove("a")
    assert (shown(conversation), conversation.leaf_id) == ("", None)
    conversation.restore(whole)
    assert conversation.descendants("a") == before
    conversation.restore(whole)
    assert len(conversation) == 6


def test_removing_only_version_of_message_ends_shown_branch_at_parent() -> None:
    conversation = tree()
    conversation.remove("d")
    assert shown(conversation) == "abc"


def test_answers_generated_together_are_shown_side_by_side_until_next_message_is_added() -> None:
    conversation = tree()
    group = [replace(message(name, "c", "assistant"), group_id="G") for name in "xyz"]
    for each in group:
        conversation.put(each)
    conversation.end_at("x")
    assert conversation.side_by_side() == {"x": tuple(group)}
    assert conversation.versions()["x"] == (2, 4)
    conversation.show("y")
    assert conversation.side_by_side() == {"y": tuple(group)}
    conversation.put(message("n", "y"))
    assert conversation.side_by_side() == {}
    conversation.remove("n")
    conversation.remove("y")
    conversation.remove("z")
    assert conversation.side_by_side() == {}, "a single answer is not shown side by side"


def test_cycle_or_missing_parent_in_message_tree_causes_no_endless_loop() -> None:
    ring = Conversation([message("a", "b"), message("b", "a"), message("o", "gone")])
    ring.show("a")
    assert {each.id for each in ring.descendants("a")} == {"a", "b"}
    assert ring.siblings("o") == ["o"]


class ConversationMachine(RuleBasedStateMachine):
    """Performs random sequences of questions, edits, alternative answers, switches between versions, deletions and
    undo."""

    @initialize()
    def begin(self) -> None:
        self.conversation = Conversation()
        self.added: dict[str, ChatMessage] = {}
        self.removed: list[RemovedMessages] = []

    def add(self, role: Role, parent_id: str | None, group_id: str = "") -> None:
        new = replace(message(f"m{len(self.added)}", parent_id, role), group_id=group_id)
        self.added[new.id] = new
        self.conversation.put(new)

    @rule()
    def ask(self) -> None:
        self.add("user", self.conversation.leaf_id)
        self.add("assistant", self.conversation.leaf_id)

    @precondition(lambda self: self.conversation.branch())
    @rule(data=st.data())
    def edit_or_regenerate(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.conversation.branch()))
        self.add(old.role, old.parent_id)

    @precondition(lambda self: self.conversation.branch())
    @rule(n=st.integers(2, 3))
    def ask_for_several(self, n: int) -> None:
        last = self.conversation.branch()[-1]
        for _ in range(n):
            self.add("assistant", last.id if last.role == "user" else last.parent_id, f"g{len(self.added)}")

    @precondition(lambda self: self.conversation.branch())
    @rule(data=st.data(), step=st.sampled_from([-1, 1]))
    def step_and_back(self, data: st.DataObject, step: int) -> None:
        at = data.draw(st.sampled_from(self.conversation.branch()))
        before = self.conversation.leaf_id
        if self.conversation.step(at.id, step):
            versions = self.conversation.siblings(at.id)
            other = versions[versions.index(at.id) + step]
            assert other in [each.id for each in self.conversation.branch()]
            assert self.conversation.step(other, -step)
            assert self.conversation.leaf_id == before, "the last shown leaf is shown again"
            self.conversation.step(at.id, step)

    @precondition(lambda self: self.conversation.branch())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        at = data.draw(st.sampled_from(self.conversation.branch()))
        self.removed.append(self.conversation.remove(at.id))

    @precondition(lambda self: self.removed)
    @rule()
    def undo(self) -> None:
        removed = self.removed.pop()
        self.conversation.restore(removed)
        assert self.conversation.leaf_id == removed.leaf_id

    @invariant()
    def no_message_is_lost(self) -> None:
        removed_ids = {each.id for removed in self.removed for each in removed.messages}
        present = {each.id: each for root in self._roots() for each in self.conversation.descendants(root)}
        assert present == {id: each for id, each in self.added.items() if id not in removed_ids}
        assert len(self.conversation) == len(present)

    @invariant()
    def branch_is_connected(self) -> None:
        branch = self.conversation.branch()
        assert bool(branch) == (self.conversation.leaf_id is not None)
        if branch:
            assert branch[0].parent_id is None
            assert branch[-1].id == self.conversation.leaf_id
            assert all(child.parent_id == parent.id for parent, child in pairwise(branch))

    @invariant()
    def all_messages_are_reachable(self) -> None:
        """Every message can be shown by stepping to other versions, starting at the shown branch."""
        everything = [each for root in self._roots() for each in self.conversation.descendants(root)]
        walk = Conversation(everything, self.conversation.leaf_id)
        for message_id in [each.id for each in everything]:
            for ancestor in walk.path(message_id):
                beside = next(each.id for each in walk.branch() if each.parent_id == ancestor.parent_id)
                versions = walk.siblings(beside)
                walk.step(beside, versions.index(ancestor.id) - versions.index(beside))
            assert message_id in [each.id for each in walk.branch()]

    def _roots(self) -> list[str]:
        branch = self.conversation.branch()
        return self.conversation.siblings(branch[0].id) if branch else []


ConversationMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestConversationMachine = ConversationMachine.TestCase
