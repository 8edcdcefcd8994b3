"""The table of model families: how each family writes reasoning and tool calls, and how its chat templates are
recognised.

To add a family, add a row to FAMILIES: texts that its chat templates contain, and the syntaxes of its tool calls (see
engine/output/tool_call_syntax.py).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from engine.output.tool_call_syntax import MessageHeaders, OutputFormat, ReasoningMarkers, ToolCallSyntax

THINK = ReasoningMarkers("<think>", "</think>")

_HERMES = ToolCallSyntax("<tool_call>\n{envelopes}\n</tool_call>")
_FUNCTION = "<function={name}>\n{parameters}</function>"
_FUNCTION_PARAMETER = "<parameter={key}>\n{value}\n</parameter>\n"
_LLAMA_ENVELOPE = '{"name": "{name}", "parameters": {json}}'
_DSML = '<｜DSML｜invoke name="{name}">\n{parameters}</｜DSML｜invoke>\n'
_DSML_PARAMETER = '<｜DSML｜parameter name="{key}" string="{string}">{value}</｜DSML｜parameter>\n'
_DEEPSEEK_SECTION = ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>")
_DEEPSEEK_FENCED = ToolCallSyntax(
    "<｜tool▁call▁begin｜>{word}<｜tool▁sep｜>{name}\n```json\n{json}\n```<｜tool▁call▁end｜>", _DEEPSEEK_SECTION
)
_DEEPSEEK_PLAIN = ToolCallSyntax(
    "<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{json}<｜tool▁call▁end｜>", _DEEPSEEK_SECTION, separator=""
)
_MISTRAL_LIST = ToolCallSyntax("[TOOL_CALLS]{list}")
_MISTRAL_NAMED = ToolCallSyntax("[TOOL_CALLS]{name}[ARGS]{json}", separator="")
_MISTRAL_NUMBERED = ToolCallSyntax("[TOOL_CALLS]{name}[CALL_ID]{id}[ARGS]{json}", separator="")
_LFM2_PYTHON = ToolCallSyntax("<|tool_call_start|>[{python}]<|tool_call_end|>")

PROMPTED_FORMAT = OutputFormat("prompted", call_syntaxes=(_HERMES, ToolCallSyntax("{envelopes}")), reasoning=THINK)
"""The format of models whose chat template does not support tools.

Small models often forget the tags around a call, so calls without tags count too."""

_HARMONY = MessageHeaders(
    openers=("<|start|>", "<|channel|>"),
    close="<|message|>",
    ends=("<|end|>", "<|call|>", "<|return|>"),
    reasoning_channel="analysis",
    answer_channel="final",
    answer_header="<|channel|>final<|message|>",
)


def _family(
    name: str,
    template_markers: tuple[str, ...],
    *call_syntaxes: ToolCallSyntax,
    eog_texts: tuple[str, ...] = (),
    **options: Any,
) -> OutputFormat:
    return OutputFormat(name, template_markers, call_syntaxes, eog_texts=eog_texts, **options)


FAMILIES = (
    _family(
        "harmony",
        ("<|channel|>", "<|message|>"),
        ToolCallSyntax("<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>{json}"),
        headers=_HARMONY,
        eog_texts=("<|return|>", "<|call|>"),
    ),
    _family(
        "deepseek-v3.2",
        ("｜DSML｜", "function_calls>"),
        ToolCallSyntax(
            _DSML, ("<｜DSML｜function_calls>\n", "</｜DSML｜function_calls>"), _DSML_PARAMETER, separator=""
        ),
        eog_texts=("<｜end▁of▁sentence｜>",),
    ),
    _family(
        "deepseek-v4",
        ("｜DSML｜",),
        ToolCallSyntax(_DSML, ("<｜DSML｜tool_calls>\n", "</｜DSML｜tool_calls>"), _DSML_PARAMETER, separator=""),
        eog_texts=("<｜end▁of▁sentence｜>",),
    ),
    _family(
        "deepseek-v3",
        ("<｜tool▁call▁begin｜>", "```json"),
        _DEEPSEEK_FENCED,
        _DEEPSEEK_PLAIN,
        eog_texts=("<｜end▁of▁sentence｜>",),
    ),
    _family(
        "deepseek-v3.1",
        ("<｜tool▁call▁begin｜>",),
        _DEEPSEEK_PLAIN,
        _DEEPSEEK_FENCED,
        eog_texts=("<｜end▁of▁sentence｜>",),
    ),
    _family(
        "kimi-k2",
        ("<|tool_call_argument_begin|>",),
        ToolCallSyntax(
            "<|tool_call_begin|>{id}<|tool_call_argument_begin|>{json}<|tool_call_end|>",
            ("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
            separator="",
        ),
        eog_texts=("<|im_end|>", "[EOS]"),
    ),
    _family(
        "solar",
        ("<|tool_call:begin|>",),
        ToolCallSyntax(
            "<|tool_call:begin|>{id}<|tool_call:name|>{name}<|tool_call:args|>{json}<|tool_call:end|>",
            ("<|tool_calls|>", ""),
            separator="",
        ),
        reasoning=ReasoningMarkers("<|think|>", "<|end|>", anywhere=True),
        ignored_markers=("<|begin|>assistant", "<|content|>"),
        eog_texts=("<|calls|>",),
    ),
    _family(
        "gemma",
        ("<|tool_call>", "<tool_call|>"),
        ToolCallSyntax("<|tool_call>call:{name}{relaxed}<tool_call|>", separator=""),
        eog_texts=("<turn|>", "<|tool_response>"),
    ),
    _family(
        "functiongemma",
        ("<start_function_call>",),
        ToolCallSyntax("<start_function_call>call:{name}{relaxed}<end_function_call>", separator="", quote="<escape>"),
        eog_texts=("<end_of_turn>", "<start_function_response>"),
    ),
    _family(
        "cohere",
        ("<|START_ACTION|>",),
        ToolCallSyntax(
            "<|START_ACTION|>{list}<|END_ACTION|>",
            envelope='{"tool_call_id": "{id}", "tool_name": "{name}", "parameters": {json}}',
        ),
        ignored_markers=("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"),
        eog_texts=("<|END_OF_TURN_TOKEN|>",),
    ),
    _family("lfm2", ("<|tool_call_start|>",), _LFM2_PYTHON, eog_texts=("<|im_end|>",)),
    _family("lfm2", ("List of tools: ",), _LFM2_PYTHON, eog_texts=("<|im_end|>",)),
    _family(
        "mistral", ("[TOOL_CALLS]", "[CALL_ID]"), _MISTRAL_NUMBERED, _MISTRAL_NAMED, _MISTRAL_LIST, eog_texts=("</s>",)
    ),
    _family(
        "mistral", ("[TOOL_CALLS]", "[ARGS]"), _MISTRAL_NAMED, _MISTRAL_NUMBERED, _MISTRAL_LIST, eog_texts=("</s>",)
    ),
    _family("mistral-list", ("[TOOL_CALLS]",), _MISTRAL_LIST, _MISTRAL_NUMBERED, _MISTRAL_NAMED, eog_texts=("</s>",)),
    _family(
        "minimax",
        ("<minimax:tool_call>",),
        ToolCallSyntax(
            '<invoke name="{name}">\n{parameters}</invoke>\n',
            ("<minimax:tool_call>\n", "</minimax:tool_call>"),
            '<parameter name="{key}">{value}</parameter>\n',
            separator="",
        ),
        eog_texts=("[e~[",),
    ),
    _family(
        "seed",
        ("<seed:tool_call>",),
        ToolCallSyntax(
            f"<seed:tool_call>\n{_FUNCTION}\n</seed:tool_call>", parameter="<parameter={key}>{value}</parameter>\n"
        ),
        eog_texts=("<seed:eos>",),
    ),
    _family(
        "glm",
        ("<arg_key>", "<arg_value>"),
        ToolCallSyntax(
            "<tool_call>{name}\n{parameters}</tool_call>",
            parameter="<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n",
        ),
        eog_texts=("<|user|>", "<|observation|>"),
    ),
    _family(
        "qwen-xml",
        ("<function=", "<parameter="),
        ToolCallSyntax(f"<tool_call>\n{_FUNCTION}\n</tool_call>", parameter=_FUNCTION_PARAMETER),
        ToolCallSyntax(_FUNCTION, parameter=_FUNCTION_PARAMETER),
        eog_texts=("<|im_end|>",),
    ),
    _family(
        "minicpm",
        ('<function name="', '<param name="'),
        ToolCallSyntax(
            '<function name="{name}">{parameters}</function>', parameter='<param name="{key}">{cdata}</param>'
        ),
        eog_texts=("<|im_end|>",),
    ),
    _family("functionary", ("<function=", "</function>"), ToolCallSyntax("<function={name}>{json}</function>")),
    _family(
        "phi",
        ("<|/tool|>",),
        ToolCallSyntax("<|tool_call|>{list}<|/tool_call|>"),
        ToolCallSyntax("functools{list}"),
        eog_texts=("<|end|>",),
    ),
    _family("granite", ("<|tool_call|>",), ToolCallSyntax("<|tool_call|>{list}"), eog_texts=("<|end_of_text|>",)),
    _family("nemotron", ("<TOOLCALL>",), ToolCallSyntax("<TOOLCALL>{list}</TOOLCALL>"), eog_texts=("<SPECIAL_12>",)),
    _family("apriel", ("<tool_calls>[",), ToolCallSyntax("<tool_calls>{list}</tool_calls>"), eog_texts=("<|end|>",)),
    _family("minimax-m1", ("<tool_calls>",), ToolCallSyntax("<tool_calls>\n{envelopes}\n</tool_calls>")),
    # MiniMax M3 nests elements below a namespace token. No ToolCallSyntax can describe this, so the model is prompted
    # to write calls in JSON.
    replace(PROMPTED_FORMAT, template_markers=("]<]minimax[>[",), reasoning=None),
    _family("hermes", ("<tool_call>",), _HERMES, eog_texts=("<|im_end|>",)),
    _family("functools", ("functools[",), ToolCallSyntax("functools{list}"), eog_texts=("<|eot_id|>",)),
    _family(
        "llama",
        ("<|start_header_id|>", '"parameters": '),
        ToolCallSyntax("{envelopes}", envelope=_LLAMA_ENVELOPE, separator="; "),
        ToolCallSyntax("<|python_tag|>{envelopes}", envelope=_LLAMA_ENVELOPE),
        ToolCallSyntax("<|python_tag|>{python}"),
        ToolCallSyntax("[{python}]"),
        eog_texts=("<|eot_id|>", "<|eom_id|>"),
    ),
)
"""The known families.

The first family whose `template_markers` are all in the chat template applies, so specific families come first."""

_REASONING_MARKERS: tuple[tuple[tuple[str, ...], ReasoningMarkers], ...] = (
    (("[THINK]",), ReasoningMarkers("[THINK]", "[/THINK]", anywhere=True)),
    (
        ("<|START_THINKING|>",),
        ReasoningMarkers("<|START_THINKING|>", "<|END_THINKING|>", anywhere=True),
    ),
    (("<seed:think>",), ReasoningMarkers("<seed:think>", "</seed:think>")),
    (("<mm:think>",), ReasoningMarkers("<mm:think>", "</mm:think>")),
    (("<|channel>", "<channel|>"), ReasoningMarkers("<|channel>thought\n", "<channel|>", anywhere=True)),
    (("<|inner_prefix|>",), ReasoningMarkers("<|inner_prefix|>", "<|inner_suffix|>", anywhere=True)),
    (("[BEGIN FINAL RESPONSE]",), ReasoningMarkers("Here are my reasoning steps:\n", "[BEGIN FINAL RESPONSE]")),
    (("<thinking>", "</thinking>"), ReasoningMarkers("<thinking>", "</thinking>")),
    (
        ("<|start_of_role|>", "<think>"),
        ReasoningMarkers("<think>", "</think>", answer_tags=("<response>", "</response>")),
    ),
)
"""Reasoning markers of models that do not use <think>, each with the texts by which the chat template is recognised."""

_TOOLS = re.compile(r"\btools\b")
_TOOL_CALLS = re.compile(r"\btool_calls\b")


def detect_family(template: str | None) -> OutputFormat:
    """The output format of a model with this chat template; PROMPTED_FORMAT if the template does not support tools."""
    text = template or ""
    family = next(
        (family for family in FAMILIES if all(mark in text for mark in family.template_markers)), PROMPTED_FORMAT
    )
    known = family.name != PROMPTED_FORMAT.name
    thinking = next((thinking for marks, thinking in _REASONING_MARKERS if all(mark in text for mark in marks)), THINK)
    has_own = family.headers is not None or (known and family.reasoning is not None)
    return replace(
        family,
        reasoning=family.reasoning if has_own else thinking,
        template_shows_tools=known and bool(_TOOLS.search(text)),
        template_shows_tool_calls=known and bool(_TOOL_CALLS.search(text)),
    )


def opens_reasoning(format: OutputFormat, prompt: str) -> bool:
    """Whether the prompt ends inside reasoning, so that the answer continues it."""
    return format.reasoning is not None and prompt.rstrip().endswith(format.reasoning.open.rstrip())
