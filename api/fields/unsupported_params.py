"""Parameters that this server does not support, each with those of its values that are accepted because they have no
effect.

Any other value is refused with an error that names the parameter, because silently ignoring the value would give a
wrong answer. Fields that are neither known nor listed here are ignored. Examples are fields that do not change the
answer (`user`, `metadata`, `store`, `service_tier`) and hints about style or speed (`verbosity`, `prediction`,
`id_slot`). `n_keep` and `n_discard` are ignored too: they control how a long prompt is shortened, but this server
refuses a prompt that is too long."""

from __future__ import annotations

from collections.abc import Container, Mapping

from api.errors import UnsupportedParameter

UNSUPPORTED_PARAMS: Mapping[str, tuple[object, ...]] = {
    # OpenAI: this server has only text input and output, no web search, and no moderation.
    "modalities": (["text"],),
    "audio": (),
    "web_search_options": (),
    "moderation": (),
    "context_management": ([],),
    # llama.cpp: a chat template is code, and is never taken from a request.
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
    # Constraint fields. They are refused only on routes whose bodies do not declare them.
    "grammar": ("",),
    "json_schema": (),
    "guided_json": (),
    "guided_regex": (),
    "guided_choice": (),
    "guided_grammar": (),
    "structured_outputs": (),
    "response_format": ({"type": "text"},),
    # Parameters of vLLM.
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
    # Anthropic: this server runs no tools.
    "container": (),
    "mcp_servers": ([],),
    # Parameters of Ollama.
    "debug_render_only": (False,),
}


def reject_unsupported(extra: Mapping[str, object] | None, ignored: Container[str] = ()) -> None:
    """Raises UnsupportedParameter for the first unsupported field of `extra`, the unknown fields of a body.

    Fields in `ignored` are accepted with any value."""
    for name, value in (extra or {}).items():
        accepted = UNSUPPORTED_PARAMS.get(name)
        if accepted is not None and value is not None and value not in accepted and name not in ignored:
            raise UnsupportedParameter(name)
