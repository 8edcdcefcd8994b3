"""Translates the clauses in which the engine and the operating system give the reason of an error.

The engine does not use Qt, and writes the clauses in English (`engine.errors.Reason`). This module marks them for
lupdate.
"""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from desktop import setup_sentences
from engine.errors import Reason

_MARKED = (
    # Reasons why a model file is unusable.
    QT_TRANSLATE_NOOP("reasons", "there is no such file"),
    QT_TRANSLATE_NOOP("reasons", "this is a folder, not a file"),
    QT_TRANSLATE_NOOP("reasons", "the file cannot be read ({why})"),
    QT_TRANSLATE_NOOP("reasons", "the file is not a GGUF model"),
    QT_TRANSLATE_NOOP("reasons", "its GGUF version {version} is not supported"),
    QT_TRANSLATE_NOOP("reasons", "its header is damaged"),
    QT_TRANSLATE_NOOP("reasons", "its header is damaged: {key} is out of range"),
    QT_TRANSLATE_NOOP("reasons", "the file is incomplete; download it again"),
    QT_TRANSLATE_NOOP("reasons", "{n} of its {all} parts are missing"),
    QT_TRANSLATE_NOOP("reasons", "it is an adapter for {architecture} models"),
    QT_TRANSLATE_NOOP("reasons", "it is the image encoder of another model"),
    QT_TRANSLATE_NOOP("reasons", "it contains no weights"),
    QT_TRANSLATE_NOOP("reasons", "this model ranks texts, it does not embed them"),
    QT_TRANSLATE_NOOP("reasons", "this model does not rank texts"),
    QT_TRANSLATE_NOOP("reasons", "this model has no ranking head"),
    # Reasons why an adapter is unusable.
    QT_TRANSLATE_NOOP("reasons", "there are more than {n}"),
    QT_TRANSLATE_NOOP("reasons", "its scale is not between -{largest} and {largest}"),
    QT_TRANSLATE_NOOP("reasons", "it is not an adapter"),
    QT_TRANSLATE_NOOP("reasons", "it is of the kind {kind}, not lora"),
    QT_TRANSLATE_NOOP("reasons", "it is for {kind} models, the model is {model}"),
    QT_TRANSLATE_NOOP("reasons", "it changes {tensor}, which the model does not have"),
    QT_TRANSLATE_NOOP("reasons", "its tensor {tensor} is not supported"),
    QT_TRANSLATE_NOOP("reasons", "one of the two tensors for {tensor} is missing"),
    QT_TRANSLATE_NOOP("reasons", "{tensor} has another shape in the model"),
    QT_TRANSLATE_NOOP("reasons", "it does not fit the model ({why})"),
    # Reasons why a graphics card is unusable.
    QT_TRANSLATE_NOOP("reasons", "the driver did not answer for {seconds} s"),
    QT_TRANSLATE_NOOP("reasons", "it cannot be tried ({why})"),
    QT_TRANSLATE_NOOP("reasons", "the driver ended its process ({code})"),
    QT_TRANSLATE_NOOP("reasons", "the devices could not be read"),
    QT_TRANSLATE_NOOP("reasons", "the app ended unexpectedly while it used the graphics card"),
    QT_TRANSLATE_NOOP("reasons", "the build cannot be started ({why})"),
    QT_TRANSLATE_NOOP("reasons", "the build ended ({code})"),
    # Reasons why a draft model is unusable.
    QT_TRANSLATE_NOOP("reasons", "{name} has another vocabulary than the model"),
    QT_TRANSLATE_NOOP("reasons", "tokens cannot be removed from the memory of {name}, so it cannot draft"),
    # Reasons why the MTP layers of a model are not used.
    QT_TRANSLATE_NOOP("reasons", "this build of llama.cpp lacks the functions for them"),
    QT_TRANSLATE_NOOP("reasons", "the file does not contain their weights"),
    QT_TRANSLATE_NOOP("reasons", "they are not supported for {architecture} models"),
    QT_TRANSLATE_NOOP("reasons", "there is not enough memory for them"),
    QT_TRANSLATE_NOOP("reasons", "only a single MTP layer of the usual kind is supported"),
    QT_TRANSLATE_NOOP("reasons", "rejected tokens cannot be removed from the memory of this model"),
    QT_TRANSLATE_NOOP("reasons", "draft tokens are turned off"),
    QT_TRANSLATE_NOOP("reasons", "the draft model is used instead"),
    QT_TRANSLATE_NOOP("reasons", "the outputs of its layers are not inputs of its MTP layers"),
    # Reasons why the trial load in a child process failed.
    QT_TRANSLATE_NOOP("reasons", "llama.cpp cannot load it ({why})"),
    QT_TRANSLATE_NOOP("reasons", "its vocabulary is damaged ({why})"),
    QT_TRANSLATE_NOOP("reasons", "llama.cpp cannot compute with it ({why})"),
    QT_TRANSLATE_NOOP("reasons", "its chat template takes too much memory or time ({why})"),
    QT_TRANSLATE_NOOP("reasons", "the load trial failed ({why})"),
    QT_TRANSLATE_NOOP("reasons", "the trial took too long"),
    QT_TRANSLATE_NOOP("reasons", "the trial took too much memory"),
    QT_TRANSLATE_NOOP("reasons", "the trial ended with {code}"),
    QT_TRANSLATE_NOOP("reasons", "llama.cpp cannot compute with it"),
    QT_TRANSLATE_NOOP("reasons", "llama.cpp cannot load this file"),
    QT_TRANSLATE_NOOP("reasons", "there is not enough memory for its context"),
    # Reasons why load settings are invalid.
    QT_TRANSLATE_NOOP("reasons", "{kind} needs flash attention"),
    QT_TRANSLATE_NOOP("reasons", "the model's attention heads of size {sizes} cannot be stored as {kind}"),
    QT_TRANSLATE_NOOP("reasons", "{value} is not between 0 and {largest}"),
    QT_TRANSLATE_NOOP("reasons", "the system allows locking {allowed} MB, the model has {size} MB"),
    QT_TRANSLATE_NOOP("reasons", "this build of llama.cpp has no GPU support"),
    QT_TRANSLATE_NOOP("reasons", "an embedding model supports only the default"),
    # Reasons why a download failed.
    QT_TRANSLATE_NOOP("reasons", "{name} is not a valid name of a model file"),
    # What the server of a model does not support.
    QT_TRANSLATE_NOOP("reasons", "embeddings"),
    QT_TRANSLATE_NOOP("reasons", "reranking"),
    QT_TRANSLATE_NOOP("reasons", "completions without a chat template"),
    QT_TRANSLATE_NOOP("reasons", "prompts as token ids"),
    QT_TRANSLATE_NOOP("reasons", "continuing an answer"),
    QT_TRANSLATE_NOOP("reasons", "tools"),
    QT_TRANSLATE_NOOP("reasons", "reasoning"),
    QT_TRANSLATE_NOOP("reasons", "log probabilities"),
    QT_TRANSLATE_NOOP("reasons", "log probabilities of the prompt"),
    QT_TRANSLATE_NOOP("reasons", "logit bias"),
    QT_TRANSLATE_NOOP("reasons", "LoRA adapters"),
    QT_TRANSLATE_NOOP("reasons", "answers in JSON"),
    QT_TRANSLATE_NOOP("reasons", "JSON schemas"),
    QT_TRANSLATE_NOOP("reasons", "regular expressions as constraints"),
    QT_TRANSLATE_NOOP("reasons", "answers from a list"),
    QT_TRANSLATE_NOOP("reasons", "grammars"),
    QT_TRANSLATE_NOOP("reasons", "a minimum length of the answer"),
    QT_TRANSLATE_NOOP("reasons", "a required tool call"),
    QT_TRANSLATE_NOOP("reasons", "embeddings of token ids"),
    QT_TRANSLATE_NOOP("reasons", "fill-in-the-middle prompts"),
    QT_TRANSLATE_NOOP("reasons", "log probabilities together with tools"),
    QT_TRANSLATE_NOOP("reasons", "showing the prompt"),
    QT_TRANSLATE_NOOP("reasons", "the texts of tokens"),
    QT_TRANSLATE_NOOP("reasons", "tokenization"),
    QT_TRANSLATE_NOOP("reasons", "tools together with a grammar"),
    # Reasons why a connection to a server failed.
    QT_TRANSLATE_NOOP("reasons", "it has no models"),
    QT_TRANSLATE_NOOP("reasons", "a certificate file cannot be used ({why})"),
    QT_TRANSLATE_NOOP("reasons", "it aborted the answer"),
    QT_TRANSLATE_NOOP("reasons", "it answered {status}"),
    QT_TRANSLATE_NOOP("reasons", "it answered {status}: {text}"),
    QT_TRANSLATE_NOOP("reasons", "it did not accept a connection in time"),
    QT_TRANSLATE_NOOP("reasons", "it did not count the tokens"),
    QT_TRANSLATE_NOOP("reasons", "it did not read the request in time"),
    QT_TRANSLATE_NOOP("reasons", "it does not have the model {name}"),
    QT_TRANSLATE_NOOP("reasons", "it ended the answer early"),
    QT_TRANSLATE_NOOP("reasons", "it has no list of models"),
    QT_TRANSLATE_NOOP("reasons", "it redirects to an invalid address"),
    QT_TRANSLATE_NOOP("reasons", "it redirects to another address ({host})"),
    QT_TRANSLATE_NOOP("reasons", "it redirects too often"),
    QT_TRANSLATE_NOOP("reasons", "it reported an error without a description"),
    QT_TRANSLATE_NOOP("reasons", "it sent a web page instead of an answer"),
    QT_TRANSLATE_NOOP("reasons", "it sent an event that is not JSON"),
    QT_TRANSLATE_NOOP("reasons", "it sent an event that is too large"),
    QT_TRANSLATE_NOOP("reasons", "it sent nothing for too long"),
    QT_TRANSLATE_NOOP("reasons", "its answer is compressed"),
    QT_TRANSLATE_NOOP("reasons", "its answer is not JSON"),
    QT_TRANSLATE_NOOP("reasons", "its answer is too large"),
    QT_TRANSLATE_NOOP("reasons", "its certificate is not trusted ({why})"),
    QT_TRANSLATE_NOOP("reasons", "its embeddings cannot be read"),
    QT_TRANSLATE_NOOP("reasons", "its scores cannot be read"),
    QT_TRANSLATE_NOOP("reasons", "no connection ({why})"),
    QT_TRANSLATE_NOOP("reasons", "no secure connection ({why})"),
    QT_TRANSLATE_NOOP("reasons", "the connection was lost"),
    QT_TRANSLATE_NOOP("reasons", "the proxy in the system's settings is not supported"),
    QT_TRANSLATE_NOOP("reasons", "the proxy refused the connection"),
    QT_TRANSLATE_NOOP("reasons", "too many requests are open"),
    QT_TRANSLATE_NOOP("reasons", "no computer has this name"),
    QT_TRANSLATE_NOOP("reasons", "the private key is encrypted"),
    QT_TRANSLATE_NOOP("reasons", "not a valid PEM file"),
    # Reasons why the address of a server is invalid.
    QT_TRANSLATE_NOOP("reasons", "host or port are invalid"),
    QT_TRANSLATE_NOOP("reasons", "it contains a query"),
    QT_TRANSLATE_NOOP("reasons", "it contains a user name or a password"),
    QT_TRANSLATE_NOOP("reasons", "it is empty"),
    QT_TRANSLATE_NOOP("reasons", "it is too long"),
    QT_TRANSLATE_NOOP("reasons", "only http and https are supported"),
    QT_TRANSLATE_NOOP("reasons", "the name of the server is invalid"),
    QT_TRANSLATE_NOOP("reasons", "the path is invalid"),
    # Messages of the operating system.
    QT_TRANSLATE_NOOP("reasons", "Connection refused"),
    QT_TRANSLATE_NOOP("reasons", "No route to host"),
    QT_TRANSLATE_NOOP("reasons", "Network is unreachable"),
    QT_TRANSLATE_NOOP("reasons", "Connection reset by peer"),
    QT_TRANSLATE_NOOP("reasons", "No such file or directory"),
    QT_TRANSLATE_NOOP("reasons", "Permission denied"),
    QT_TRANSLATE_NOOP("reasons", "Operation not permitted"),
    QT_TRANSLATE_NOOP("reasons", "Is a directory"),
    QT_TRANSLATE_NOOP("reasons", "Not a directory"),
    QT_TRANSLATE_NOOP("reasons", "No space left on device"),
    QT_TRANSLATE_NOOP("reasons", "Disk quota exceeded"),
    QT_TRANSLATE_NOOP("reasons", "Read-only file system"),
    QT_TRANSLATE_NOOP("reasons", "Input/output error"),
    QT_TRANSLATE_NOOP("reasons", "File name too long"),
    # Messages of SQLite.
    QT_TRANSLATE_NOOP("reasons", "unable to open database file"),
    QT_TRANSLATE_NOOP("reasons", "attempt to write a readonly database"),
    QT_TRANSLATE_NOOP("reasons", "database is locked"),
    QT_TRANSLATE_NOOP("reasons", "disk I/O error"),
)
KNOWN = frozenset(map(str, (*_MARKED, *setup_sentences.MARKED)))
"""The templates of all clauses that have a translation."""


def translated_reason(clause: str) -> str:
    """The clause in the user's language. An unknown clause, such as an error text of llama.cpp, is returned unchanged.
    GUI thread."""
    template, values = (clause.template, clause.values) if isinstance(clause, Reason) else (clause, {})
    if template not in KNOWN:
        return clause
    text = QCoreApplication.translate("reasons", template)
    return text.format(**{name: translated_reason(value) for name, value in values.items()}) if values else text
