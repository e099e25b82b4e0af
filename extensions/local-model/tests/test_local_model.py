"""The model itself, behind the protocol."""

import hashlib
import os
import sys
import time
from pathlib import Path

import pytest
from symphony_extension import Code, Failure
from symphony_local_model import weights
from symphony_testing.host import Host

ROOT = Path(__file__).parents[3]
SOURCES = [ROOT / "python/symphony_extension/src", ROOT / "extensions/local-model/src"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, SOURCES))}
COMMAND = [sys.executable, "-m", "symphony_local_model"]
SUMMARY = {
    "type": "object",
    "properties": {"summary": {"type": "string", "maxLength": 120}},
    "required": ["summary"],
    "additionalProperties": False,
}


def user(text):
    return [{"role": "user", "content": text}]


def start(settings=None):
    host = Host(COMMAND, ENVIRONMENT)
    begin = time.monotonic()
    answer = host.initialize(settings=settings or {})
    return host, answer, time.monotonic() - begin


@pytest.fixture(scope="module")
def model():
    host, answer, _ = start()
    with host:
        assert "result" in answer
        yield host


def test_greets_before_the_model_is_loaded():
    host, answer, seconds = start()
    with host:
        assert seconds < 2
        result = answer["result"]
        assert result["id"] == "local-model"
        assert result["model"].startswith("smollm2-135m-instruct-q4_1@")
        assert result["max_parallel"] == 1
        call = host.invoke({"messages": user("Hi."), "max_tokens": 1})
        host.notify("cancel", {"call": f"c{call}"})
        assert host.answer(call)["error"]["code"] == Code.CANCELLED


def test_streams_and_counts(model):
    before = len(model.text())
    result = model.call({"messages": user("Say hello to Ann."), "max_tokens": 12})["result"]
    text = result["outputs"]["text"]
    assert text
    assert model.text()[before:] == text
    assert "reply" not in result["outputs"]
    usage = result["usage"]
    assert usage["model_calls"] == 1
    assert 20 < usage["input_tokens"] < 60
    assert 0 < usage["output_tokens"] <= 12


def test_the_same_question_gives_the_same_answer(model):
    question = {"messages": user("Name a colour."), "max_tokens": 16, "temperature": 0}
    other = {"messages": user("Count to three."), "max_tokens": 4}
    texts = set()
    for _ in range(2):
        texts.add(model.call(question)["result"]["outputs"]["text"])
        model.call(other)
    assert len(texts) == 1


def test_a_schema_binds_the_reply(model):
    result = model.call({"messages": user("What is a cat?"), "schema": SUMMARY})["result"]
    reply = result["outputs"]["reply"]
    assert set(reply) == {"summary"}
    assert isinstance(reply["summary"], str)


def test_a_reply_cut_off_is_asked_for_with_more_room(model):
    question = {"messages": user("What is a cat?"), "schema": SUMMARY, "max_tokens": 4}
    answer = model.call(question)
    if "result" in answer:
        assert answer["result"]["usage"]["model_calls"] == 2
    else:
        assert answer["error"]["code"] == Code.UPSTREAM
        assert answer["error"]["data"] == {"retryable": True}


def test_cancel_stops_the_model(model):
    known = len(model.notifications)
    call = model.invoke({"messages": user("Write a long story."), "max_tokens": 1500}, call="story")
    while len(model.notifications) < known + 3:
        model.line()
    begin = time.monotonic()
    model.notify("cancel", {"call": "story"})
    assert model.answer(call)["error"]["code"] == Code.CANCELLED
    model.call({"messages": user("Hi."), "max_tokens": 1})
    assert time.monotonic() - begin < 5


def test_the_hosts_time_out_stops_the_model(model):
    begin = time.monotonic()
    answer = model.call(
        {"messages": user("Write a long story."), "max_tokens": 1500}, timeout_ms=300
    )
    assert answer["error"]["code"] == Code.TIMEOUT
    assert time.monotonic() - begin < 5


def test_a_prompt_that_is_too_long_says_so(model):
    error = model.call({"messages": user("word " * 5000)})["error"]
    assert error["code"] == Code.UNSUPPORTED
    assert error["data"]["limit"] == 4096
    assert error["data"]["prompt_tokens"] > 5000
    assert "5031 tokens" in error["message"]


@pytest.mark.parametrize(
    ("inputs", "code", "part"),
    [
        ({}, Code.INVALID_PARAMS, "messages"),
        ({"messages": []}, Code.INVALID_PARAMS, "messages"),
        ({"messages": [{"role": "robot", "content": ""}]}, Code.INVALID_PARAMS, "messages[0]"),
        ({"messages": user("x"), "max_tokens": 0}, Code.INVALID_PARAMS, "max_tokens"),
        ({"messages": user("x"), "schema": {"type": "nonsense"}}, Code.INVALID_PARAMS, "schema"),
        ({"messages": user("x"), "model": "gpt-9"}, Code.NOT_FOUND, "gpt-9"),
    ],
)
def test_wrong_inputs_are_named(model, inputs, code, part):
    error = model.call(inputs)["error"]
    assert error["code"] == code
    assert part in error["message"]


@pytest.mark.parametrize("name", ["SmolLM2-135M-Instruct", weights.NAME, "local"])
def test_the_model_answers_to_its_names(model, name):
    assert "result" in model.call({"messages": user("Hi."), "max_tokens": 1, "model": name})


def test_wrong_settings_are_named():
    host, answer, _ = start({"threads": 0})
    with host:
        assert answer["error"]["code"] == Code.INVALID_PARAMS
        assert "threads" in answer["error"]["message"]


def test_the_model_is_known_by_its_content(tmp_path):
    one, two = tmp_path / "one.gguf", tmp_path / "two.gguf"
    one.write_bytes(b"a" * 10)
    two.write_bytes(b"b" * 10)
    assert weights.model_id(one) != weights.model_id(two)
    digest = hashlib.sha256(b"10" + b"a" * 10).hexdigest()[:12]
    assert digest in weights.model_id(one)


def test_a_missing_model_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package")
    with pytest.raises(Failure, match="uv sync"):
        weights.find()
