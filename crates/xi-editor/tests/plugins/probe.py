#!/usr/bin/env python3
"""A plugin for tests: speaks xi's dialect, and misbehaves as its own name says."""

import json
import os
import random
import sys
import threading
import time

MODE = os.path.basename(sys.argv[0]).removesuffix(".py")
views = {}
plugin_id = None
next_id = 0


def send(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def notify(method, view, **params):
    params.update(view_id=view, plugin_id=plugin_id)
    send({"method": method, "params": params})


def ask(method, view, **params):
    """Asks the host; what comes in between is for later."""
    global next_id
    next_id += 1
    params.update(view_id=view, plugin_id=plugin_id)
    send({"id": next_id, "method": method, "params": params})
    while True:
        message = json.loads(sys.stdin.readline())
        if message.get("id") == next_id and "method" not in message:
            return message
        later.append(message)


def read(view):
    """The whole text, in small chunks."""
    about = views[view]
    text = b""
    while len(text) < about["len"]:
        answer = ask(
            "get_data", view, start=len(text), unit="utf8", max_size=7 if about["len"] < 1000 else 1 << 20, rev=about["rev"]
        )
        text += answer["result"]["chunk"].encode()
    return text


def span(view):
    """Says of each word that it is one."""
    text = read(view)
    about = views[view]
    assert text == about["text"], (text, about["text"])
    spans = []
    at = 0
    for word in text.split(b" "):
        if word:
            spans.append({"start": at, "end": at + len(word), "scope_id": 0})
        at += len(word) + 1
    notify("update_spans", view, start=0, len=len(text), spans=spans, rev=about["rev"])


def add(info):
    (view,) = info["views"]
    views[view] = {"rev": info["rev"], "len": info["buf_size"], "path": info.get("path")}
    views[view]["text"] = read(view)
    notify("add_scopes", view, scopes=[["text.plain", "word"]])
    span(view)
    if MODE == "fuzz":
        # What it is answered must be read, or it is ended for that.
        threading.Thread(target=lambda: sys.stdin.buffer.read(), daemon=True).start()
        fuzz(view)


def update(message):
    params = message["params"]
    view = params["view_id"]
    about = views[view]
    if MODE == "hang":
        time.sleep(600)
    if MODE == "crash":
        sys.stderr.write("these are my last words\n")
        sys.exit(3)
    delta = params["delta"]
    if delta is not None:
        assert delta["base_len"] == len(about["text"])
        text = b""
        for piece in delta["els"]:
            if "insert" in piece:
                text += piece["insert"].encode()
            else:
                start, end = piece["copy"]
                text += about["text"][start:end]
        about["text"] = text
    about.update(rev=params["rev"], len=params["new_len"])
    if delta is None:
        about["text"] = read(view)
    assert len(about["text"]) == params["new_len"]
    assert about["text"].count(b"\n") + 1 == params["new_line_count"]
    if MODE == "stamp" and params["author"] == "core" and params["edit_type"] == "insert":
        # Answers each typed character with one of its own, at the beginning.
        notify(
            "edit",
            view,
            edit={
                "rev": params["rev"],
                "delta": {
                    "base_len": params["new_len"],
                    "els": [{"insert": "*"}, {"copy": [0, params["new_len"]]}],
                },
                "priority": 0,
                "after_cursor": False,
                "undo_group": params["undo_group"],
                "author": "somebody else",
            },
        )
    if MODE == "flood":
        while True:
            notify("alert", view, msg="x" * 1000)
    if MODE == "garbage":
        for line in ("{", "[]", "nonsense \\u0000", '{"method": 1}') * 20:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    if MODE == "endless":
        while True:
            sys.stdout.write("x" * 100_000)
    span(view)
    send({"id": message["id"], "result": 1})


def command(params):
    view = params["view_id"]
    method = params["method"]
    if method == "say":
        notify("alert", view, msg=params["params"]["text"])
    elif method == "status":
        notify("add_status_item", view, key="k", value="one", alignment="left")
        notify("update_status_item", view, key="k", value="two")
        notify("remove_status_item", view, key="k")
    elif method == "annotate":
        notify(
            "update_annotations",
            view,
            start=0,
            len=views[view]["len"],
            spans=[{"start": 0, "end": 1, "data": {"note": 1}}],
            annotation_type={"Other": "lint"},
            rev=views[view]["rev"],
        )
    elif method == "environment":
        notify("alert", view, msg=" ".join(sorted(os.environ)))
    elif method == "about":
        lines = ask("line_count", view)["result"]
        gone = ask("get_data", view, start=0, unit="utf8", max_size=9, rev=999)
        bad = ask("no_such_method", view)
        answers = [lines, "error" in gone, "error" in bad]
        notify("alert", view, msg=json.dumps(answers))
    elif method == "config":
        notify("alert", view, msg=json.dumps(config.get(view)))
    elif method == "exit":
        sys.exit(0)


def fuzz(view):
    """Writes lines that are nearly right; the seed is in the last words."""
    seed = random.randrange(1 << 30)
    sys.stderr.write(f"seed {seed}\n")
    sys.stderr.flush()
    chance = random.Random(seed)
    number = lambda: chance.choice([0, 1, 3, 9, 27, 400, -1, 1 << 53, 1 << 64, 1.5])
    small = lambda: chance.randrange(3)
    while True:
        params = {"view_id": view, "plugin_id": 1, "rev": 0}
        method = chance.choice(
            "add_scopes update_spans update_annotations edit alert get_data line_count "
            "get_selections add_status_item show_hover".split()
        )
        wild = chance.random() < 0.04
        pick = number if wild else small
        if method == "add_scopes":
            params["scopes"] = [["a", "é"]] * small()
        elif method == "update_spans":
            part = {"start": pick(), "end": pick(), "scope_id": pick()}
            params.update(start=pick(), len=pick(), spans=[part] if wild else [])
        elif method == "update_annotations":
            part = {"start": pick(), "end": pick(), "data": [None]}
            params.update(start=0, len=4, spans=[part] if wild else [], annotation_type="Find")
        elif method == "edit":
            if not wild:
                continue
            els = [{"copy": [pick(), pick()]}, {"insert": "n"}]
            params["edit"] = {"rev": pick(), "delta": {"base_len": pick(), "els": els}}
        elif method == "alert":
            params["msg"] = "m" * small()
        elif method == "get_data":
            unit = chance.choice(["utf8", "line"])
            params.update(start=pick(), unit=unit, max_size=pick())
        elif method == "show_hover":
            params.update(request_id=small(), result={"Err": {"message": None}})
        elif method == "add_status_item":
            params.update(key="k", value="v", alignment="left")
        message = {"method": method, "params": params}
        if method in ("get_data", "line_count", "get_selections"):
            message["id"] = small()
        line = json.dumps(message)
        if wild and chance.random() < 0.5:
            at = chance.randrange(len(line))
            line = line[:at] + chance.choice('{}[]",:0\0') + line[at + 1 :]
        sys.stdout.write(line + "\n")


config = {}
later = []
while True:
    if later:
        message = later.pop(0)
    else:
        line = sys.stdin.readline()
        if not line:
            break
        message = json.loads(line)
    method = message.get("method")
    params = message.get("params")
    if method == "initialize":
        plugin_id = params["plugin_id"]
        for info in params["buffer_info"]:
            add(info)
    elif method == "new_buffer":
        for info in params["buffer_info"]:
            add(info)
    elif method == "update":
        update(message)
    elif method == "did_close":
        del views[params["view_id"]]
    elif method == "config_changed":
        config.setdefault(params["view_id"], {}).update(params["changes"])
    elif method == "language_changed":
        config.setdefault(params["view_id"], {})["language"] = params["new_lang"]
    elif method == "get_hover":
        if MODE != "silent":
            word = views[params["view_id"]]["text"][params["position"] :].split(b" ")[0]
            start = params["position"]
            notify(
                "show_hover",
                params["view_id"],
                request_id=params["request_id"],
                result={
                    "Ok": {
                        "content": word.decode(),
                        "range": {"start": start, "end": start + len(word)},
                    }
                },
            )
    elif method == "custom_command":
        command(params)
