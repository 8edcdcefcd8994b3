"""Writes tiny models with a byte-level BPE vocabulary, one for each pre-tokenizer of llama.cpp."""

from __future__ import annotations

from pathlib import Path

import gguf

from tests.model_files.tiny_llama import N_EMBD, N_FF, N_HEAD, N_LAYER, add_weights, finish

# fmt: off
PRE_TOKENIZERS = (
    "a.x-4.0", "afmoe", "bailingmoe", "bailingmoe2", "bloom", "chameleon", "chatglm-bpe", "codeshell", "cohere2moe",
    "command-r", "dbrx", "deepseek-coder", "deepseek-llm", "deepseek-r1-qwen", "deepseek-v3", "default", "exaone",
    "exaone-moe", "exaone4", "f2llmv2", "falcon", "falcon-h1", "falcon3", "gemma4", "gigachat", "glm4", "glm5",
    "gpt-2", "gpt-4o", "gpt3-finnish", "granite-docling", "granite-embed-multi-311m", "granite-embed-multi-97m",
    "grok-2", "hunyuan", "hunyuan-dense", "hy_v4", "jais", "jais-2", "jina-de", "jina-es", "jina-v1-en",
    "jina-v2-code", "jina-v2-de", "jina-v2-es", "jina-v5-nano", "joyai-llm", "kanana2", "kimi-k2", "kormo",
    "laguna", "lfm2", "llada-moe", "llama-bpe", "llama-v3", "llama3", "llama4", "megrez", "mellum", "mellum2",
    "midm-2.0", "minerva-7b", "minicpm5", "minimax-m2", "modern-bert", "mpt", "olmo", "phi-2", "pixtral", "poro-chat",
    "qwen2", "qwen35", "refact", "roberta-bpe", "sarvam-moe", "seed-coder", "smaug-bpe", "smollm", "solar-open",
    "spark2_5", "stablelm2", "starcoder", "superbpe", "talkie", "tekken", "tiny_aya", "trillion", "ufakzeka",
    "viking", "whitespace", "youtu",
)
# fmt: on

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
DEFINED = ("<think>", "</think>", "<tool_call>")
MERGES = ("h e", "l l", "he ll", "hell o", "Ġ w", "o r", "Ġw or", "l d", "Ġwor ld", "Z Z", "ZZ ZZ", "1 1", "Ġ Ġ")


def byte_letters() -> list[str]:
    """Maps each byte to the letter that represents it in a byte-level vocabulary."""
    shown = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    letters = {byte: chr(byte) for byte in shown} | {byte: chr(256 + n) for n, byte in enumerate(hidden)}
    return [letters[byte] for byte in range(256)]


def write_bpe(path: Path, pre_tokenizer: str, template: str | None = None, name: str | None = None) -> Path:
    """Writes a Llama with two layers of random weights. Its tokens are bytes and a few merges.

    If `name` is that of a Phi-3 model, spaces after a special token become part of that token in llama.cpp."""
    # Phi-3 models have these special tokens too
    specials = SPECIALS if name is None else (*SPECIALS, "<unk>", "<s>", "</s>")
    words = [*byte_letters(), *("".join(merge.split()) for merge in MERGES), *DEFINED, *specials]
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in {
        "context_length": 4096, "embedding_length": N_EMBD, "feed_forward_length": N_FF, "block_count": N_LAYER,
        "attention.head_count": N_HEAD, "attention.head_count_kv": 2, "rope.dimension_count": N_EMBD // N_HEAD,
        "vocab_size": len(words),
    }.items():  # fmt: skip
        writer.add_uint32(f"llama.{key}", value)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add_tokenizer_model("whitespace" if pre_tokenizer == "whitespace" else "gpt2")
    writer.add_tokenizer_pre(pre_tokenizer)
    writer.add_token_list(words)
    n_plain = len(words) - len(DEFINED) - len(specials)
    writer.add_token_types([1] * n_plain + [4] * len(DEFINED) + [3] * len(specials))
    writer.add_token_merges(list(MERGES))
    writer.add_bos_token_id(words.index("<|endoftext|>"))
    writer.add_eos_token_id(words.index("<|im_end|>"))
    if name is not None:
        writer.add_name(name)
    if template is not None:
        writer.add_chat_template(template)
    add_weights(writer, len(words))
    finish(writer)
    return path
