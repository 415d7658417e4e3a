"""pywebsocket3 itself, from PyPI's source distribution, in a virtual environment of its own.

It is installed once, into ${PYWEBSOCKET_VENV:-${TMPDIR:-/tmp}/pywebsocket3-venv}, and needs a Python up to 3.11:
later ones lack parts of the standard library that it uses.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time

VERSION = "4.0.2"
PYTHONS = ["python3.11", "/usr/bin/python3.11", "python3.10", "/usr/bin/python3", "python3"]
START_TIMEOUT = 20  # seconds


def is_old_enough(python):
    check = "import sys; sys.exit(not (3, 8) <= sys.version_info < (3, 12))"
    try:
        return subprocess.run([python, "-c", check], stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


class Reference:
    """The installed package. `examples` is the folder of its example handlers and client."""

    def __init__(self):
        temporary = os.environ.get("TMPDIR", "/tmp")
        self.folder = pathlib.Path(os.environ.get("PYWEBSOCKET_VENV", temporary + "/pywebsocket3-venv"))
        self.python = self.folder / "bin" / "python"
        self.source = self.folder / f"pywebsocket3-{VERSION}"
        self.examples = self.source / "example"
        if not (self.folder / "installed").exists():
            self._install()

    def _install(self):
        for python in filter(is_old_enough, PYTHONS):
            shutil.rmtree(self.folder, ignore_errors=True)
            # One that was built by hand often cannot make virtual environments.
            if subprocess.run([python, "-m", "venv", self.folder]).returncode == 0:
                break
        else:
            sys.exit("side_by_side: no Python from 3.8 to 3.11 with venv")
        pip = [self.python, "-m", "pip", "-q", "--disable-pip-version-check"]
        name = f"pywebsocket3=={VERSION}"
        # Without its dependencies, so that only this one has to be built from source.
        subprocess.run(
            [*pip, "download", "--no-deps", "--no-binary", "pywebsocket3", "-d", self.folder, name], check=True)
        archive, = self.folder.glob("pywebsocket3-*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(self.folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        subprocess.run([*pip, "install", archive], check=True)
        (self.folder / "installed").touch()

    def run(self, *arguments, timeout=30):
        """Runs its Python: exit code, standard output, standard error."""
        done = subprocess.run(
            [self.python, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
            stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def options(self):
        """Its long and short options, as --help says them."""
        code, text, errors = self.run("-m", "pywebsocket3.standalone", "--help")
        assert code == 0, errors
        lines = (line for line in text.splitlines() if line.startswith("  -"))
        words = (word.strip(",") for line in lines for word in line.split("   ")[0].split())
        return sorted({word for word in words if word.startswith("-")})


class ReferenceServer:
    """Its server on a free port of the loopback address. `log` is what it wrote, for messages."""

    def __init__(self, reference, handlers):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [reference.python, "-m", "pywebsocket3.standalone", "-H", "127.0.0.1", "-p", str(self.port),
             "-d", handlers, "--log-level", "warn"],
            stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output)
        deadline = time.monotonic() + START_TIMEOUT
        while not self._accepts():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                sys.exit("side_by_side: pywebsocket3 does not start:\n" + self.log())
            time.sleep(0.05)

    def _accepts(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def log(self):
        self._output.seek(0)
        return self._output.read()

    def stop(self):
        self.process.kill()  # it has no orderly way to end
        self.process.wait()
