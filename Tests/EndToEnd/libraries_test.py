"""What a handler may import besides the server: the program is linked in one of two ways, with Swift's runtime in it
or without."""

import re
import subprocess

import pytest

from authoring import ask, echo, save
from wire import REPOSITORY

HANDLERS = {
    "Foundation": ("""import Foundation
import WebSocketHost

private struct Point: Codable { var x = 1 }

public let handler = WebSocketHandler { socket in
    _ = try await socket.receive()
    let json = String(decoding: try JSONEncoder().encode(Point()), as: UTF8.self)
    let formatter = DateFormatter()
    formatter.dateFormat = "yyyy"
    formatter.timeZone = TimeZone(identifier: "UTC")
    try await socket.send(json + formatter.string(from: Date(timeIntervalSince1970: 0)))
}
""", '{"x":1}1970'),
    "others": ("""import Dispatch
import RegexBuilder
import Synchronization
import WebSocketHost

private let count = Mutex(1)

public let handler = WebSocketHandler { socket in
    _ = try await socket.receive()
    let found = "a1b22".matches(of: Regex { OneOrMore(.digit) }).map { String($0.output) }
    let moment = DispatchTime.now().uptimeNanoseconds > 0
    try await socket.send("\\(found.joined(separator: ",")) \\(moment) \\(count.withLock { $0 })")
}
""", "1,22 true 1"),
}


@pytest.mark.parametrize("name", HANDLERS)
def test_libraries(start_server, tmp_path, name):
    text, answer = HANDLERS[name]
    save(tmp_path, "library_wsh.swift", text)
    save(tmp_path, "echo_wsh.swift", echo(1))
    server = start_server(handlers=tmp_path)
    assert ask(server, "/library") == answer
    assert ask(server) == "1 x"
    needed = subprocess.run(["ldd", f"/proc/{server.process.pid}/exe"], capture_output=True, text=True, check=True)
    assert ("libFoundation" in needed.stdout) == (name == "Foundation")


def test_built_program(tmp_path):
    """What it says that it needs is what it needs, and none of that is Swift."""
    save(tmp_path / "handlers", "echo_wsh.swift", echo(1))
    script = [str(REPOSITORY / "standalone.sh"), "build", "-o", str(tmp_path / "server"), "-w", str(tmp_path / "handlers")]
    built = subprocess.run(script, capture_output=True, text=True, check=True)
    packages = re.search(r"these packages \(Debian 12\): (.*)", built.stdout)[1].split()
    assert packages == ["libcrypt1", "libgcc-s1", "libssl3", "libstdc++6", "zlib1g"]
    needed = subprocess.run(["ldd", str(tmp_path / "server")], capture_output=True, text=True, check=True).stdout
    libraries = set(re.findall(r"^\s*(lib[\w+]+)\.so", needed, re.MULTILINE))
    assert libraries <= {"libc", "libm", "libssl", "libcrypto", "libz", "libcrypt", "libstdc++", "libgcc_s"}
    save(tmp_path / "handlers", "broken_wsh.swift", "no Swift")
    refused = subprocess.run(script, capture_output=True, text=True)
    assert refused.returncode == 4 and "broken_wsh.swift does not compile" in refused.stderr
    allowed = subprocess.run(script + ["--allow-broken"], capture_output=True, text=True)
    assert allowed.returncode == 0
