"""Fields that promise what this server does not do. They are refused by name, never silently ignored.

A field's neutral values ask for nothing, and pass. Fields that change nothing about the answer (`user`,
`metadata`, `store`, `service_tier`, …), and hints about its style or speed (`verbosity`, `prediction`, …), are not
listed: those are ignored.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from api.errors import NotKept

NEUTRAL: Mapping[str, tuple[object, ...]] = {
    # OpenAI's: only text is spoken here, and nothing is searched for
    "modalities": (["text"],),
    "audio": (),
    "web_search_options": (),
    # llama.cpp's: a template is code, and never taken from a request
    "chat_template": (),
    "reasoning_format": ("auto", "deepseek"),
    "dynatemp_exponent": (1,),
    "adaptive_target": (-1,),
    "dry_sequence_breakers": (["\n", ":", '"', "*"],),
    "samplers": (),
    "min_keep": (0,),
    "t_max_predict_ms": (-1, 0),
    "t_max_prompt_ms": (-1, 0),
    "n_probs": (0,),
    "n_keep": (0, -1),
    "n_discard": (0,),
    "n_indent": (0,),
    "id_slot": (-1,),
    "lora": ([],),
    "grammar_lazy": (False,),
}


def refuse_what_is_not_kept(extra: Mapping[str, object], hints: Container[str] = ()) -> None:
    """Raises NotKept for the first field of `extra` that asks for something, and is not a mere hint."""
    for name, value in extra.items():
        neutral = NEUTRAL.get(name)
        if name not in hints and neutral is not None and value is not None and value not in neutral:
            raise NotKept(name)
