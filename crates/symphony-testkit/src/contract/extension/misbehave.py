"""A Symphony extension that behaves as its one argument says; for tests of hosts."""

import json
import os
import sys
import threading

BEHAVIOUR = sys.argv[1]
PARALLEL = 4 if BEHAVIOUR in ("echo", "slow") else 1

ERRORS = {
    "invalid": (-32602, {}),
    "refused": (-32003, {}),
    "unsupported": (-32004, {}),
    "timeout": (-32006, {}),
    "busy": (-32007, {"retry_after_ms": 250}),
    "upstream": (-32008, {"retryable": True}),
}
CANCELLED = -32800

writing = threading.Lock()
cancelled = {}
places = threading.Semaphore(PARALLEL)
calls = 0


def send(message):
    line = json.dumps({"jsonrpc": "2.0", **message})
    with writing:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def notify(method, **params):
    send({"method": method, "params": params})


def answer(ident, result):
    send({"id": ident, "result": result})


def fail(ident, code, message, data=None):
    send({"id": ident, "error": {"code": code, "message": message, "data": data or {}}})


def echo(ident, params):
    usage = {"model_calls": 1, "input_tokens": 2, "output_tokens": 3}
    answer(ident, {"outputs": params["inputs"], "usage": usage})


def die():
    sys.stderr.write("out of luck\n")
    sys.stderr.flush()
    # sys.exit would end the thread alone.
    os._exit(3)


def invoke(ident, params, first):
    call, value = params["call"], params["inputs"].get("value")
    stop = cancelled[call]
    if BEHAVIOUR == "slow":
        # A call waits for its place like in any extension that honours its limit.
        while not places.acquire(timeout=0.01):
            if stop.is_set():
                return fail(ident, CANCELLED, "cancelled")
        try:
            if stop.wait((value or 0) / 1000):
                return fail(ident, CANCELLED, "cancelled")
        finally:
            places.release()
        return echo(ident, params)
    if BEHAVIOUR == "streams":
        notify("progress", call=call, done=1, total=2, message="half")
        notify("text", call=call, text="la")
        notify("text", call=call, text="lu")
    if BEHAVIOUR == "fails-once" and first:
        return fail(ident, *error("upstream"))
    if BEHAVIOUR == "fails":
        return fail(ident, *error(value))
    if BEHAVIOUR == "dies":
        die()
    if BEHAVIOUR == "hangs":
        threading.Event().wait()
    if BEHAVIOUR == "garbage":
        with writing:
            sys.stdout.write("this is no protocol\n{\"jsonrpc\": \n\x01\x02\x03\n[]\nnull\n")
            sys.stdout.flush()
        threading.Event().wait()
    if BEHAVIOUR == "flood":
        count = 0
        while True:
            count += 1
            notify("log", level="info", message=f"{count} bottles " + "x" * 1000)
    return echo(ident, params)


def error(kind):
    code, data = ERRORS[kind]
    return code, f"the test says {kind}", data


def main():
    global calls
    if BEHAVIOUR == "still-born":
        die()
    for line in sys.stdin:
        message = json.loads(line)
        method, ident = message.get("method"), message.get("id")
        params = message.get("params") or {}
        if method == "initialize":
            protocol = "symphony.extension/1"
            if BEHAVIOUR == "stranger":
                protocol = "something.else/7"
            started = {"protocol": protocol, "id": BEHAVIOUR, "version": "1.0.0"}
            started["max_parallel"] = PARALLEL
            if BEHAVIOUR == "echo":
                started["model"] = "echo-model"
            answer(ident, started)
        elif method == "invoke":
            calls += 1
            cancelled[params["call"]] = threading.Event()
            work = threading.Thread(
                target=invoke, args=(ident, params, calls == 1), daemon=True
            )
            work.start()
        elif method == "cancel":
            if BEHAVIOUR != "hangs" and params["call"] in cancelled:
                cancelled[params["call"]].set()
        elif method == "shutdown":
            answer(ident, {})
            return
        elif ident is not None:
            answer(ident, {})


if __name__ == "__main__":
    main()
    # Threads of calls under way may hold standard output; do not wait for them.
    os._exit(0)
