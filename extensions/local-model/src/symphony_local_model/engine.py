"""llama.cpp with the model loaded: a request in, pieces of text out."""

from __future__ import annotations

import os
import secrets
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symphony_extension import Call, Code, Failure, Usage

CONTEXT = 4096
"""Tokens of a prompt and its reply together, in each slot."""
SEED = 1


@dataclass(frozen=True)
class Reply:
    """What the model wrote, and whether it came to its own end."""

    text: str
    truncated: bool
    usage: Usage
    cached_tokens: int


@dataclass
class _Stream:
    """What has arrived of one reply."""

    text: str = ""
    finish: str | None = None
    usage: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class Engine:
    """Loads the model on a thread of its own; the first request waits for it."""

    def __init__(self, path: Path, threads: int, slots: int) -> None:
        """Starts to load the file."""
        self._path = path
        self._threads = threads
        self._slots = slots
        self._server: Any = None
        self._problem: str | None = None
        self._ready = threading.Event()
        threading.Thread(target=self._load, name="load-model", daemon=True).start()

    def _load(self) -> None:
        try:
            self._server = _start(self._path, self._threads, self._slots)
        except Exception as error:
            sys.stderr.write(f"loading {self._path} failed: {error!r}\n")
            self._problem = f"the model cannot be loaded: {type(error).__name__}"
        finally:
            self._ready.set()

    def chat(self, call: Call, request: dict[str, Any]) -> Reply:
        """Runs one request. Text goes to the host as it comes."""
        while not self._ready.wait(0.05):
            call.check()
        if self._problem is not None:
            raise Failure(Code.UPSTREAM, self._problem, {"retryable": False})
        stream = _Stream()
        body = {
            **request,
            "stream": True,
            "stream_options": {"include_usage": True},
            "cache_prompt": True,
            "seed": SEED,
        }
        try:
            self._server.handle_chat_completions(body, _receiver(call, stream))
        except ValueError as error:
            raise Failure(Code.INVALID_PARAMS, f"llama.cpp refused the request: {error}") from error
        call.check()
        return _reply(stream)


def _receiver(call: Call, stream: _Stream) -> Callable[[Any], bool]:
    """The function llama.cpp calls with each piece; its `True` stops the model."""

    def receive(chunk: Any) -> bool:  # noqa: ANN401 - a piece of JSON of any shape
        for part in chunk if isinstance(chunk, list) else [chunk]:
            if "error" in part:
                stream.error = part["error"]
                return True
            stream.usage = part.get("usage") or stream.usage
            for choice in part.get("choices") or []:
                stream.finish = choice.get("finish_reason") or stream.finish
                piece = (choice.get("delta") or {}).get("content")
                if piece:
                    stream.text += piece
                    call.text(piece)
        remaining = call.remaining
        return call.cancelled or (remaining is not None and remaining <= 0)

    return receive


def _reply(stream: _Stream) -> Reply:
    error = stream.error
    if error is not None:
        if error.get("type") == "exceed_context_size_error":
            raise Failure(
                Code.UNSUPPORTED,
                f"the prompt has {error.get('n_prompt_tokens')} tokens and this model reads "
                f"{error.get('n_ctx')}; send less text or choose a larger model",
                {"prompt_tokens": error.get("n_prompt_tokens"), "limit": error.get("n_ctx")},
            )
        if error.get("code") == 400:
            raise Failure(Code.INVALID_PARAMS, str(error.get("message")))
        raise Failure(Code.UPSTREAM, f"llama.cpp: {error.get('message')}", {"retryable": True})
    if stream.finish is None:
        raise Failure(Code.UPSTREAM, "the model broke off", {"retryable": True})
    usage = stream.usage or {}
    return Reply(
        stream.text,
        stream.finish == "length",
        Usage(1, usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)),
        (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0),
    )


def _start(path: Path, threads: int, slots: int) -> Any:  # noqa: ANN401 - untyped library
    # A waiting thread must sleep: spinning ones slow each other down thirtyfold on busy cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import xllamacpp  # noqa: PLC0415 - a hundred megabytes that `initialize` need not wait for

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {path.stem}
    params.n_ctx = CONTEXT * slots
    params.n_parallel = slots
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.verbosity = 0
    params.cache_ram_mib = 256
    # The library cannot be told not to listen. On Linux it listens on a socket
    # without a file, elsewhere on loopback, and everywhere nobody has the key.
    params.api_keys = [secrets.token_hex(32)]
    params.ui = False
    params.endpoint_slots = False
    if sys.platform.startswith("linux"):
        params.hostnames = [f"@symphony-local-model-{secrets.token_hex(8)}.sock"]
    return xllamacpp.Server(params)
