"""Fields that promise what this server does not do (yet). They are refused by name, never silently ignored.

A field's neutral values ask for nothing, and pass. Fields that change nothing about the answer (`user`,
`metadata`, `store`, `service_tier`, …) are not listed: those are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.errors import NotKept

NEUTRAL: Mapping[str, tuple[object, ...]] = {
    # OpenAI's
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({}, []),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "response_format": ({"type": "text"},),
    "tools": ([],),
    "tool_choice": ("none",),
    "functions": ([],),
    "function_call": ("none",),
    "modalities": (["text"],),
    "audio": (),
    "web_search_options": (),
    "reasoning_effort": (),
    "verbosity": ("medium",),
    # llama.cpp's; a template or a grammar is code, and never taken from a request unread
    "chat_template": (),
    "chat_template_kwargs": ({},),
    "continue_final_message": (False,),
    "add_generation_prompt": (True,),
    "grammar": ("",),
    "json_schema": (),
    "typical_p": (1,),
    "top_n_sigma": (-1, 0),
    "xtc_probability": (0,),
    "dynatemp_range": (0,),
    "mirostat": (0,),
    "dry_multiplier": (0,),
    "samplers": (),
    "min_tokens": (0,),
    "ignore_eos": (False,),
    "t_max_predict_ms": (-1, 0),
    "n_probs": (0,),
    "n_discard": (0,),
    "id_slot": (-1,),
    "lora": ([],),
}


def refuse_what_is_not_kept(extra: Mapping[str, object]) -> None:
    """Raises NotKept for the first field of `extra` that asks for something."""
    # Tools that may not be called change nothing.
    idle = {"tools", "functions"} if extra.get("tool_choice", extra.get("function_call")) == "none" else set()
    for name, value in extra.items():
        neutral = NEUTRAL.get(name)
        if neutral is None or value is None or name in idle or value in neutral:
            continue
        raise NotKept(name)
