"""An extension with a mode for each thing that may happen."""

import os
import sys
import time

from symphony_extension import Call, Code, Failure, Initialize, Result, Usage, operator


@operator(name="sample", version="1.2.3", max_parallel=2)
def sample(call: Call, mode: str, value: object = None) -> object:
    """Does what `mode` says."""
    if mode == "echo":
        return {"value": value}
    if mode == "usage":
        return Result({"value": 1}, Usage(1, 20, 3) + Usage(1, 1, 1))
    if mode == "print":
        print("printed by the author")
        os.write(1, b"written by a C library\n")
        return {"printed": True}
    if mode == "tell":
        call.progress(1, 3, "a third")
        call.text("Grüße")
        call.text("")
        call.log("hello", "warn")
        return {}
    if mode == "fail":
        raise Failure(Code.BUSY, "later", {"retry_after_ms": 5})
    if mode == "crash":
        raise ValueError("secret-in-exception")
    if mode == "wait":
        call.text("started")
        call.wait(20)
    if mode == "sleep":
        time.sleep(0.4)
        return {"remaining": call.remaining}
    if mode == "wrong-type":
        return 7
    if mode == "not-json":
        return {"value": {1, 2}}
    if mode == "surrogate":
        return {"value": "a\ud800b"}
    return {}


@sample.on_initialize
def prepare(greeting: Initialize) -> None:
    if greeting.settings.get("broken"):
        raise Failure(Code.REFUSED, "the setting `broken` is set")
    sample.model = str(greeting.settings.get("model", "none"))
    print(repr(greeting), file=sys.stderr)


if __name__ == "__main__":
    sample.serve()
