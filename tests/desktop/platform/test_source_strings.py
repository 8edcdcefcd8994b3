"""Static checks of the sources: lupdate finds all shown strings, and all error reasons are marked for translation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.error_reasons import KNOWN, translated_reason
from engine.errors import Reason
from tests.packaging.checkout import ROOT

SHOWN: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(
        (
            *("setText", "setToolTip", "setPlaceholderText", "setWindowTitle", "setAccessibleName", "setTitle"),
            *("setAccessibleDescription", "setStatusTip", "setWhatsThis", "setInformativeText", "setLabelText"),
            *("setNameFilters", "setNameFilter", "addItems", "setPrefix", "setSuffix", "setSpecialValueText"),
            *("QLabel", "QPushButton", "QCheckBox", "QRadioButton", "QGroupBox", "QMenu", "link", "show_message"),
            *("show_import", "set_placeholder_text", "setDetailedText", "setHeaderLabels", "QLineEdit", "QToolButton"),
        ),
        (0,),
    ),
    # Functions whose first argument is not a text but an icon, an object name, a theme or a parent.
    **dict.fromkeys(("addAction", "addItem", "addTab", "setTabText", "QAction", "addMenu"), (0, 1)),
    **dict.fromkeys(("label", "QFileDialog", "Switch", "Action", "showMessage", "drawText"), (1, 2)),
    **dict.fromkeys(("IconButton", "QMessageBox", "ActionButton"), (1, 2, 3)),
}
"""Maps each function that shows texts to the positions of its text arguments."""

TRANSLATES = frozenset({"tr", "translate", "counted", "QT_TRANSLATE_NOOP"})
NO_LITERALS = frozenset(
    {
        ("number_format.py", "counted"),
        ("error_reasons.py", "translated_reason"),
        ("pages.py", "shown_title"),
        ("pages.py", "shown_command"),
        ("rows.py", "_translated"),
        ("strings.py", "setting_text"),
    }
)
"""Functions that translate the value of a variable. Its possible texts are marked elsewhere."""

OWN_NUMBERS = frozenset({"diagnostics.py"})
"""Files whose numbers are written in English, because only developers read them."""


def files() -> list[Path]:
    return sorted((ROOT / "desktop").rglob("*.py"))


def unseen(text: str, name: str = "page.py") -> list[str]:
    """The problems of a source file with this text, each with its line number."""
    return [f"{name}:{line}: {what}" for line, what in sorted(_Looking(name).look(ast.parse(text)))]


class _Looking(ast.NodeVisitor):
    def __init__(self, name: str) -> None:
        self._name = name
        self._classes = 0
        self._functions: list[str] = []
        self._found: set[tuple[int, str]] = set()

    def look(self, tree: ast.AST) -> set[tuple[int, str]]:
        self.visit(tree)
        return self._found

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._classes += 1
        self.generic_visit(node)
        self._classes -= 1

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._functions.append(node.name)
        self.generic_visit(node)
        self._functions.pop()

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and _called(part) in TRANSLATES:
                self._say(part, "lupdate does not look into f-strings")
            if isinstance(part, ast.FormattedValue) and part.format_spec is not None:
                spec = ast.unparse(part.format_spec)
                if re.search(r",|\.\df", spec) and self._name not in OWN_NUMBERS:
                    self._say(part, "numbers are written by desktop.platform.number_format")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = _called(node)
        if called in TRANSLATES and not self._is_painter(node):
            self._look_at_translation(node, called)
        for place in SHOWN.get(called, ()):
            for words in node.args[place : place + 1]:
                for literal in _literals(words):
                    if not _is_name(literal, called, place):
                        self._say(node, f"{called} is given {literal!r}")
        self.generic_visit(node)

    def _look_at_translation(self, node: ast.Call, called: str) -> None:
        n_texts = 1 if called in ("tr", "counted") else 2
        if any(
            function in [inner for file, inner in NO_LITERALS if file == self._name] for function in self._functions
        ):
            return
        if node.keywords or not all(_is_text(text) for text in node.args[:n_texts]):
            self._say(node, f"{called} wants texts as they are, and no keywords")
        if called == "tr" and ast.unparse(node.func) != "self.tr":
            self._say(node, "lupdate takes the class around for the context: self.tr, or translate")
        if called == "translate" and len(node.args) > 2:
            self._say(node, "lupdate sees no plural here: counted")
        if called == "counted" and self._classes:
            self._say(node, "counted stands outside of classes: self.tr")

    @staticmethod
    def _is_painter(node: ast.Call) -> bool:
        return isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) not in (
            *("self", "QCoreApplication"),
            *("window", "parent", "box", "self._window"),
        )

    def _say(self, node: ast.expr, what: str) -> None:
        self._found.add((node.lineno, what))


def _called(node: ast.Call) -> str:
    return (
        node.func.attr
        if isinstance(node.func, ast.Attribute)
        else node.func.id
        if isinstance(node.func, ast.Name)
        else ""
    )


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _literals(node: ast.expr) -> Iterator[str]:
    """The string literals that an argument may evaluate to, without those in calls inside of it."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield " ".join(
                part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )
        case ast.BinOp(left=left, right=right):
            yield from (*_literals(left), *_literals(right))
        case ast.IfExp(body=one, orelse=other):
            yield from (*_literals(one), *_literals(other))
        case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            for part in parts:
                yield from _literals(part)
        case ast.Call(func=ast.Attribute(value=text, attr="format" | "join" | "replace")):
            yield from _literals(text)


def _is_name(literal: str, called: str, place: int) -> bool:
    """Whether a literal needs no translation: it consists of signs or numbers, or is the name of the app or of an
    icon."""
    words = literal.replace("Inglenook", "")
    if not any(letter.isalpha() for letter in words):
        return True
    return called in ("IconButton", "ActionButton") and place == 1 and re.fullmatch(r"[a-z0-9-]+", literal) is not None


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_shown_string_is_marked_for_lupdate(path: Path) -> None:
    assert unseen(path.read_text(encoding="utf-8"), path.name) == []


@pytest.mark.parametrize(
    "line",
    [
        'QLabel("Words", self)',
        'QPushButton("Copy" if ready else self.tr("Wait"), self)',
        'button.setToolTip("Copy the answer")',
        'self.setText(f"{n} tokens")',
        'self.setText(" " + "more")',
        'edit.setPlaceholderText("Search".upper() or "Search")',
        'menu.addAction("Delete")',
        'menu.addAction(icon, "Delete")',
        'label("cardTitle", "Memory", self)',
        'IconButton(theme, "x", "Close", self)',
        'dialog.setNameFilters(["All files (*)"])',
        'QFileDialog(self, "Open")',
        'self.toast.show_message("{name} is here.".format(name=name))',
        'Action("find", "Find in this chat", find)',
        "self.setText(f\"{self.tr('Copied')} · {size}\")",
        "self.tr(words)",
        'self.tr(f"{n} chats")',
        'self._window.tr("Undo")',
        'translate("sentences", words)',
        'translate(context="sentences", key="Words")',
        'translate("sentences", "%Ln chats", "", n)',
        'show(f"{n:,}")',
        'show(f"{share:.1f}")',
        'class A:\n    def f(self):\n        return counted("%Ln chats", "", n)',
    ],
)
def test_check_of_sources_finds_a_string_not_marked_for_lupdate(line: str) -> None:
    assert unseen(line), line


def test_check_of_sources_accepts_strings_marked_for_lupdate() -> None:
    right = (
        'QLabel(self.tr("Words"), self)\nself.setText(f"{used} / {all}")\nself.setWindowTitle("Inglenook")\n'
        'IconButton(theme, "chevron-down", self.tr("Close"), self)\nlabel("cardTitle", title, self)\n'
        'painter.translate(corner)\ncounted("%Ln chats", "", len(found.turns))\nself.tr("%Ln chats", "", n)\n'
        'translate("sentences", "One line " "and another")\nself.setText(" · ".join(parts))\nself.setText("—")\n'
    )
    assert unseen(right) == []


SAYS = {
    **{"ModelFileError": 1, "InvalidSettings": 1, "CannotWrite": 0, "_error": 0, "UnreadableFile": 1, "Reason": 0},
    **{"ServerUnreachable": 1, "ServerBusy": 1, "ServerFailed": 1, "Unsupported": 0, "InvalidAddress": 0},
}
"""Maps each function that gets the clause of an error to the position of that argument."""


def clauses() -> set[str]:
    """The clauses and templates that the sources pass to errors of the engine, the import and the store, as reasons
    that the window shows. Values in f-strings are replaced by `{}`."""
    found = set()
    for path in (*(ROOT / "engine").rglob("*.py"), *(ROOT / "desktop").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (place := SAYS.get(_called(node))) is not None:
                for argument in node.args[place : place + 1]:
                    found |= {_clause(each) for each in _alternatives(argument)}
            if (
                isinstance(node, ast.FunctionDef)
                and node.name in ("unusable_reason", "_wait")
                and "library" in path.parts
            ):
                found |= {_clause(each.value) for each in ast.walk(node) if isinstance(each, ast.Return) and each.value}
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "STAGES":
                assert isinstance(node.value, ast.Dict)
                found |= {f"{_clause(value)} ({{why}})" for value in node.value.values}
    return {clause for clause in found if re.search(r"[a-z]", clause)}


def _alternatives(node: ast.expr) -> list[ast.expr]:
    return node.values if isinstance(node, ast.BoolOp) else [node]


def _clause(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def unknown(said: set[str]) -> set[str]:
    return said - KNOWN - {"{} ({why})"}


def test_every_error_reason_is_marked_for_translation() -> None:
    said = clauses()
    assert len(said) > 25
    assert "the file is incomplete; download it again" in said
    assert unknown(said) == set()


def test_error_reason_without_translation_is_reported_and_shown_in_english() -> None:
    assert unknown({"its header is damaged", "its feet are cold"}) == {"its feet are cold"}
    assert translated_reason("its feet are cold") == "its feet are cold"


def test_translated_error_reason_contains_the_values_of_its_placeholders(qapp: object) -> None:
    from PySide6.QtCore import QCoreApplication

    from desktop.platform.language import install_translators

    assert isinstance(qapp, QCoreApplication)
    install_translators(qapp, "de")
    try:
        assert translated_reason(Reason("{n} of its {all} parts are missing", n=2, all=3)) == "2 der 3 Teile fehlen"
        unreadable = Reason("the file cannot be read ({why})", why="Permission denied")
        assert translated_reason(unreadable) == "die Datei ist nicht lesbar (Zugriff verweigert)"
        ended = Reason("the trial ended with {code}", code=-6)
        damaged = Reason("its vocabulary is damaged ({why})", why=ended)
        assert translated_reason(damaged) == "das Vokabular ist beschädigt (die Probe endete mit -6)"
    finally:
        install_translators(qapp, "en")
