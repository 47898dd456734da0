"""Runs a command at a terminal of its own and types at it: terminal.py PATTERN KEYS COMMAND...

KEYS are typed when PATTERN has come from the command; "hangup" closes the terminal instead. Prints JSON with what came, and how the
command ended within 60 seconds."""

import json
import os
import pty
import re
import select
import sys
import time

pattern, keys, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)

came = b""
typed_at = None
until = time.monotonic() + 60
status = None
while status is None and time.monotonic() < until:
    if terminal >= 0 and select.select([terminal], [], [], 0.05)[0]:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            chunk = b""
        came += chunk
        if chunk == b"":
            os.close(terminal)
            terminal = -1
    if typed_at is None and re.search(pattern.encode(), came):
        typed_at = time.monotonic()
        if keys == "hangup":
            os.close(terminal)
            terminal = -1
        else:
            os.write(terminal, keys.encode().decode("unicode_escape").encode())
    if terminal < 0:
        time.sleep(0.05)
    ended, code = os.waitpid(pid, os.WNOHANG)
    if ended:
        status = code
if status is None:
    os.kill(pid, 9)
    os.waitpid(pid, 0)
print(
    json.dumps(
        {
            "printed": came.decode(errors="replace"),
            "exit": None if status is None or not os.WIFEXITED(status) else os.WEXITSTATUS(status),
            "signal": None if status is None or not os.WIFSIGNALED(status) else os.WTERMSIG(status),
            "seconds": None if typed_at is None else time.monotonic() - typed_at,
        }
    )
)
