"""Lines of JSON-RPC 2.0 over the standard input and output of the process."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

MAX_LINE_BYTES = 256 * 1024 * 1024
PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601


@dataclass(frozen=True)
class Message:
    """A request (with an id) or a notification (without)."""

    method: str
    params: dict[str, Any]
    id: int | str | None


@dataclass(frozen=True)
class Malformed:
    """A line that is no message, with the error its sender gets."""

    code: int
    why: str
    id: int | str | None = None


def parse(line: bytes) -> Message | Malformed | None:
    """Reads one line; `None` stands for a response, which nobody here waits for."""
    try:
        value = json.loads(line.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        return Malformed(PARSE_ERROR, f"the line is not JSON: {error}")
    if not isinstance(value, dict):
        return Malformed(INVALID_REQUEST, "a message is a JSON object")
    ident = value.get("id")
    if isinstance(ident, bool) or not isinstance(ident, int | str | None):
        return Malformed(INVALID_REQUEST, "`id` is neither an integer nor a string")
    if value.get("jsonrpc") != "2.0":
        return Malformed(INVALID_REQUEST, '`jsonrpc` must be "2.0"', ident)
    if "method" not in value:
        if "result" in value or "error" in value:
            return None
        return Malformed(INVALID_REQUEST, "`method` is missing", ident)
    method, params = value["method"], value.get("params")
    if not isinstance(method, str):
        return Malformed(INVALID_REQUEST, "`method` must be a string", ident)
    if params is None:
        params = {}
    if not isinstance(params, dict):
        return Malformed(INVALID_REQUEST, "`params` must be an object", ident)
    return Message(method, params, ident)


class Lines:
    """The two ends of the pipe. Writing is safe from any thread."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        """Reads from `source`, writes to `sink`."""
        self._source = source
        self._sink = sink
        self._lock = threading.Lock()

    def read(self) -> Iterator[Message | Malformed | None]:
        """Each line until the host closes the pipe."""
        while line := self._source.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                while line and not line.endswith(b"\n"):
                    line = self._source.readline(MAX_LINE_BYTES)
                yield Malformed(PARSE_ERROR, f"the line is longer than {MAX_LINE_BYTES} bytes")
            elif not line.strip():
                yield Malformed(INVALID_REQUEST, "the line is empty")
            else:
                yield parse(line)

    def notify(self, method: str, params: dict[str, Any]) -> None:
        """Sends a notification."""
        self._write({"jsonrpc": "2.0", "method": method, "params": params})

    def answer(self, ident: int | str | None, result: dict[str, Any]) -> None:
        """Answers a request."""
        self._write({"jsonrpc": "2.0", "id": ident, "result": result})

    def refuse(self, ident: int | str | None, error: dict[str, Any]) -> None:
        """Answers a request with an error."""
        self._write({"jsonrpc": "2.0", "id": ident, "error": error})

    def _write(self, message: dict[str, Any]) -> None:
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        # A lone surrogate has no UTF-8: it is replaced, so that no text can break the line.
        data = line.encode("utf-8", errors="replace") + b"\n"
        with self._lock:
            try:
                self._sink.write(data)
                self._sink.flush()
            except (BrokenPipeError, ValueError):
                # The host is gone: nobody is left to work for.
                os._exit(0)


def take_stdio() -> Lines:
    """Takes the standard input and output for the protocol.

    Whatever else in the process writes to the standard output, `print` as well
    as a C library, lands on the standard error from here on.
    """
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout.flush()
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return Lines(source, sink)


def die_with_parent() -> None:
    """Asks Linux to end this process when its parent ends, if nobody has asked yet.

    Elsewhere the end of the standard input says the same, a little later.
    """
    if not sys.platform.startswith("linux"):
        return
    set_signal, get_signal = 1, 2
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    current = ctypes.c_int(0)
    if libc.prctl(get_signal, ctypes.byref(current), 0, 0, 0) == 0 and current.value:
        return
    libc.prctl(set_signal, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)
