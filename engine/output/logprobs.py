"""Log probabilities of the chosen tokens and of their likeliest alternatives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from engine.events import TokenChoice


def log_softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The log probabilities of all tokens.

    They are a new array, so the sampler may change `logits` afterwards."""
    result: npt.NDArray[np.float32] = logits - logits.max()
    result -= np.log(np.exp(result).sum())
    return result


def token_choice(
    logprobs: npt.NDArray[np.float32], token: int, n_others: int, piece: Callable[[int], bytes]
) -> TokenChoice:
    """The chosen token with its log probability, and the `n_others` likeliest tokens with theirs."""
    ids: tuple[int, ...] = ()
    if n_others:
        likeliest = np.argpartition(logprobs, -n_others)[-n_others:]
        ids = tuple(int(each) for each in likeliest[np.argsort(-logprobs[likeliest])])
    others = tuple((piece(each), float(logprobs[each])) for each in ids)
    return TokenChoice(piece(token), float(logprobs[token]), others, token, ids)
