"""Short chat templates, one for each model family.

Each contains the texts that identify its family, and writes calls in the family's syntax.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TemplateStyle:
    """The parts from which a chat template is built. In `call`, `f` is the called function and `c` the call."""

    user: str
    start: str
    end: str
    call: str
    before: str = ""
    between: str = ""
    after: str = ""
    tools: str = "{{ tools | tojson }}"
    generation: str = ""
    """The generation prompt, which follows `start`."""


_BODY = """{%- if tools %}TOOLS{% endif -%}
{%- for m in messages -%}
{%- if m.role == 'assistant' -%}
START{{ m.content }}
{%- if m.tool_calls -%}
BEFORE{%- for c in m.tool_calls -%}{%- set f = c.function -%}CALL{%- if not loop.last -%}BETWEEN{%- endif -%}
{%- endfor -%}AFTER
{%- endif -%}
END
{%- else -%}
USER{{ m.content }}{{ '' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}START GENERATION{%- endif -%}"""


def template(style: TemplateStyle) -> str:
    text = _BODY.replace("START GENERATION", literal(style.start) + literal(style.generation))
    for slot, part in (
        ("TOOLS", style.tools),
        ("BEFORE", literal(style.before)),
        ("BETWEEN", literal(style.between)),
        ("AFTER", literal(style.after)),
        ("START", literal(style.start)),
        ("END", literal(style.end)),
        ("CALL", style.call),
        ("USER", literal(style.user)),
    ):
        text = text.replace(slot, part, 1)
    return text


def literal(text: str) -> str:
    """The text as a template expression. Template tags do not trim its white space."""
    quoted = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"{{{{ '{quoted}' }}}}" if text else ""


_CHATML = ("<|im_start|>user\n", "<|im_start|>assistant\n", "<|im_end|>")
_LLAMA = ("<|start_header_id|>user<|end_header_id|>\n\n", "<|start_header_id|>assistant<|end_header_id|>\n\n")
_DEEPSEEK = ("<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>")
_JSON = '{"name": "{{ f.name }}", "arguments": {{ f.arguments | tojson }}}'
_LISTED = f"[{_JSON}]"
_XML = (
    "<function={{ f.name }}>\n{% for k, v in f.arguments | items %}"
    "{{ '<parameter=' ~ k ~ '>' }}\n{{ v if v is string else v | tojson }}\n{{ '</parameter>\n' }}{% endfor %}"
    "</function>"
)
_DSML_CALL = (
    '<｜DSML｜invoke name="{{ f.name }}">\n{% for k, v in f.arguments | items %}'
    '<｜DSML｜parameter name="{{ k }}" string="{{ (v is string) | tojson }}">'
    "{{ v if v is string else v | tojson }}</｜DSML｜parameter>\n"
    "{% endfor %}</｜DSML｜invoke>\n"
)
_RELAXED = (
    "{% for k, v in f.arguments | items %}{{ k }}:{% if v is string %}QUOTE{{ v }}QUOTE{% else %}{{ v | tojson }}"
    "{% endif %}{% if not loop.last %},{% endif %}{% endfor %}"
)
_PYTHON = (
    "[{{ f.name }}({% for k, v in f.arguments | items %}{{ k }}={{ v | tojson }}{% if not loop.last %}, {% endif %}"
    "{% endfor %})]"
)

STYLES: dict[str, TemplateStyle] = {
    "harmony": TemplateStyle(
        "<|start|>user<|message|>",
        "<|start|>assistant",
        "<|call|>",
        "<|channel|>commentary to=functions.{{ f.name }} <|constrain|>json<|message|>{{ f.arguments | tojson }}",
    ),
    "deepseek-v3.2": TemplateStyle(
        *_DEEPSEEK, _DSML_CALL, "<｜DSML｜function_calls>\n", after="</｜DSML｜function_calls>", generation="<think>"
    ),
    "deepseek-v4": TemplateStyle(
        *_DEEPSEEK, _DSML_CALL, "<｜DSML｜tool_calls>\n", after="</｜DSML｜tool_calls>", generation="<think>"
    ),
    "deepseek-v3": TemplateStyle(
        *_DEEPSEEK,
        "<｜tool▁call▁begin｜>function<｜tool▁sep｜>{{ f.name }}\n```json\n{{ f.arguments | tojson }}\n"
        "```<｜tool▁call▁end｜>",
        "<｜tool▁calls▁begin｜>",
        "\n",
        "<｜tool▁calls▁end｜>",
        generation="<think>\n",
    ),
    "deepseek-v3.1": TemplateStyle(
        *_DEEPSEEK,
        "<｜tool▁call▁begin｜>{{ f.name }}<｜tool▁sep｜>{{ f.arguments | tojson }}<｜tool▁call▁end｜>",
        "<｜tool▁calls▁begin｜>",
        after="<｜tool▁calls▁end｜>",
        generation="</think>",
    ),
    "kimi-k2": TemplateStyle(
        "<|im_user|>user<|im_middle|>",
        "<|im_assistant|>assistant<|im_middle|>",
        "<|im_end|>",
        "<|tool_call_begin|>{{ c.id }}<|tool_call_argument_begin|>{{ f.arguments | tojson }}<|tool_call_end|>",
        "<|tool_calls_section_begin|>",
        after="<|tool_calls_section_end|>",
    ),
    "solar": TemplateStyle(
        "<|begin|>user<|content|>",
        "<|begin|>assistant",
        "<|calls|>",
        "<|tool_call:begin|>{{ c.id }}<|tool_call:name|>{{ f.name }}<|tool_call:args|>{{ f.arguments | tojson }}"
        "<|tool_call:end|>",
        "<|tool_calls|>",
    ),
    "gemma": TemplateStyle(
        "<|turn>user\n",
        "<|turn>model\n",
        "<turn|>",
        "<|tool_call>call:{{ f.name }}{{ '{' }}" + _RELAXED.replace("QUOTE", '<|"|>') + "{{ '}' }}<tool_call|>",
    ),
    "functiongemma": TemplateStyle(
        "<start_of_turn>user\n",
        "<start_of_turn>model\n",
        "<end_of_turn>",
        "<start_function_call>call:{{ f.name }}{{ '{' }}"
        + _RELAXED.replace("QUOTE", "<escape>")
        + "{{ '}' }}<end_function_call>",
    ),
    "cohere": TemplateStyle(
        "<|USER_TOKEN|>",
        "<|CHATBOT_TOKEN|>",
        "<|END_OF_TURN_TOKEN|>",
        '<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "{{ f.name }}", "parameters": {{ f.arguments | tojson }}}'
        "]<|END_ACTION|>",
    ),
    "lfm2": TemplateStyle(*_CHATML, f"<|tool_call_start|>{_PYTHON}<|tool_call_end|>"),
    "mistral": TemplateStyle("[INST]", "[/INST]", "</s>", "[TOOL_CALLS]{{ f.name }}[ARGS]{{ f.arguments | tojson }}"),
    "mistral-list": TemplateStyle("[INST]", "[/INST]", "</s>", f"[TOOL_CALLS]{_LISTED}"),
    "minimax": TemplateStyle(
        "]~b]user\n",
        "]~b]ai\n",
        "[e~[",
        '<invoke name="{{ f.name }}">\n{% for k, v in f.arguments | items %}<parameter name="{{ k }}">'
        "{{ v if v is string else v | tojson }}</parameter>\n{% endfor %}</invoke>\n",
        "<minimax:tool_call>\n",
        after="</minimax:tool_call>",
        generation="<think>\n",
    ),
    "seed": TemplateStyle(
        "<seed:bos>user\n",
        "<seed:bos>assistant\n",
        "<seed:eos>",
        "<seed:tool_call>\n<function={{ f.name }}>\n{% for k, v in f.arguments | items %}"
        "{{ '<parameter=' ~ k ~ '>' }}{{ v if v is string else v | tojson }}</parameter>\n{% endfor %}</function>\n"
        "</seed:tool_call>",
    ),
    "glm": TemplateStyle(
        "<|user|>\n",
        "<|assistant|>\n",
        "<|observation|>",
        "<tool_call>{{ f.name }}\n{% for k, v in f.arguments | items %}<arg_key>{{ k }}</arg_key>\n<arg_value>"
        "{{ v if v is string else v | tojson }}</arg_value>\n{% endfor %}</tool_call>",
    ),
    "qwen-xml": TemplateStyle(*_CHATML, f"<tool_call>\n{_XML}\n</tool_call>", generation="<think>\n"),
    "minicpm": TemplateStyle(
        *_CHATML,
        '<function name="{{ f.name }}">{% for k, v in f.arguments | items %}<param name="{{ k }}">'
        "{{ v if v is string else v | tojson }}</param>{% endfor %}</function>",
    ),
    "functionary": TemplateStyle(
        *_LLAMA, "<|eot_id|>", "<function={{ f.name }}>{{ f.arguments | tojson }}</function>", tools="{{ tools }}"
    ),
    "phi": TemplateStyle(
        "<|user|>",
        "<|assistant|>",
        "<|end|>",
        f"<|tool_call|>{_LISTED}<|/tool_call|>",
        tools="<|tool|>{{ tools | tojson }}<|/tool|>",
    ),
    "granite": TemplateStyle(
        "<|start_of_role|>user<|end_of_role|>",
        "<|start_of_role|>assistant<|end_of_role|>",
        "<|end_of_text|>",
        f"<|tool_call|>{_LISTED}",
    ),
    "nemotron": TemplateStyle(
        "<SPECIAL_11>User\n", "<SPECIAL_11>Assistant\n", "<SPECIAL_12>", f"<TOOLCALL>{_LISTED}</TOOLCALL>"
    ),
    "apriel": TemplateStyle("<|user|>\n", "<|assistant|>\n", "<|end|>", f"<tool_calls>{_LISTED}</tool_calls>"),
    "minimax-m1": TemplateStyle("<user>", "<ai>", "<end_of_sentence>", f"<tool_calls>\n{_JSON}\n</tool_calls>"),
    "hermes": TemplateStyle(*_CHATML, f"<tool_call>\n{_JSON}\n</tool_call>", between="\n"),
    "functools": TemplateStyle(*_LLAMA, "<|eot_id|>", f"functools{_LISTED}"),
    "llama": TemplateStyle(*_LLAMA, "<|eot_id|>", '{"name": "{{ f.name }}", "parameters": {{ f.arguments | tojson }}}'),
}
"""The test templates, by the name of the family that they belong to."""

TEMPLATES = {name: template(style) for name, style in STYLES.items()}
