"""The scripted server plays its script."""

import http.client
import json
import threading

import pytest
from symphony_testing.model_server import Script, Server


@pytest.fixture
def play(tmp_path):
    servers = []

    def start(rules):
        script = Script(rules, ["tiny"], tmp_path / "log.jsonl")
        server = Server(script)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def ask(server, text="hi", **body):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    whole = {"model": "tiny", "messages": [{"role": "user", "content": text}], **body}
    connection.request("POST", "/v1/chat/completions", json.dumps(whole))
    response = connection.getresponse()
    data = response.read().decode()
    connection.close()
    return response, data


def content(data):
    return json.loads(data)["choices"][0]["message"]["content"]


def test_rules_are_chosen_by_text_number_and_times(play):
    server = play(
        [
            {"match": "plan", "json": {"a": 1}},
            {"request": 2, "reply": "second"},
            {"times": 1, "reply": "once"},
            {"reply": "else"},
        ]
    )
    replies = [content(ask(server, text)[1]) for text in ("x", "x", "x", "a plan")]
    assert replies == ["once", "second", "else", '{"a": 1}']


def test_streams_with_usage(play):
    _, data = ask(
        play([{"chunks": ["a", "b"]}]), stream=True, stream_options={"include_usage": True}
    )
    events = [line[6:] for line in data.splitlines() if line]
    assert events[-1] == "[DONE]"
    deltas = [json.loads(e)["choices"] for e in events[:-1]]
    assert [d[0]["delta"].get("content") for d in deltas if d] == ["a", "b", None]
    assert json.loads(events[-2])["usage"]["completion_tokens"] == 1


def test_faults(play):
    server = play(
        [
            {"match": "busy", "status": 429, "headers": {"Retry-After": "3"}},
            {"match": "cut", "chunks": ["a", "b"], "cut_after": 1},
            {"match": "raw", "raw": "data: {"},
        ]
    )
    response, _ = ask(server, "busy")
    assert (response.status, response.getheader("Retry-After")) == (429, "3")
    _, data = ask(server, "cut", stream=True)
    assert "[DONE]" not in data
    assert data.count("data:") == 1
    assert ask(server, "raw", stream=True)[1] == "data: {"
    assert ask(server, "no rule")[0].status == 500


def test_every_request_is_logged(play, tmp_path):
    server = play([{"format": "json_schema", "reply": "{}"}, {"reply": "x"}])
    ask(server, "one")
    ask(server, "two", response_format={"type": "json_schema"})
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(e["request"], e["rule"]) for e in entries] == [(1, 1), (2, 0)]
    assert entries[1]["body"]["messages"][0]["content"] == "two"
