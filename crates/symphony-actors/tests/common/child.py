"""A child that speaks JSON-RPC and misbehaves on request."""
import json, os, signal, subprocess, sys, time

mode = sys.argv[1] if len(sys.argv) > 1 else ""
if mode == "die-at-start":
    print("cannot find my model", file=sys.stderr, flush=True)
    sys.exit(3)
if mode == "ignore-term":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

out = sys.stdout.buffer


def send(message):
    out.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    out.flush()


def grandchild(new_session):
    return subprocess.Popen(["sleep", "600"], start_new_session=new_session).pid


while True:
    line = sys.stdin.buffer.readline()
    if not line:
        if mode == "ignore-term":
            time.sleep(600)
        sys.exit(0)
    request = json.loads(line)
    method, params = request["method"], request.get("params") or {}
    result = {}
    if method == "echo":
        result = params
    elif method == "pid":
        result = os.getpid()
    elif method == "environment":
        result = dict(os.environ)
    elif method == "where":
        result = os.getcwd()
    elif method == "die":
        print("last words", file=sys.stderr, flush=True)
        os._exit(params.get("code", 1))
    elif method == "stop-self":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif method == "compute":
        end = time.monotonic() + params["seconds"]
        while time.monotonic() < end:
            pass
    elif method == "garbage":
        for n in range(params["lines"]):
            out.write(b"Loading weights %d%%\n" % n)
        out.flush()
    elif method == "flood":
        for n in range(params["messages"]):
            send({"method": "note", "params": {"n": n}})
    elif method == "flood-stderr":
        for n in range(params["lines"]):
            sys.stderr.write("noise " * 20 + str(n) + "\n")
        sys.stderr.flush()
    elif method == "close-output":
        os.close(1)
        time.sleep(600)
    elif method == "grandchild":
        result = grandchild(False)
    elif method == "shutdown" and mode == "ignore-term":
        continue
    send({"id": request["id"], "result": result})
    if method == "shutdown":
        sys.exit(0)
