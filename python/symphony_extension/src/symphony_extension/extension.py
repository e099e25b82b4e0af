"""An extension: a function with a name and a version, served to the host."""

from __future__ import annotations

import inspect
import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from .call import Call, Code, Failure, Result
from .wire import METHOD_NOT_FOUND, Lines, Malformed, Message, die_with_parent, take_stdio

PROTOCOL = "symphony.extension/1"
WAITING_LIMIT = 64
"""Calls that may wait for a free thread; more are answered with BUSY."""

Function = Callable[..., Result | Mapping[str, Any]]


@dataclass(frozen=True)
class Initialize:
    """The host's greeting."""

    project: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


class Extension:
    """A function that the host can call. Made by `operator` or `instrument`."""

    def __init__(self, function: Function, name: str, version: str, max_parallel: int = 1) -> None:
        """Serves `function` under the id `name` of its manifest."""
        self.name = name
        self.version = version
        self.model: str | None = None
        self.max_parallel = max_parallel
        self._function = function
        self._signature = inspect.signature(function)
        hints = get_type_hints(function)
        self._call_parameter = next((p for p, hint in hints.items() if hint is Call), None)
        self._on_initialize: Callable[[Initialize], None] | None = None
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Result | Mapping[str, Any]:  # noqa: ANN401
        """Calls the function itself, as tests do."""
        return self._function(*args, **kwargs)

    def on_initialize(self, function: Callable[[Initialize], None]) -> Callable[[Initialize], None]:
        """Decorates a function that runs once, before the first call.

        It may set `model` and `max_parallel`, and raise `Failure` where settings
        are wrong. Slow preparation belongs on a thread: the host waits for it.
        """
        self._on_initialize = function
        return function

    def initialize(self, greeting: Initialize) -> None:
        """Runs the function of `on_initialize`."""
        if self._on_initialize is not None:
            self._on_initialize(greeting)

    def run(self, call: Call) -> Result:
        """Answers one call. Raises `Failure` only."""
        kwargs = dict(call.inputs)
        if self._call_parameter is not None:
            kwargs[self._call_parameter] = call
        try:
            bound = self._signature.bind(**kwargs)
        except TypeError as error:
            raise Failure(Code.INVALID_PARAMS, f"inputs of `{self.name}`: {error}") from error
        try:
            call.check()
            value = self._function(*bound.args, **bound.kwargs)
        except Failure:
            raise
        except Exception as error:
            # The text of a stranger's exception may hold anything, so only its kind travels.
            traceback.print_exc(file=sys.stderr)
            raise Failure(
                Code.INTERNAL_ERROR,
                f"`{self.name}` failed with {type(error).__name__}; its log holds the trace",
            ) from error
        if isinstance(value, Result):
            return value
        if isinstance(value, Mapping):
            return Result(value)
        raise Failure(
            Code.INTERNAL_ERROR,
            f"`{self.name}` returned {type(value).__name__}, not a dictionary of its outputs",
        )

    def serve(self) -> None:
        """Answers the host until it says `shutdown` or closes the pipe; does not return."""
        die_with_parent()
        status = 0
        try:
            _Service(self, take_stdio()).loop()
        except KeyboardInterrupt:
            status = 130
        sys.stderr.flush()
        # Threads of a model's library may still run and must not hold the process up.
        os._exit(status)


class _Service:
    """The loop that reads requests and the calls in flight."""

    def __init__(self, extension: Extension, lines: Lines) -> None:
        self._extension = extension
        self._lines = lines
        self._calls: dict[str, Call] = {}
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None

    def loop(self) -> None:
        for message in self._lines.read():
            if message is None:
                continue
            if isinstance(message, Malformed):
                self._lines.refuse(message.id, {"code": message.code, "message": message.why})
            elif message.method == "shutdown" and message.id is not None:
                self._cancel_all()
                self._lines.answer(message.id, {})
                return
            else:
                self._handle(message)
        self._cancel_all()

    def _handle(self, message: Message) -> None:
        handler = {
            "initialize": self._initialize,
            "invoke": self._invoke,
            "cancel": self._cancel,
            "ping": self._ping,
        }.get(message.method)
        try:
            if handler is not None:
                handler(message)
            elif message.id is not None:
                error = {"code": METHOD_NOT_FOUND, "message": f"unknown method `{message.method}`"}
                self._lines.refuse(message.id, error)
        except Failure as failure:
            if message.id is not None:
                self._lines.refuse(message.id, failure.to_json())

    def _initialize(self, message: Message) -> None:
        params = message.params
        if params.get("protocol") != PROTOCOL:
            raise Failure(Code.UNSUPPORTED, f"this extension speaks {PROTOCOL}")
        greeting = Initialize(
            params.get("project"), params.get("settings") or {}, params.get("secrets") or {}
        )
        extension = self._extension
        try:
            extension.initialize(greeting)
        except Failure:
            raise
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            raise Failure(
                Code.INTERNAL_ERROR,
                f"`{extension.name}` failed to start with {type(error).__name__}",
            ) from error
        if self._threads is None:
            self._threads = ThreadPoolExecutor(extension.max_parallel, thread_name_prefix="call")
        answer: dict[str, Any] = {
            "protocol": PROTOCOL,
            "id": extension.name,
            "version": extension.version,
            "max_parallel": extension.max_parallel,
        }
        if extension.model is not None:
            answer["model"] = extension.model
        self._lines.answer(message.id, answer)

    def _invoke(self, message: Message) -> None:
        if message.id is None:
            return
        if self._threads is None:
            raise Failure(Code.CONFLICT, "`initialize` comes before `invoke`")
        params = message.params
        name, inputs = params.get("call"), params.get("inputs")
        timeout = params.get("timeout_ms")
        if not isinstance(name, str) or not isinstance(inputs, dict):
            raise Failure(Code.INVALID_PARAMS, "`call` must be a string and `inputs` an object")
        if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int)):
            raise Failure(Code.INVALID_PARAMS, "`timeout_ms` must be an integer")
        key = str(params.get("idempotency_key", ""))
        call = Call(name, inputs, self._lines.notify, key, timeout)
        with self._lock:
            if name in self._calls:
                raise Failure(Code.CONFLICT, f"the call `{name}` is running already")
            if len(self._calls) >= WAITING_LIMIT + self._extension.max_parallel:
                raise Failure(Code.BUSY, "too many calls at once", {"retry_after_ms": 200})
            self._calls[name] = call
        self._threads.submit(self._work, call, message.id)

    def _work(self, call: Call, ident: int | str) -> None:
        try:
            answer = self._extension.run(call).to_json()
        except Failure as failure:
            self._end(call)
            self._lines.refuse(ident, failure.to_json())
            return
        except BaseException:
            self._end(call)
            traceback.print_exc(file=sys.stderr)
            error = {"code": int(Code.INTERNAL_ERROR), "message": "the call broke off"}
            self._lines.refuse(ident, error)
            return
        self._end(call)
        try:
            self._lines.answer(ident, answer)
        except (TypeError, ValueError) as error:
            why = f"an output of `{self._extension.name}` is no JSON: {error}"
            self._lines.refuse(ident, {"code": int(Code.INTERNAL_ERROR), "message": why})

    def _end(self, call: Call) -> None:
        with self._lock:
            self._calls.pop(call.name, None)

    def _cancel(self, message: Message) -> None:
        with self._lock:
            call = self._calls.get(str(message.params.get("call")))
        if call is not None:
            call.cancel()

    def _cancel_all(self) -> None:
        with self._lock:
            for call in self._calls.values():
                call.cancel()

    def _ping(self, message: Message) -> None:
        if message.id is not None:
            self._lines.answer(message.id, {})


def operator(*, name: str, version: str, max_parallel: int = 1) -> Callable[[Function], Extension]:
    """Makes an Operator of a function: the same inputs give the same outputs."""

    def wrap(function: Function) -> Extension:
        return Extension(function, name, version, max_parallel)

    return wrap


def instrument(
    *, name: str, version: str, max_parallel: int = 1
) -> Callable[[Function], Extension]:
    """Makes an Instrument of a function: a model answers behind it.

    Its function usually has the ports of a chat: `messages`, `schema`,
    `max_tokens`, `temperature` and `model`; outputs `text` and `reply`.
    """
    return operator(name=name, version=version, max_parallel=max_parallel)
