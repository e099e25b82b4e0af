"""A scripted OpenAI-compatible server with faults.

    python -m symphony_testing.model_server --script FILE [--port 0] [--log FILE]

The first line it prints is its port. The script is JSON:

    {"models": ["tiny"],
     "rules": [
       {"match": "plan", "json": {"steps": []}},
       {"request": 2, "status": 429, "headers": {"Retry-After": "1"}},
       {"match": "slow", "delay_ms": 500, "reply": "done", "times": 1},
       {"reply": "anything else"}]}

Of each request the first rule that applies is played.

When it applies: `match` (part of the last user message), `request` (number of
the request, from 1), `times` (plays at most so often), `format` (the type of
the request's `response_format`, or "none").

What it plays: `reply` (text), `json` (any JSON, as text) or `chunks` (a list of
texts); `status` with `headers` and `body`; `raw` (the bytes of the answer's
body, as they are); `delay_ms` before the first byte; `chunk_delay_ms` before
each chunk; `cut_after` (chunks, then the connection breaks); `stall_after`
(chunks, then silence); `hang` (never answers); `whole` (does not stream, though
asked to); `usage` (an object, or false); `finish` (the `finish_reason`, "stop"
when absent).

Each request is a line of the log: number, path, headers, body, the rule that
was played. A client that went away early adds a line with `"gone": true`.
"""

from __future__ import annotations

import argparse
import json
import select
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HANG_SECONDS = 120
PIECE = 12
"""Characters in a chunk, where a rule has text and no chunks."""


@dataclass
class Script:
    """What to answer, and what was asked."""

    rules: list[dict[str, Any]]
    models: list[str] = field(default_factory=lambda: ["scripted"])
    log: Path | None = None
    requests: int = 0
    played: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def read(cls, path: Path, log: Path | None = None) -> Script:
        """Reads a script's file."""
        value = json.loads(path.read_text(encoding="utf-8"))
        return cls(value["rules"], value.get("models", ["scripted"]), log)

    def next(self, body: dict[str, Any]) -> tuple[int, int | None, dict[str, Any]]:
        """The number of the request, and the rule to play with its index."""
        last = _last_user_message(body)
        wanted = (body.get("response_format") or {}).get("type", "none")
        with self.lock:
            self.requests += 1
            for index, rule in enumerate(self.rules):
                played = self.played.get(index, 0)
                if (
                    rule.get("match", "") in last
                    and rule.get("request", self.requests) == self.requests
                    and rule.get("format", wanted) == wanted
                    and played < rule.get("times", sys.maxsize)
                ):
                    self.played[index] = played + 1
                    return self.requests, index, rule
            return self.requests, None, {"status": 500, "body": "no rule of the script applies"}

    def record(self, entry: dict[str, Any]) -> None:
        """Adds a line to the log."""
        if self.log is not None:
            with self.lock, self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")


def _last_user_message(body: dict[str, Any]) -> str:
    for message in reversed(body.get("messages") or []):
        if message.get("role") == "user":
            return str(message.get("content"))
    return ""


def _chunks(rule: dict[str, Any]) -> list[str]:
    if "chunks" in rule:
        return [str(chunk) for chunk in rule["chunks"]]
    text = json.dumps(rule["json"]) if "json" in rule else str(rule.get("reply", ""))
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


def _usage(rule: dict[str, Any], body: dict[str, Any], chunks: list[str]) -> dict[str, int] | None:
    if rule.get("usage") is False:
        return None
    if isinstance(rule.get("usage"), dict):
        return dict(rule["usage"])
    asked = sum(len(str(m.get("content"))) for m in body.get("messages") or []) // 4
    written = max(1, sum(map(len, chunks)) // 4)
    return {
        "prompt_tokens": asked,
        "completion_tokens": written,
        "total_tokens": asked + written,
    }


class Handler(BaseHTTPRequestHandler):
    """Plays the script of its server."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: object) -> None:
        """The log is a file of its own."""

    def do_GET(self) -> None:
        """Lists the models."""
        if self.path.rstrip("/").endswith("/models"):
            models = [{"id": name, "object": "model"} for name in self.server.script.models]
            self._whole(200, json.dumps({"object": "list", "data": models}))
        else:
            self._whole(404, "not found")

    def do_POST(self) -> None:
        """Answers a chat completion."""
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body = json.loads(raw)
        except ValueError:
            self._whole(400, "the body is not JSON")
            return
        if not self.path.endswith("/chat/completions"):
            self._whole(404, "not found")
            return
        script = self.server.script
        number, index, rule = script.next(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        entry = {"request": number, "path": self.path, "headers": headers, "body": body}
        script.record({**entry, "rule": index})
        self.close_connection = True
        try:
            self._play(rule, body)
        except (BrokenPipeError, ConnectionResetError):
            script.record({"request": number, "gone": True})

    def _play(self, rule: dict[str, Any], body: dict[str, Any]) -> None:
        if rule.get("hang"):
            self._silence(HANG_SECONDS)
            return
        self._silence(rule.get("delay_ms", 0) / 1000)
        status = rule.get("status", 200)
        if status != 200:
            text = rule.get("body", json.dumps({"error": {"message": f"scripted {status}"}}))
            self._whole(status, text, rule.get("headers"))
        elif body.get("stream") and not rule.get("whole"):
            self._stream(rule, body)
        elif "raw" in rule:
            self._whole(200, rule["raw"])
        else:
            chunks = _chunks(rule)
            choice = {
                "index": 0,
                "message": {"role": "assistant", "content": "".join(chunks)},
                "finish_reason": rule.get("finish", "stop"),
            }
            answer = {"object": "chat.completion", "model": body.get("model"), "choices": [choice]}
            usage = _usage(rule, body, chunks)
            self._whole(200, json.dumps({**answer, "usage": usage} if usage else answer))

    def _stream(self, rule: dict[str, Any], body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        if "raw" in rule:
            self._send(rule["raw"])
            return
        chunks = _chunks(rule)
        for index, chunk in enumerate(chunks):
            if index == rule.get("cut_after"):
                return
            if index == rule.get("stall_after"):
                self._silence(HANG_SECONDS)
                return
            self._silence(rule.get("chunk_delay_ms", 0) / 1000)
            self._event(body, [{"index": 0, "delta": {"content": chunk}, "finish_reason": None}])
        finish = rule.get("finish", "stop")
        self._event(body, [{"index": 0, "delta": {}, "finish_reason": finish}])
        usage = _usage(rule, body, chunks)
        if usage and (body.get("stream_options") or {}).get("include_usage"):
            self._event(body, [], usage)
        self._send("data: [DONE]\n\n")

    def _event(
        self, body: dict[str, Any], choices: list[Any], usage: dict[str, int] | None = None
    ) -> None:
        event: dict[str, Any] = {
            "object": "chat.completion.chunk",
            "model": body.get("model"),
            "choices": choices,
        }
        if usage:
            event["usage"] = usage
        self._send(f"data: {json.dumps(event)}\n\n")

    def _send(self, text: str) -> None:
        self.wfile.write(text.encode("utf-8"))
        self.wfile.flush()

    def _whole(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        data = text.encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _silence(self, seconds: float) -> None:
        """Waits, and notices a client that goes away meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            readable, _, _ = select.select([self.connection], [], [], left)
            if readable:
                raise ConnectionResetError("the client went away")


class Server(ThreadingHTTPServer):
    """The server of one script, on loopback."""

    daemon_threads = True

    def __init__(self, script: Script, port: int = 0) -> None:
        """Listens on `port`; 0 takes a free one."""
        self.script = script
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that breaks off is part of the play."""


def main() -> None:
    """Serves until it is stopped, or until its input closes when asked to."""
    parser = argparse.ArgumentParser(description="A scripted OpenAI-compatible server with faults.")
    parser.add_argument("--script", type=Path, required=True, help="the rules, as JSON")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--log", type=Path, help="a line of JSON for each request")
    parser.add_argument(
        "--until-input-closes", action="store_true", help="end when the standard input closes"
    )
    arguments = parser.parse_args()
    server = Server(Script.read(arguments.script, arguments.log), arguments.port)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    if arguments.until_input_closes:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.buffer.read()
    else:
        server.serve_forever()


if __name__ == "__main__":
    main()
