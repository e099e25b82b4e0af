"""A call of the host, and what may come out of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any


class Code(IntEnum):
    """Why a call has no result; the host decides by it what to do next."""

    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    CANCELLED = -32800
    NOT_FOUND = -32001
    CONFLICT = -32002
    REFUSED = -32003
    UNSUPPORTED = -32004
    IO = -32005
    TIMEOUT = -32006
    BUSY = -32007
    UPSTREAM = -32008


class Failure(Exception):
    """Ends the call with an error that the host understands.

    `message` is for people: what was wrong and what helps. `data` is for
    programs: `retryable` with UPSTREAM and TIMEOUT, `retry_after_ms` with BUSY.
    """

    def __init__(self, code: Code, message: str, data: Mapping[str, Any] | None = None) -> None:
        """Makes a failure with a code of the protocol."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = dict(data) if data is not None else None

    def to_json(self) -> dict[str, Any]:
        """The error object of JSON-RPC."""
        error: dict[str, Any] = {"code": int(self.code), "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return error


@dataclass(frozen=True)
class Usage:
    """What a call consumed; the run adds it up."""

    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        """The sum of both."""
        return Usage(
            self.model_calls + other.model_calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
        )


@dataclass(frozen=True)
class Result:
    """Output ports together with what they took; a plain dictionary means no usage."""

    outputs: Mapping[str, Any]
    usage: Usage = field(default_factory=Usage)

    def to_json(self) -> dict[str, Any]:
        """The answer to `invoke`."""
        return {"outputs": dict(self.outputs), "usage": asdict(self.usage)}


Notify = Callable[[str, dict[str, Any]], None]


class Call:
    """One call of the host, as the function that answers it sees it."""

    def __init__(
        self,
        name: str,
        inputs: Mapping[str, Any],
        notify: Notify,
        idempotency_key: str = "",
        timeout_ms: int | None = None,
    ) -> None:
        """Made by the extension for each `invoke`, and by tests."""
        self.name = name
        self.inputs = inputs
        self.idempotency_key = idempotency_key
        self.deadline = None if timeout_ms is None else time.monotonic() + timeout_ms / 1000
        self._notify = notify
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether the host no longer wants the result. Ask often in long work."""
        return self._cancelled.is_set()

    @property
    def remaining(self) -> float | None:
        """Seconds until the host gives up; `None` when it waits as long as it takes."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def cancel(self) -> None:
        """Marks the call as no longer wanted."""
        self._cancelled.set()

    def wait(self, seconds: float) -> None:
        """Sleeps, but ends the call at once when it is cancelled."""
        self._cancelled.wait(seconds)
        self.check()

    def check(self) -> None:
        """Raises the failure CANCELLED or TIMEOUT when there is no use in going on."""
        if self.cancelled:
            raise Failure(Code.CANCELLED, "the call was cancelled")
        remaining = self.remaining
        if remaining is not None and remaining <= 0:
            raise Failure(
                Code.TIMEOUT, "the call took longer than the host waits", {"retryable": True}
            )

    def progress(self, done: int, total: int | None = None, message: str = "") -> None:
        """Tells how far the call is."""
        params: dict[str, Any] = {"call": self.name, "done": done, "message": message}
        if total is not None:
            params["total"] = total
        self._notify("progress", params)

    def text(self, delta: str) -> None:
        """Streams the next piece of a model's text."""
        if delta:
            self._notify("text", {"call": self.name, "text": delta})

    def log(self, message: str, level: str = "info") -> None:
        """Writes a line to the host's log; `level` is debug, info, warn or error."""
        self._notify("log", {"level": level, "message": message})
