"""Runs a program on a terminal: waits for a text, presses keys, again and again."""

import json
import os
import pty
import select
import signal
import sys

steps, program = json.loads(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="xterm", NO_COLOR="1")
    os.execv(program[0], program)
shown = b""


def more() -> bool:
    """Takes in what is shown next; false at the end."""
    global shown
    if not select.select([terminal], [], [], 30)[0]:
        os.kill(pid, signal.SIGKILL)
        return False
    try:
        data = os.read(terminal, 65536)
    except OSError:
        data = b""
    shown += data
    return bool(data)


at = 0
for expected, keys in steps:
    while (found := shown.find(expected.encode(), at)) < 0:
        if not more():
            sys.exit(f"`{expected}` was not shown: {shown[at:].decode(errors='replace')}")
    at = found + len(expected.encode())
    os.write(terminal, keys.encode())
while more():
    pass
sys.stdout.buffer.write(shown)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
