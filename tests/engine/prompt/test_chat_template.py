"""ChatTemplate renders common chat templates, and limits hostile ones."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.errors import TemplateError
from engine.prompt.chat_template import ChatTemplate
from engine.requests import Message

HELLO = (Message("user", 'hi "é" <b>'),)


def render(source: str | None) -> str:
    return ChatTemplate(source, bos="<s>", eos="</s>").render(HELLO)


def test_model_without_template_uses_chatml() -> None:
    assert render(None) == '<|im_start|>user\nhi "é" <b><|im_end|>\n<|im_start|>assistant\n'


def test_template_with_common_features_renders_the_expected_text() -> None:
    source = (
        "{{ bos_token }}{% for m in messages %}{% generation %}"
        "{{ m['role'].upper() + ': ' + m.content.strip() }}{% endgeneration %}{% endfor %}"
        "{{ messages | tojson }}{% if tools is defined %}no{% endif %}{{ strftime_now('%%') }}{{ eos_token }}"
    )
    assert render(source) == '<s>USER: hi "é" <b>[{"role": "user", "content": "hi \\"é\\" <b>"}]%</s>'


def test_template_error_contains_the_message_that_template_passes_to_raise_exception() -> None:
    with pytest.raises(TemplateError) as refusal:
        render("{{ raise_exception('no system role') }}")
    assert refusal.value.reason == "no system role"


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ ('a' * 500000000) | length }}",
        "{{ messages.__class__.__mro__ }}",
        "{{ nothing.at.all }}",
        "{% include '/etc/passwd' %}",
        "{% if %}",
    ],
)
def test_hostile_or_broken_template_raises_template_error_in_bounded_time(source: str) -> None:
    started = time.process_time()
    with pytest.raises(TemplateError):
        render(source)
    assert time.process_time() - started < 2


def test_template_cannot_run_python_code(tmp_path: Path) -> None:
    mark = tmp_path / "touched"
    for name in ("lipsum", "cycler", "joiner", "namespace", "raise_exception", "strftime_now"):
        with pytest.raises(TemplateError):
            render(f'{{{{ {name}.__globals__["os"].popen("touch {mark}").read() }}}}')
    assert not mark.exists()
