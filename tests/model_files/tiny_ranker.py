"""Writes a reranking model with causal attention: a Qwen3 with two layers of random weights."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from tests.model_files.tiny_bpe import DEFINED, MERGES, SPECIALS, byte_letters
from tests.model_files.tiny_llama import N_EMBD, N_FF, N_HEAD, N_LAYER, add_weights, finish

TEMPLATE = "<|im_start|>query: {query}\ndocument: {document}<|im_end|>"
N_CTX = 4096
N_LABELS = 2


def write_qwen3_ranker(path: Path) -> Path:
    words = [*byte_letters(), *("".join(merge.split()) for merge in MERGES), *DEFINED, *SPECIALS]
    writer = gguf.GGUFWriter(path, "qwen3")
    for key, value in {
        "context_length": N_CTX, "embedding_length": N_EMBD, "feed_forward_length": N_FF, "block_count": N_LAYER,
        "attention.head_count": N_HEAD, "attention.head_count_kv": 2, "vocab_size": len(words), "pooling_type": 4,
        "attention.key_length": N_EMBD // N_HEAD, "attention.value_length": N_EMBD // N_HEAD,
    }.items():  # fmt: skip
        writer.add_uint32(f"qwen3.{key}", value)
    writer.add_float32("qwen3.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add_array("qwen3.classifier.output_labels", ["yes", "no"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(words)
    n_plain = len(words) - len(DEFINED) - len(SPECIALS)
    writer.add_token_types([1] * n_plain + [4] * len(DEFINED) + [3] * len(SPECIALS))
    writer.add_token_merges(list(MERGES))
    writer.add_bos_token_id(words.index("<|endoftext|>"))
    writer.add_eos_token_id(words.index("<|im_end|>"))
    writer.add_string("tokenizer.chat_template.rerank", TEMPLATE)
    add_weights(writer, len(words))
    random = np.random.default_rng(3)
    for i in range(N_LAYER):
        for name in ("attn_q_norm", "attn_k_norm"):
            writer.add_tensor(f"blk.{i}.{name}.weight", np.ones(N_EMBD // N_HEAD, np.float32))
    writer.add_tensor("cls.output.weight", random.standard_normal((N_LABELS, N_EMBD)).astype(np.float32) * 0.3)
    finish(writer)
    return path
