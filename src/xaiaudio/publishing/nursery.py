"""A process that has imported what takes long, and whose copies become kernels at once.

TensorFlow's import keeps a processor busy for some seconds, and every chapter has a kernel of its
own. So a build of many chapters starts ``python -m xaiaudio.publishing.nursery`` once. It imports,
runs nothing, and forks when a worker asks for a kernel. A process with threads must not be forked:
if an import has started any, it ends, and workers start kernels of their own.

A worker sends one line of JSON, ``{"argv": [...], "env": {...}, "cwd": ...}``, with its standard
output and standard error. The kernel answers with its process's id. When it has ended, however it
came to that, the nursery answers with the seconds that it kept a processor busy, and closes the
connection. A kernel whose worker closes its end of the connection ends itself.
"""

from __future__ import annotations

import array
import contextlib
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading

from .. import collector
from ..imports import PACKAGE
from .machine import Machine

#: What most chapters import. TensorFlow imports keras, scikit-learn and matplotlib.
PRELOADED = (
    "tensorflow",
    "sklearn.linear_model",
    "scipy.signal",
    "librosa.core",
    "librosa.feature",
    "ipykernel.kernelapp",
)

#: With fewer chapters to run it does not pay.
LEAST = 4

#: Where a worker may find the nursery.
VARIABLE = "XAIAUDIO_NURSERY"


# The build's side


@contextlib.contextmanager
def opened(jobs, scratch, environment):
    """Keep a nursery while many chapters are run.

    Parameters
    ----------
    jobs : int
        How many.
    scratch : Path
    environment : dict
        Of the kernels.

    Yields
    ------
    dict
        What to add to the environment of workers.
    """
    if jobs < LEAST or sys.platform != "linux":
        yield {}
        return
    place = str(scratch / "nursery")
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.bind(place)
        except OSError:  # the path is too long
            yield {}
            return
        server.listen(64)  # whoever asks before it is ready is answered then
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(server.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=scratch,
            pass_fds=[server.fileno()],
            start_new_session=True,
        )
    try:
        yield {VARIABLE: place}
    finally:
        process.stdin.close()
        Machine().kill(process.pid)  # and kernels whose workers were killed
        process.wait()


# The worker's side


class Kernel:
    """A kernel that the nursery has made; what Jupyter uses of :class:`subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, connection, pid):
        self.connection, self.pid = connection, pid
        self.returncode = None
        self.said = b""

    def poll(self):
        """Return None while it lives, then a number."""
        while self.returncode is None and select.select([self.connection], [], [], 0)[0]:
            try:
                heard = self.connection.recv(1 << 10)
            except ConnectionError:
                heard = b""
            self.said += heard
            if not heard:
                self.returncode = 0
                self.connection.close()
        return self.returncode

    def wait(self, timeout=None):
        """Wait until it has ended."""
        while self.poll() is None:
            if not select.select([self.connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("kernel", timeout)
        return self.returncode

    def send_signal(self, number):
        """Send a signal, if it lives."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self):
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self):
        """End it."""
        self.send_signal(signal.SIGKILL)

    @property
    def cpu_seconds(self) -> float | None:
        """How long it kept a processor busy; None while it lives, or if the nursery is gone."""
        return float(self.said) if self.poll() is not None and self.said else None


def kernel(argv, env, cwd) -> Kernel | None:
    """Return a new kernel from the nursery; None if there is no nursery.

    Parameters
    ----------
    argv : list of str
        The kernel's command; its options count.
    env : dict
    cwd : str

    Returns
    -------
    Kernel or None
    """
    if not os.environ.get(VARIABLE):
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(os.environ[VARIABLE])
        order = json.dumps({"argv": argv, "env": dict(env), "cwd": str(cwd)}).encode() + b"\n"
        _send(connection, order, [1, 2])
        pid = _line(connection)
    except OSError:
        pid = b""
    if not pid:
        connection.close()
        return None
    return Kernel(connection, int(pid))


# The nursery's own side


def main():
    """Import, then fork for whoever asks, until standard input closes."""
    server = socket.socket(fileno=int(sys.argv[1]))
    # What a kernel asks matplotlib for, which reads it when it is imported.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    with collector.paused():  # also, what no collection touches is shared by all copies
        for name in PRELOADED:
            importlib.import_module(name)
        _let_threads_sleep()
        _read_package()
    if len(os.listdir("/proc/self/task")) > 1:
        raise SystemExit("An import has started threads.")
    here = os.getcwd()
    ended, kernels = _ends(), {}
    while True:
        ready, _, _ = select.select([server, ended, 0], [], [])
        if 0 in ready:
            return None
        if ended in ready:
            ended.recv(1 << 10)
            _report(kernels)
        if server not in ready:
            continue
        connection, _ = server.accept()
        pid = os.fork()
        if not pid:
            # A copy of another kernel's connection would keep it open after that kernel's end.
            for other in (server, ended, *kernels.values()):
                other.close()
            sys.path[:] = [folder for folder in sys.path if folder not in ("", here)]
            return _live(connection)
        kernels[pid] = connection


def _let_threads_sleep():
    """Have TensorFlow's threads sleep while there is nothing to do.

    They spin for a while, and beside another chapter they take its core: a step of training keeps
    the processors busy for up to a third longer. What is computed is the same, to the bit.
    """
    from tensorflow.core.protobuf import config_pb2
    from tensorflow.python.eager import context

    wanted = config_pb2.ConfigProto()
    wanted.experimental.disable_thread_spinning = True
    context.context()._config = wanted  # TensorFlow offers this to its graphs of old alone


def _read_package():
    """Import the package, and read what each module uses: the keys of kept results ask for it."""
    for name in sorted(PACKAGE.everything("")):
        PACKAGE.uses(name)
        if not name.startswith(("cli", "publishing")):
            with contextlib.suppress(ImportError):  # of an extra that is not installed
                importlib.import_module(f"xaiaudio.{name}".rstrip("."))


def _ends():
    """Return a socket on which there is something to read when a child has ended."""
    ended, tell = socket.socketpair()
    ended.setblocking(False)
    tell.setblocking(False)
    signal.set_wakeup_fd(tell.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler nothing wakes up
    return ended


def _report(kernels):
    """Tell of each kernel that has ended how long it and its own children kept a processor busy."""
    while kernels:
        pid, _, used = os.wait4(-1, os.WNOHANG)
        if not pid:
            return
        with kernels.pop(pid) as connection, contextlib.suppress(OSError):
            connection.sendall(f"{used.ru_utime + used.ru_stime:.2f}".encode())


def _live(connection):
    """Become the kernel that was asked for."""
    order, places = _receive(connection)
    os.setsid()
    told = signal.set_wakeup_fd(-1)
    os.close(told)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in zip((nothing, *places), (0, 1, 2), strict=True):
        os.dup2(source, target)
        os.close(source)
    os.environ.clear()
    os.environ.update(order["env"])
    # Its parent is the nursery; whether the worker lives is seen by the connection.
    os.environ.pop("JPY_PARENT_PID", None)
    os.chdir(order["cwd"])
    connection.sendall(f"{os.getpid()}\n".encode())
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    options = order["argv"][order["argv"].index("-f") :]
    sys.argv = ["ipykernel_launcher", *options]
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()


def _end_with(connection):
    """End when the worker does: with everything that descends from this process."""
    from .worker import end_children

    with contextlib.suppress(ConnectionError):
        while connection.recv(1):
            pass
    end_children()
    os._exit(1)


def _line(connection) -> bytes:
    """Receive a line, without its end; empty if the other side is gone."""
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        line += byte
    return line[:-1]


def _send(connection, content, places):
    """Send some bytes, and open files beside the first of them."""
    files = array.array("i", places)
    sent = connection.sendmsg([content], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
    connection.sendall(content[sent:])


def _receive(connection):
    """Receive what :func:`_send` sent: the order and the open files."""
    content, places, _, _ = socket.recv_fds(connection, 1 << 16, 2)
    while not content.endswith(b"\n"):
        heard = connection.recv(1 << 16)
        if not heard:
            os._exit(1)
        content += heard
    return json.loads(content), places


if __name__ == "__main__":
    main()
