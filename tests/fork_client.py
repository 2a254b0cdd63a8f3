"""What stands for an interpreter: it asks the server of `forks.py` for a fork, and ends as the fork does."""

import json
import os
import signal
import socket
import sys


def call(server: str, python: str, before: list[str]) -> None:
    """Have a server's fork run a script, or Snakemake; all else is for the interpreter itself.

    Args:
        server: the path of its socket.
        python: the interpreter.
        before: arguments that go before those of the command.
    """
    arguments = [*before, *sys.argv[1:]]
    first = arguments[arguments[:1] == ["-u"] :]
    if first[:2] != ["-m", "snakemake"] and not (first and first[0].endswith(".py")):
        os.execv(python, [python, *arguments])
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(server)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: connection.send(bytes([number])))
    request = json.dumps([arguments, os.getcwd(), dict(os.environ)]).encode() + b"\n"  # noqa: PTH109  # pathlib is slow
    sent = socket.send_fds(connection, [request], [0, 1, 2])
    connection.sendall(request[sent:])
    answer = connection.recv(2)
    status = int.from_bytes(answer, "big", signed=True) if answer else 1
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)
