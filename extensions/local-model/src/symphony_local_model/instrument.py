"""The chat: its ports, and replies that fit a JSON Schema."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from symphony_extension import Call, Code, Failure, Initialize, Result, Usage, instrument

from . import weights
from .engine import CONTEXT, Engine

VERSION = "0.1.0"
MAX_TOKENS = 256
"""Tokens written when the caller names no limit."""
ROLES = ("system", "user", "assistant")

_engine: Engine | None = None


@instrument(name="local-model", version=VERSION)
def local_model(
    call: Call,
    messages: list[dict[str, Any]],
    schema: dict[str, Any] | None = None,
    max_tokens: int | None = None,
    temperature: float | None = None,
    model: str | None = None,
) -> Result:
    """Answers a conversation with SmolLM2-135M."""
    if _engine is None:
        raise Failure(Code.CONFLICT, "`initialize` comes before the first call")
    if model is not None and not weights.is_name(model):
        raise Failure(Code.NOT_FOUND, f"no model `{model}` here, only `{weights.NAME}`")
    request: dict[str, Any] = {
        "messages": _checked(messages),
        "max_tokens": _limit(max_tokens),
        "temperature": 0 if temperature is None else temperature,
    }
    if schema is None:
        reply = _engine.chat(call, request)
        return Result({"text": reply.text}, reply.usage)
    return _structured(_engine, call, request, schema)


def _structured(
    engine: Engine, call: Call, request: dict[str, Any], schema: dict[str, Any]
) -> Result:
    """Asks under a schema; a reply cut off by the limit is asked for once more with more room."""
    request["response_format"] = {
        "type": "json_schema",
        "json_schema": {"name": "reply", "schema": schema},
    }
    usage = Usage()
    for room in (request["max_tokens"], min(4 * request["max_tokens"], CONTEXT)):
        reply = engine.chat(call, {**request, "max_tokens": room})
        usage += reply.usage
        try:
            value = json.loads(reply.text)
        except ValueError:
            if reply.truncated:
                continue
            raise Failure(
                Code.UPSTREAM, "the model's reply is not JSON", {"retryable": True}
            ) from None
        return Result({"text": reply.text, "reply": value}, usage)
    raise Failure(
        Code.UPSTREAM,
        f"the model's reply did not end within {room} tokens; "
        "give strings of the schema a `maxLength`",
        {"retryable": True},
    )


@local_model.on_initialize
def _initialize(greeting: Initialize) -> None:
    global _engine  # noqa: PLW0603 - one model a process
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = _setting(greeting.settings, "threads", max(1, (cores or 1) - 1))
    slots = _setting(greeting.settings, "max_parallel", 1)
    path = weights.find()
    local_model.model = weights.model_id(path)
    local_model.max_parallel = slots
    _engine = Engine(path, threads, slots)


def _setting(settings: Mapping[str, Any], name: str, default: int) -> int:
    value = settings.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 64:
        raise Failure(Code.INVALID_PARAMS, f"the setting `{name}` must be a number from 1 to 64")
    return value


def _limit(max_tokens: int | None) -> int:
    if max_tokens is None:
        return MAX_TOKENS
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < 1:
        raise Failure(Code.INVALID_PARAMS, "`max_tokens` must be a positive integer")
    return min(max_tokens, CONTEXT)


def _checked(messages: object) -> list[dict[str, str]]:
    if not isinstance(messages, list) or not messages:
        raise Failure(Code.INVALID_PARAMS, "`messages` must be a list with at least one message")
    for index, message in enumerate(messages):
        if (
            not isinstance(message, dict)
            or message.get("role") not in ROLES
            or not isinstance(message.get("content"), str)
        ):
            raise Failure(
                Code.INVALID_PARAMS,
                f"`messages[{index}]` needs a `role` ({', '.join(ROLES)}) and a `content`",
            )
    return [{"role": m["role"], "content": m["content"]} for m in messages]
