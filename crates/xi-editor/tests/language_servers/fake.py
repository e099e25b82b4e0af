"""A language server that does what the text says: well, or badly on purpose.

Arguments: where to log what comes, the position encoding, and a mode.
A hover answers with the text as this server knows it; a capital word in the
line of the hover makes it misbehave.
"""

import json
import os
import sys
import time

LOG, ENCODING, MODE = sys.argv[1:4]
OUT = sys.stdout.buffer
texts = {}
versions = {}


def log(line):
    with open(LOG, "a") as file:
        file.write(line + "\n")


def send(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    OUT.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    OUT.flush()


def units(text):
    return len(text.encode("utf-16-le")) // 2 if ENCODING == "utf-16" else len(text.encode())


def offset(text, position):
    """Index of a position; fails when it lies within a character."""
    lines = text.split("\n")
    line = lines[position["line"]]
    at = sum(len(before) + 1 for before in lines[: position["line"]])
    for index in range(len(line) + 1):
        if units(line[:index]) == position["character"]:
            return at + index
    raise AssertionError(f"{position} is no place in {line!r}")


def position(text, index):
    before = text[:index]
    line = before.rsplit("\n", 1)[-1]
    return {"line": before.count("\n"), "character": units(line)}


def spans(text, word):
    """Every range of a word."""
    found, at = [], text.find(word)
    while at >= 0:
        end = at + len(word)
        found.append({"start": position(text, at), "end": position(text, end)})
        at = text.find(word, end)
    return found


def publish(uri):
    problems = [
        {"range": span, "message": "an error", "severity": 1, "source": "fake", "code": 7}
        for span in spans(texts[uri], "error")
    ]
    params = {"uri": uri, "version": versions[uri], "diagnostics": problems}
    send({"method": "textDocument/publishDiagnostics", "params": params})


def misbehave(line, uri):
    """What a line asks for; true when the hover gets no answer."""
    if "CRASH" in line:
        print("about to crash", file=sys.stderr, flush=True)
        os._exit(3)
    if "HANG" in line:
        return True
    if "JUNK" in line:
        OUT.write(b"Debugger attached.\n")
        OUT.flush()
    if "HUGE" in line:
        OUT.write(b"Content-Length: 99999999999\r\n\r\n")
        OUT.flush()
    if "HEADERS" in line:
        try:
            while True:
                OUT.write(b"Content-Type: x\r\n" * 1000)
                OUT.flush()
        except BrokenPipeError:
            os._exit(4)
    if "FLOOD" in line:
        body = {"method": "window/logMessage", "params": {"type": 4, "message": "x" * 1000}}
        for _ in range(30_000):
            send(body)
        for _ in range(500):
            publish(uri)
    if "DEAF" in line:
        time.sleep(3600)
    if "UNASKED" in line:
        edit = {"changes": {uri: []}}
        send({"id": "edit", "method": "workspace/applyEdit", "params": {"edit": edit}})
        send({"id": "odd", "method": "fake/odd", "params": {}})
        items = [{"section": "fake.depth"}, {"section": "none"}]
        send({"id": "settings", "method": "workspace/configuration", "params": {"items": items}})
    if "SLOWLY" in line:
        time.sleep(0.3)
    return False


def edit_of(uri, word, new):
    return [{"range": span, "newText": new} for span in spans(texts[uri], word)]


def word_at(text, index):
    start = end = index
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return text[start:end]


def completion(params, text, index):
    start = position(text, index)
    return {
        "isIncomplete": False,
        "items": [
            {"label": "zeta", "sortText": "1", "kind": 3, "insertTextFormat": 2,
             "insertText": "zeta(${1:x})", "data": 5},
            {"label": "alpha", "sortText": "2", "kind": 6,
             "textEdit": {"range": {"start": start, "end": start}, "newText": "alpha"}},
            {"bad": "item"},
        ],
    }


def rename(params, uri, index):
    word = word_at(texts[uri], index)
    other = uri.rsplit("/", 1)[0] + "/other.fake"
    beside = {"range": {"start": {"line": 0, "character": 0},
                        "end": {"line": 0, "character": units(word)}},
              "newText": params["newName"]}
    return {"documentChanges": [
        {"textDocument": {"uri": uri, "version": versions[uri]},
         "edits": edit_of(uri, word, params["newName"])},
        {"textDocument": {"uri": other, "version": None}, "edits": [beside]},
        {"kind": "rename", "oldUri": other, "newUri": other + ".old"},
    ]}


def answer(method, params):
    uri = params.get("textDocument", {}).get("uri")
    text = texts.get(uri, "")
    index = offset(text, params["position"]) if "position" in params else 0
    if method == "textDocument/hover":
        known = {"version": versions[uri], "text": text, "rest": text[index:], "pid": os.getpid()}
        return {"contents": {"kind": "markdown", "value": json.dumps(known)},
                "range": {"start": params["position"], "end": params["position"]}}
    if method == "textDocument/completion":
        return completion(params, text, index)
    if method == "completionItem/resolve":
        return {**params, "documentation": "does zeta"}
    if method == "textDocument/rename":
        return rename(params, uri, index)
    if method == "textDocument/definition":
        return [{"uri": uri, "range": span} for span in spans(text, word_at(text, index))]
    if method == "textDocument/formatting":
        end = position(text, len(text))
        whole = {"start": {"line": 0, "character": 0}, "end": end}
        return [{"range": whole, "newText": text.replace("  ", " ")}]
    if method == "textDocument/codeAction":
        log("about " + json.dumps(params["context"]["diagnostics"]))
        return [
            {"title": "fix", "kind": "quickfix", "data": uri},
            {"title": "run", "command": "fake.run", "arguments": [uri]},
        ]
    if method == "codeAction/resolve":
        return {**params, "edit": {"changes": {params["data"]: edit_of(params["data"], "error", "fine")}}}
    if method == "workspace/executeCommand":
        uri = params["arguments"][0]
        edit = {"changes": {uri: edit_of(uri, "error", "ran")}}
        send({"id": "edit", "method": "workspace/applyEdit", "params": {"edit": edit}})
        return None
    if method == "textDocument/documentSymbol":
        return [{"name": "all", "kind": 12, "range": span, "selectionRange": span}
                for span in spans(text, "error")]
    return None


def greet():
    if MODE == "exits":
        print("no licence", file=sys.stderr, flush=True)
        os._exit(1)
    # This one is what a server may do at any time: report on its work.
    send({"id": "p", "method": "window/workDoneProgress/create", "params": {"token": 1}})
    begin = {"kind": "begin", "title": "indexing", "percentage": 10}
    send({"method": "$/progress", "params": {"token": 1, "value": begin}})
    return {"capabilities": {
        "positionEncoding": ENCODING,
        "textDocumentSync": {"openClose": True, "change": 2, "save": {"includeText": True}},
        "hoverProvider": True,
        "definitionProvider": True,
        "renameProvider": True,
        "documentFormattingProvider": True,
        "documentSymbolProvider": True,
        "executeCommandProvider": {"commands": ["fake.run"]},
        "completionProvider": {"resolveProvider": True},
        "codeActionProvider": {"resolveProvider": True},
    }}


def notified(method, params):
    document = params.get("textDocument", {})
    uri = document.get("uri")
    if method == "textDocument/didOpen":
        texts[uri], versions[uri] = document["text"], document["version"]
        publish(uri)
    elif method == "textDocument/didChange":
        for change in params["contentChanges"]:
            if "range" in change:
                text, span = texts[uri], change["range"]
                start, end = offset(text, span["start"]), offset(text, span["end"])
                texts[uri] = text[:start] + change["text"] + text[end:]
            else:
                texts[uri] = change["text"]
        versions[uri] = document["version"]
        publish(uri)
    elif method == "textDocument/didSave":
        assert params["text"] == texts[uri]
    elif method == "textDocument/didClose":
        del texts[uri], versions[uri]
    elif method == "exit":
        sys.exit(0)


def main():
    while header := sys.stdin.buffer.readline():
        size = int(header.split(b":")[1])
        sys.stdin.buffer.readline()
        message = json.loads(sys.stdin.buffer.read(size))
        method, params = message.get("method"), message.get("params") or {}
        if method is None:
            log("answer " + json.dumps(message))
            continue
        log(method)
        if "id" not in message:
            notified(method, params)
            continue
        if method == "initialize":
            result = greet()
        else:
            if method == "textDocument/hover":
                uri = params["textDocument"]["uri"]
                line = texts[uri].split("\n")[params["position"]["line"]]
                if misbehave(line, uri):
                    continue
            result = answer(method, params)
        send({"id": message["id"], "result": result})


main()
