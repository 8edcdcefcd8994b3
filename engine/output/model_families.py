"""The table of formats, and which of them a chat template speaks.

To add a family, add a row: what its templates hold, and samples of what it writes (engine/output/tool_call_syntax.py).
"""

from __future__ import annotations

import re
from dataclasses import replace

from engine.output.tool_call_syntax import Calls, MessageHeaders, OutputFormat, ReasoningMarkers

THINK = ReasoningMarkers("<think>", "</think>")

_HERMES = Calls("<tool_call>\n{envelopes}\n</tool_call>")
_FUNCTION = "<function={name}>\n{parameters}</function>"
_FUNCTION_PARAMETER = "<parameter={key}>\n{value}\n</parameter>\n"
_LLAMA = '{"name": "{name}", "parameters": {json}}'
_DSML = '<｜DSML｜invoke name="{name}">\n{parameters}</｜DSML｜invoke>\n'
_DSML_PARAMETER = '<｜DSML｜parameter name="{key}" string="{string}">{value}</｜DSML｜parameter>\n'
_SECTION = ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>")
_FENCED = Calls("<｜tool▁call▁begin｜>{word}<｜tool▁sep｜>{name}\n```json\n{json}\n```<｜tool▁call▁end｜>", _SECTION)
_PLAIN = Calls("<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{json}<｜tool▁call▁end｜>", _SECTION, between="")
_LISTED = Calls("[TOOL_CALLS]{list}")
_NAMED = Calls("[TOOL_CALLS]{name}[ARGS]{json}", between="")
_NUMBERED = Calls("[TOOL_CALLS]{name}[CALL_ID]{id}[ARGS]{json}", between="")
_PYTHON = Calls("<|tool_call_start|>[{python}]<|tool_call_end|>")

PROMPTED_FORMAT = OutputFormat("prompted", calls=(_HERMES, Calls("{envelopes}")), thinking=THINK)
"""For models whose template knows no tools. Small ones often forget the tags, so bare calls count too."""

_HARMONY = MessageHeaders(
    openers=("<|start|>", "<|channel|>"),
    close="<|message|>",
    ends=("<|end|>", "<|call|>", "<|return|>"),
    thought="analysis",
    answer="final",
    begins_answer="<|channel|>final<|message|>",
)

FAMILIES = (
    OutputFormat(
        "harmony",
        seen=("<|channel|>", "<|message|>"),
        calls=(Calls("<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>{json}"),),
        headers=_HARMONY,
        ends=("<|return|>", "<|call|>"),
    ),
    OutputFormat(
        "deepseek-v3.2",
        seen=("｜DSML｜", "function_calls>"),
        calls=(Calls(_DSML, ("<｜DSML｜function_calls>\n", "</｜DSML｜function_calls>"), _DSML_PARAMETER, between=""),),
        ends=("<｜end▁of▁sentence｜>",),
    ),
    OutputFormat(
        "deepseek-v4",
        seen=("｜DSML｜",),
        calls=(Calls(_DSML, ("<｜DSML｜tool_calls>\n", "</｜DSML｜tool_calls>"), _DSML_PARAMETER, between=""),),
        ends=("<｜end▁of▁sentence｜>",),
    ),
    OutputFormat(
        "deepseek-v3",
        seen=("<｜tool▁call▁begin｜>", "```json"),
        calls=(_FENCED, _PLAIN),
        ends=("<｜end▁of▁sentence｜>",),
    ),
    OutputFormat(
        "deepseek-v3.1", seen=("<｜tool▁call▁begin｜>",), calls=(_PLAIN, _FENCED), ends=("<｜end▁of▁sentence｜>",)
    ),
    OutputFormat(
        "kimi-k2",
        seen=("<|tool_call_argument_begin|>",),
        calls=(
            Calls(
                "<|tool_call_begin|>{id}<|tool_call_argument_begin|>{json}<|tool_call_end|>",
                ("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
                between="",
            ),
        ),
        ends=("<|im_end|>", "[EOS]"),
    ),
    OutputFormat(
        "solar",
        seen=("<|tool_call:begin|>",),
        calls=(
            Calls(
                "<|tool_call:begin|>{id}<|tool_call:name|>{name}<|tool_call:args|>{json}<|tool_call:end|>",
                ("<|tool_calls|>", ""),
                between="",
            ),
        ),
        thinking=ReasoningMarkers("<|think|>", "<|end|>", anywhere=True),
        dropped=("<|begin|>assistant", "<|content|>"),
        ends=("<|calls|>",),
    ),
    OutputFormat(
        "gemma",
        seen=("<|tool_call>", "<tool_call|>"),
        calls=(Calls("<|tool_call>call:{name}{relaxed}<tool_call|>", between=""),),
        ends=("<turn|>", "<|tool_response>"),
    ),
    OutputFormat(
        "functiongemma",
        seen=("<start_function_call>",),
        calls=(Calls("<start_function_call>call:{name}{relaxed}<end_function_call>", between="", quote="<escape>"),),
        ends=("<end_of_turn>", "<start_function_response>"),
    ),
    OutputFormat(
        "cohere",
        seen=("<|START_ACTION|>",),
        calls=(
            Calls(
                "<|START_ACTION|>{list}<|END_ACTION|>",
                envelope='{"tool_call_id": "{id}", "tool_name": "{name}", "parameters": {json}}',
            ),
        ),
        dropped=("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"),
        ends=("<|END_OF_TURN_TOKEN|>",),
    ),
    OutputFormat("lfm2", seen=("<|tool_call_start|>",), calls=(_PYTHON,), ends=("<|im_end|>",)),
    OutputFormat("lfm2", seen=("List of tools: ",), calls=(_PYTHON,), ends=("<|im_end|>",)),
    OutputFormat("mistral", seen=("[TOOL_CALLS]", "[CALL_ID]"), calls=(_NUMBERED, _NAMED, _LISTED), ends=("</s>",)),
    OutputFormat("mistral", seen=("[TOOL_CALLS]", "[ARGS]"), calls=(_NAMED, _NUMBERED, _LISTED), ends=("</s>",)),
    OutputFormat("mistral-list", seen=("[TOOL_CALLS]",), calls=(_LISTED, _NUMBERED, _NAMED), ends=("</s>",)),
    OutputFormat(
        "minimax",
        seen=("<minimax:tool_call>",),
        calls=(
            Calls(
                '<invoke name="{name}">\n{parameters}</invoke>\n',
                ("<minimax:tool_call>\n", "</minimax:tool_call>"),
                '<parameter name="{key}">{value}</parameter>\n',
                between="",
            ),
        ),
        ends=("[e~[",),
    ),
    OutputFormat(
        "seed",
        seen=("<seed:tool_call>",),
        calls=(
            Calls(
                f"<seed:tool_call>\n{_FUNCTION}\n</seed:tool_call>",
                parameter="<parameter={key}>{value}</parameter>\n",
            ),
        ),
        ends=("<seed:eos>",),
    ),
    OutputFormat(
        "glm",
        seen=("<arg_key>", "<arg_value>"),
        calls=(
            Calls(
                "<tool_call>{name}\n{parameters}</tool_call>",
                parameter="<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n",
            ),
        ),
        ends=("<|user|>", "<|observation|>"),
    ),
    OutputFormat(
        "qwen-xml",
        seen=("<function=", "<parameter="),
        calls=(
            Calls(f"<tool_call>\n{_FUNCTION}\n</tool_call>", parameter=_FUNCTION_PARAMETER),
            Calls(_FUNCTION, parameter=_FUNCTION_PARAMETER),
        ),
        ends=("<|im_end|>",),
    ),
    OutputFormat(
        "minicpm",
        seen=('<function name="', '<param name="'),
        calls=(
            Calls('<function name="{name}">{parameters}</function>', parameter='<param name="{key}">{cdata}</param>'),
        ),
        ends=("<|im_end|>",),
    ),
    OutputFormat(
        "functionary", seen=("<function=", "</function>"), calls=(Calls("<function={name}>{json}</function>"),)
    ),
    OutputFormat(
        "phi",
        seen=("<|/tool|>",),
        calls=(Calls("<|tool_call|>{list}<|/tool_call|>"), Calls("functools{list}")),
        ends=("<|end|>",),
    ),
    OutputFormat("granite", seen=("<|tool_call|>",), calls=(Calls("<|tool_call|>{list}"),), ends=("<|end_of_text|>",)),
    OutputFormat(
        "nemotron", seen=("<TOOLCALL>",), calls=(Calls("<TOOLCALL>{list}</TOOLCALL>"),), ends=("<SPECIAL_12>",)
    ),
    OutputFormat(
        "apriel", seen=("<tool_calls>[",), calls=(Calls("<tool_calls>{list}</tool_calls>"),), ends=("<|end|>",)
    ),
    OutputFormat("minimax-m1", seen=("<tool_calls>",), calls=(Calls("<tool_calls>\n{envelopes}\n</tool_calls>"),)),
    # MiniMax M3 nests elements below a namespace token, which no sample can say: it is asked for plain calls.
    replace(PROMPTED_FORMAT, seen=("]<]minimax[>[",), thinking=None),
    OutputFormat("hermes", seen=("<tool_call>",), calls=(_HERMES,), ends=("<|im_end|>",)),
    OutputFormat("functools", seen=("functools[",), calls=(Calls("functools{list}"),), ends=("<|eot_id|>",)),
    OutputFormat(
        "llama",
        seen=("<|start_header_id|>", '"parameters": '),
        calls=(
            Calls("{envelopes}", envelope=_LLAMA, between="; "),
            Calls("<|python_tag|>{envelopes}", envelope=_LLAMA),
            Calls("<|python_tag|>{python}"),
            Calls("[{python}]"),
        ),
        ends=("<|eot_id|>", "<|eom_id|>"),
    ),
)
"""The first whose `seen` stands in the template is the family, so the more special ones stand first."""

_THINKING: tuple[tuple[tuple[str, ...], ReasoningMarkers], ...] = (
    (("[THINK]",), ReasoningMarkers("[THINK]", "[/THINK]", anywhere=True)),
    (("<|START_THINKING|>",), ReasoningMarkers("<|START_THINKING|>", "<|END_THINKING|>", anywhere=True)),
    (("<seed:think>",), ReasoningMarkers("<seed:think>", "</seed:think>")),
    (("<mm:think>",), ReasoningMarkers("<mm:think>", "</mm:think>")),
    (("<|channel>", "<channel|>"), ReasoningMarkers("<|channel>thought\n", "<channel|>", anywhere=True)),
    (("<|inner_prefix|>",), ReasoningMarkers("<|inner_prefix|>", "<|inner_suffix|>", anywhere=True)),
    (("[BEGIN FINAL RESPONSE]",), ReasoningMarkers("Here are my reasoning steps:\n", "[BEGIN FINAL RESPONSE]")),
    (("<thinking>", "</thinking>"), ReasoningMarkers("<thinking>", "</thinking>")),
    (("<|start_of_role|>", "<think>"), ReasoningMarkers("<think>", "</think>", answer=("<response>", "</response>"))),
)
"""Where a template's reasoning does not stand within <think>."""

_TOOLS = re.compile(r"\btools\b")
_TOOL_CALLS = re.compile(r"\btool_calls\b")


def detect(template: str | None) -> OutputFormat:
    """The format that the model of this chat template writes; PROMPTED_FORMAT where the template knows no tools."""
    text = template or ""
    family = next((family for family in FAMILIES if all(mark in text for mark in family.seen)), PROMPTED_FORMAT)
    known = family.name != PROMPTED_FORMAT.name
    thinking = next((thinking for marks, thinking in _THINKING if all(mark in text for mark in marks)), THINK)
    has_own = family.headers is not None or (known and family.thinking is not None)
    return replace(
        family,
        thinking=family.thinking if has_own else thinking,
        template_shows_tools=known and bool(_TOOLS.search(text)),
        template_shows_tool_calls=known and bool(_TOOL_CALLS.search(text)),
    )


def opens_reasoning(format: OutputFormat, prompt: str) -> bool:
    """Whether the prompt ends within reasoning, so that the answer begins there."""
    return format.thinking is not None and prompt.rstrip().endswith(format.thinking.open.rstrip())
