"""Polls the running cluster's API while something else goes on, and looks for leftovers of a drill."""

import os
import pathlib
import ssl
import threading
import time
import urllib.request

SCRATCH_PARENT = pathlib.Path("/var/lib/rancher")


class ApiWatch:
    """Asks /livez of the running API server every 0.2 s, from a thread. No client program is started
    for it: it would cost more than what it measures."""

    def __init__(self, url="https://127.0.0.1:6443/livez"):
        self.url = url
        self.answers = []  # seconds that each took
        self.failures = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._context = ssl._create_unverified_context()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _poll(self):
        while not self._end.wait(0.2):
            begin = time.monotonic()
            try:
                with urllib.request.urlopen(self.url, timeout=5, context=self._context) as answer:
                    if answer.read() != b"ok":
                        self.failures.append("not ok")
            except OSError as error:
                # 401 and 403 are answers of a server whose probes are not for everybody.
                if getattr(error, "code", None) not in (401, 403):
                    self.failures.append(str(error))
            self.answers.append(time.monotonic() - begin)


def processes(words):
    """Processes that hold `words` in their command line or work there: k3s hides its arguments."""
    found = []
    for directory in pathlib.Path("/proc").iterdir():
        if not directory.name.isdigit() or int(directory.name) == os.getpid():
            continue
        try:
            line = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            line += f" in {os.readlink(directory / 'cwd')}"
        except OSError:
            continue
        if words in line:
            found.append(line)
    return found


def leftovers(parent=SCRATCH_PARENT):
    """What a drill that has ended must not have left."""
    return ([str(path) for path in parent.glob("railiance-boot-*")] + processes("railiance-boot-")
            + processes("boot-namespace"))
