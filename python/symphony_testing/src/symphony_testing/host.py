"""The host's side of an extension: starts it, calls it, reads its answers."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import Any

PROTOCOL = "symphony.extension/1"
PATIENCE = 30.0
"""Seconds until a missing answer fails the test."""


class Host:
    """A running extension and the lines it wrote. Use as a context manager."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Starts the extension."""
        self.process = subprocess.Popen(  # noqa: S603 - the test's own command
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment) if environment is not None else None,
        )
        self.notifications: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._answers: dict[int | str | None, dict[str, Any]] = {}
        self._next = 0
        self._readers = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Host:
        """The host itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the extension, whatever it is doing."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        for line in self.process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None  # noqa: S101 - it is a pipe
        for line in self.process.stderr:
            self.errors.append(line.decode("utf-8", errors="replace"))

    def raw(self, line: bytes) -> None:
        """Writes bytes as they are."""
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def close(self) -> int:
        """Closes the extension's input and waits for its end; gives its exit code."""
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def send(self, method: str, params: Mapping[str, Any] | None = None) -> int:
        """Sends a request; `answer` waits for its answer."""
        self._next += 1
        message = {"jsonrpc": "2.0", "id": self._next, "method": method, "params": params or {}}
        self.raw(json.dumps(message).encode() + b"\n")
        return self._next

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Sends a notification."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        self.raw(json.dumps(message).encode() + b"\n")

    def line(self) -> dict[str, Any]:
        """The next line of the extension."""
        line = self._lines.get(timeout=PATIENCE)
        if line is None:
            raise EOFError("the extension ended: " + "".join(self.errors))
        if "method" in line:
            self.notifications.append(line)
        else:
            self._answers[line.get("id")] = line
        return line

    def answer(self, ident: int | None) -> dict[str, Any]:
        """Waits for the answer to a request."""
        while ident not in self._answers:
            self.line()
        return self._answers.pop(ident)

    def initialize(self, **params: object) -> dict[str, Any]:
        """Greets the extension."""
        return self.answer(self.send("initialize", {"protocol": PROTOCOL, **params}))

    def invoke(self, inputs: Mapping[str, Any], call: str = "", **params: object) -> int:
        """Starts a call, named `c` and its number where no name is given."""
        name = call or f"c{self._next + 1}"
        return self.send("invoke", {"call": name, "inputs": inputs, **params})

    def call(self, inputs: Mapping[str, Any], call: str = "", **params: object) -> dict[str, Any]:
        """A call and its answer."""
        return self.answer(self.invoke(inputs, call, **params))

    def wait_for(self, method: str) -> dict[str, Any]:
        """Waits for a notification and gives its parameters."""
        while True:
            for note in self.notifications:
                if note["method"] == method:
                    params: dict[str, Any] = note["params"]
                    return params
            self.line()

    def text(self) -> str:
        """The text streamed so far."""
        return "".join(n["params"]["text"] for n in self.notifications if n["method"] == "text")
