"""Python, and Snakemake, that start where what the workflow imports is imported already.

An interpreter takes seconds to import TensorFlow or Snakemake, and the tests of workflows start some hundreds. Here a
server imports both once; a call is a fork of it, with arguments, folder, environment and standard streams of its own,
and ends with its caller. To the workflow it is `python`, and `snakemake` on the path.

What differs from an interpreter of its own: forks of one server share the seed of Python's hashes, and Snakemake's
benchmarks measure the caller, which waits. The server imports nothing of the library, which a call has to find where
its workflow lies.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

CLIENT = Path(__file__).with_name("fork_client.py")
IMPORTED = (
    *("snakemake.cli", "snakemake.script", "tensorflow", "keras", "numpy", "scipy.optimize", "scipy.stats", "h5py"),
    *("pandas", "matplotlib.pyplot", "sklearn.linear_model", "PIL.Image", "pycocotools.mask", "pydantic", "yaml"),
)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


class Server:
    """A process whose forks `python` and `snakemake` are; it ends with this one, or with `stop`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="forks-")
        self.path = Path(self._folder.name)
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self._process = subprocess.Popen(
            [sys.executable, __file__, self.path / "socket"],
            env=environment | ONE_THREAD | {"TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name, before in (("python", []), ("snakemake", ["-m", "snakemake"])):
            program = self.path / name
            # Without site-packages and the user's settings: it starts in a hundredth of a second.
            call = f"call({str(self.path / 'socket')!r}, {sys.executable!r}, {before})"
            program.write_text(f"#!{sys.executable} -SI\n{CLIENT.read_text()}\n\n{call}\n")
            program.chmod(0o755)

    @property
    def python(self) -> str:
        """What to call instead of `sys.executable`."""
        if self._process.stdout and not self._process.stdout.closed:
            assert self._process.stdout.readline() == b"ready\n"
            self._process.stdout.close()
        return str(self.path / "python")

    def stop(self) -> None:
        """End it, and what it started."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()


@functools.cache
def python() -> str:
    """The `python` of a server for all tests of this process; on other systems than Linux, the interpreter."""
    if not hasattr(os, "pidfd_open"):
        return sys.executable
    server = Server()
    atexit.register(server.stop)
    return server.python


class _Call(NamedTuple):
    """What a client asks for: `python` with these arguments, in its place."""

    arguments: list[str]
    folder: str
    environment: Mapping[str, str]
    streams: list[int]


def _serve(path: str) -> _Call | None:
    """Fork for each client, and give in the fork what it asks for; None when standard input has ended."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(0, selectors.EVENT_READ)
    print("ready", flush=True)
    running: dict[socket.socket, int] = {}
    while True:
        # New callers last: one that comes after the death of another finds its fork dead, too.
        for key, _ in sorted(selector.select(), key=lambda event: event[0].fileobj is listener):
            if key.fileobj == 0:
                for pid in running.values():
                    os.killpg(pid, signal.SIGKILL)
                return None
            if key.fileobj is listener:
                client = listener.accept()[0]
                call = _received(client)
                pid = os.fork()
                if not pid:
                    os.setpgid(0, 0)
                    selector.close()
                    for other in (listener, client, *running):
                        other.close()
                    return call
                os.setpgid(pid, pid)  # here too: whichever comes first
                for stream in call.streams:
                    os.close(stream)
                running[client] = pid
                selector.register(client, selectors.EVENT_READ)
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, client)
            elif key.data is not None:
                _finish(key, running, selector)
            elif key.fileobj in running:  # else its fork has just ended
                _forward(key.fileobj, running, selector)


def _received(client: socket.socket) -> _Call:
    """A request, which may come in parts, and the streams that come with its first."""
    content, streams, *_ = socket.recv_fds(client, 1 << 16, 3)
    while not content.endswith(b"\n"):
        content += client.recv(1 << 16)
    return _Call(*json.loads(content), streams)


def _forward(client: Any, running: Mapping[socket.socket, int], selector: selectors.BaseSelector) -> None:
    """Send a fork the signal that its caller got; kill it where the caller is dead."""
    number, pid = client.recv(1), running[client]
    os.killpg(pid, number[0] if number else signal.SIGKILL)
    if not number:
        selector.unregister(client)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def _finish(key: selectors.SelectorKey, running: dict[socket.socket, int], selector: selectors.BaseSelector) -> None:
    """Tell a client how its fork ended."""
    client = key.data
    status = os.waitstatus_to_exitcode(os.waitpid(running.pop(client), 0)[1])
    selector.unregister(key.fileobj)
    os.close(key.fd)
    if client in selector.get_map():
        selector.unregister(client)
        with suppress(BrokenPipeError):  # it died just now
            client.sendall(status.to_bytes(2, "big", signed=True))
    client.close()


def _become(call: _Call, pools: Any) -> NoReturn:
    """Be the interpreter that a client asked for, with as many threads for NumPy and scikit-learn."""
    for place, stream in enumerate(call.streams):
        os.dup2(stream, place)
        os.close(stream)
    os.chdir(call.folder)
    os.environ.clear()
    os.environ.update(call.environment)
    pools.limit(limits=int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1))
    sys.executable = str(Path(sys.argv[1]).with_name("python"))
    arguments = call.arguments
    if arguments[0] == "-u":
        arguments = arguments[1:]
        sys.stdout.reconfigure(write_through=True)  # type: ignore[attr-defined]
    is_module = arguments[0] == "-m"
    sys.argv = arguments[is_module:]
    sys.path[0] = call.folder if is_module else str(Path(sys.argv[0]).resolve().parent)
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    status: Any = 0
    try:
        if is_module:
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ending:
        status = ending.code or 0
        if not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
        status = 1
    # As an interpreter ends, but for taking its modules apart, which are not its own.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for file in (sys.stdout, sys.stderr):
        file.flush()
    os._exit(status)


def _main() -> None:
    gc.disable()
    for module in IMPORTED:
        importlib.import_module(module)
    pools = importlib.import_module("threadpoolctl").ThreadpoolController()
    gc.freeze()
    gc.enable()
    if call := _serve(sys.argv[1]):
        _become(call, pools)


if __name__ == "__main__":
    _main()
