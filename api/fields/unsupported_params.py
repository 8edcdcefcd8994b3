"""Fields that promise what this server does not do. They are refused by name, never silently ignored.

A field's neutral values ask for nothing, and pass. Fields that change nothing about the answer (`user`,
`metadata`, `store`, `service_tier`, …), and hints about its style or speed (`verbosity`, `prediction`, `id_slot`, …),
are not listed: those are ignored. So are `n_keep` and `n_discard`: they concern a prompt that is shortened when the
context is full, and here such a prompt is an error.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from api.errors import UnsupportedParameter

NEUTRAL: Mapping[str, tuple[object, ...]] = {
    # OpenAI's: only text is read and written here, nothing is searched for, nothing is judged
    "modalities": (["text"],),
    "audio": (),
    "web_search_options": (),
    "moderation": (),
    "context_management": ([],),
    # llama.cpp's: a template is code, and never taken from a request
    "chat_template": (),
    "reasoning_format": ("auto", "deepseek"),
    "reasoning_in_content": (False,),
    "thinking_forced_open": (False,),
    "parse_tool_calls": (True,),
    "dynatemp_exponent": (1,),
    "adaptive_target": (-1,),
    "dry_sequence_breakers": (["\n", ":", '"', "*"],),
    "t_max_predict_ms": (-1, 0),
    "t_max_prompt_ms": (-1, 0),
    "n_probs": (0,),
    "n_indent": (0,),
    "lora": ([],),
    "grammar_lazy": (False,),
    "response_fields": ([],),
    "return_tokens": (False,),
    "return_progress": (False,),
    "timings_per_token": (False,),
    "post_sampling_probs": (False,),
    # What a route does not take that has another name for it, or none
    "grammar": ("",),
    "json_schema": (),
    "guided_json": (),
    "guided_regex": (),
    "guided_choice": (),
    "guided_grammar": (),
    "structured_outputs": (),
    "response_format": ({"type": "text"},),
    # vLLM's
    "guided_whitespace_pattern": (),
    "structural_tag": (),
    "use_beam_search": (False,),
    "length_penalty": (1,),
    "stop_token_ids": ([],),
    "include_stop_str_in_output": (False,),
    "skip_special_tokens": (True,),
    "spaces_between_special_tokens": (True,),
    "truncate_prompt_tokens": (),
    "prompt_logprobs": (),
    "allowed_token_ids": (),
    "bad_words": ([],),
    "logits_processors": ([],),
    "documents": ([],),
    "return_token_ids": (False,),
    "return_tokens_as_token_ids": (False,),
    "add_special_tokens": (False,),
    "echo": (False,),
    "include_reasoning": (True,),
    "thinking_token_budget": (-1,),
    "cache_salt": (),
    "kv_transfer_params": (),
    # Anthropic's: nothing is run here
    "container": (),
    "mcp_servers": ([],),
    # Ollama's
    "debug_render_only": (False,),
}


def reject_unsupported(extra: Mapping[str, object], hints: Container[str] = ()) -> None:
    """Raises UnsupportedParameter for the first field of `extra` that asks for something, and is not a mere hint."""
    for name, value in extra.items():
        neutral = NEUTRAL.get(name)
        if name not in hints and neutral is not None and value is not None and value not in neutral:
            raise UnsupportedParameter(name)
