"""A real extension process, spoken to as the host does."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from symphony_extension import Call, Code, Failure, Usage, operator
from symphony_testing.host import PROTOCOL, Host

HERE = Path(__file__).parent
SOURCES = HERE.parent / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCES)}
COMMAND = [sys.executable, str(HERE / "sample.py")]


@pytest.fixture
def fresh():
    with Host(COMMAND, ENVIRONMENT) as host:
        yield host


@pytest.fixture
def host(fresh):
    assert "result" in fresh.initialize()
    return fresh


def code(answer):
    return answer["error"]["code"]


def test_greeting(fresh):
    answer = fresh.initialize(settings={"model": "m1"}, secrets={"api-key": "very-secret"})
    assert answer["result"] == {
        "protocol": PROTOCOL,
        "id": "sample",
        "version": "1.2.3",
        "max_parallel": 2,
        "model": "m1",
    }
    assert fresh.close() == 0
    assert "very-secret" not in "".join(fresh.errors)


def test_greeting_refused(fresh):
    assert code(fresh.answer(fresh.send("initialize", {"protocol": "other/9"}))) == Code.UNSUPPORTED
    assert code(fresh.call({"mode": "echo"})) == Code.CONFLICT
    answer = fresh.initialize(settings={"broken": True})
    assert code(answer) == Code.REFUSED


@pytest.mark.parametrize("value", [None, 1.5, "ü\n\u2028", [1, {"a": []}], "x" * 300_000])
def test_values_come_back(host, value):
    assert host.call({"mode": "echo", "value": value})["result"] == {
        "outputs": {"value": value},
        "usage": {"model_calls": 0, "input_tokens": 0, "output_tokens": 0},
    }


def test_usage_adds_up(host):
    usage = host.call({"mode": "usage"})["result"]["usage"]
    assert usage == {"model_calls": 2, "input_tokens": 21, "output_tokens": 4}


def test_prints_land_in_the_log(host):
    assert host.call({"mode": "print"})["result"]["outputs"] == {"printed": True}
    assert host.close() == 0
    log = "".join(host.errors)
    assert "printed by the author" in log
    assert "written by a C library" in log


def test_notifications_name_their_call(host):
    host.call({"mode": "tell"}, call="mine")
    assert [(n["method"], n["params"]) for n in host.notifications] == [
        ("progress", {"call": "mine", "done": 1, "total": 3, "message": "a third"}),
        ("text", {"call": "mine", "text": "Grüße"}),
        ("log", {"level": "warn", "message": "hello"}),
    ]


def test_failures(host):
    assert host.call({"mode": "fail"})["error"] == {
        "code": Code.BUSY,
        "message": "later",
        "data": {"retry_after_ms": 5},
    }
    crash = host.call({"mode": "crash"})
    assert code(crash) == Code.INTERNAL_ERROR
    assert "ValueError" in crash["error"]["message"]
    assert "secret-in-exception" not in crash["error"]["message"]
    assert code(host.call({"mode": "wrong-type"})) == Code.INTERNAL_ERROR
    assert code(host.call({"mode": "not-json"})) == Code.INTERNAL_ERROR
    assert host.call({"mode": "surrogate"})["result"]["outputs"] == {"value": "a?b"}
    host.close()
    assert "secret-in-exception" in "".join(host.errors)


def test_inputs_are_named(host):
    for inputs, part in [({}, "mode"), ({"mode": "echo", "other": 1}, "other")]:
        answer = host.call(inputs)
        assert code(answer) == Code.INVALID_PARAMS
        assert part in answer["error"]["message"]


def test_ping_and_cancel_while_a_call_runs(host):
    call = host.invoke({"mode": "wait"}, call="long")
    host.wait_for("text")
    start = time.monotonic()
    assert host.answer(host.send("ping"))["result"] == {}
    host.notify("cancel", {"call": "unknown"})
    host.notify("cancel", {"call": "long"})
    assert code(host.answer(call)) == Code.CANCELLED
    assert time.monotonic() - start < 5


def test_time_out(host):
    call = host.invoke({"mode": "sleep"}, call="first", timeout_ms=60_000)
    assert code(host.call({"mode": "echo"}, timeout_ms=0)) == Code.TIMEOUT
    assert 0 < host.answer(call)["result"]["outputs"]["remaining"] < 60


def test_calls_run_beside_each_other_and_wait_their_turn(host):
    start = time.monotonic()
    calls = [host.invoke({"mode": "sleep"}) for _ in range(4)]
    for call in calls:
        assert "result" in host.answer(call)
    assert 0.75 < time.monotonic() - start < 5


def test_too_many_calls_are_refused(host):
    calls = [host.invoke({"mode": "wait"}, call=f"n{n}") for n in range(70)]
    refused = [code(host.answer(call)) for call in calls[66:]]
    assert refused == [Code.BUSY] * 4
    assert code(host.call({"mode": "echo"}, call="n0")) == Code.CONFLICT


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"not json", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 100_000, -32700),
        (b"", -32600),
        (b"[]", -32600),
        (b'{"id":1,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}', -32600),
        (b'{"jsonrpc":"2.0","id":7,"method":"nonsense"}', -32601),
        (b'{"jsonrpc":"2.0","id":7,"method":"invoke"}', -32602),
    ],
)
def test_bad_lines_are_answered_and_the_process_lives(host, line, expected):
    host.raw(line + b"\n")
    answer = host.line()
    assert code(answer) == expected
    assert answer["id"] in (None, 1, 7)
    assert "result" in host.call({"mode": "echo"})


def test_responses_and_unknown_notifications_are_let_pass(host):
    host.raw(b'{"jsonrpc":"2.0","id":3,"result":{}}\n{"jsonrpc":"2.0","method":"news"}\n')
    assert "result" in host.answer(host.send("ping"))


def test_shutdown_ends_the_process_though_a_call_runs(host):
    host.invoke({"mode": "wait"})
    host.wait_for("text")
    assert host.answer(host.send("shutdown"))["result"] == {}
    assert host.process.wait(5) == 0


def test_end_of_input_ends_the_process(host):
    host.invoke({"mode": "wait"})
    assert host.close() == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="parent-death signals are Linux's")
def test_dies_with_its_parent():
    # The pipe's other end stays open here, so only the signal can end the grandchild.
    middle = (
        "import os, subprocess, sys\n"
        f"child = subprocess.Popen({COMMAND!r}, stdin=0, stdout=1)\n"
        "print(child.pid, file=sys.stderr, flush=True)\n"
        "child.wait()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", middle],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    try:
        grandchild = int(parent.stderr.readline())
        greeting = (
            f'{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{"protocol":"{PROTOCOL}"}}}}'
        )
        parent.stdin.write(greeting.encode() + b"\n")
        parent.stdin.flush()
        assert b'"result"' in parent.stdout.readline()
        parent.kill()
        parent.wait(5)
        end = time.monotonic() + 5
        while _alive(grandchild) and time.monotonic() < end:
            time.sleep(0.02)
        assert not _alive(grandchild)
    finally:
        parent.kill()
        for pipe in (parent.stdin, parent.stdout, parent.stderr):
            pipe.close()


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_function_stays_callable():
    @operator(name="count-words", version="0.1.0")
    def count_words(text: str) -> dict[str, int]:
        """Counts words."""
        return {"words": len(text.split())}

    assert count_words("a b") == {"words": 2}
    assert count_words.run(Call("c", {"text": "a b c"}, lambda *_: None)).outputs == {"words": 3}
    assert count_words.__doc__ == "Counts words."
    with pytest.raises(Failure):
        count_words.run(Call("c", {}, lambda *_: None))
    assert Usage(1, 2, 3) + Usage(1, 1, 1) == Usage(2, 3, 4)
