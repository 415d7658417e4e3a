import EventLoop
import Foundation
import Glibc
import LoopTesting
import TestSupport
import Testing

@testable import Processes

@Suite("Sockets in the run directory")
struct RunSocketTests {
    private func mode(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
    }

    private func connects(_ path: String) -> Bool {
        (try? FileDescriptor.connected(to: path)) != nil
    }

    /// Waits until nobody listens. A program that another test is starting has a copy of the
    /// socket up to its `exec`.
    private func hasClosed(_ path: String) -> Bool {
        let end = Date(timeIntervalSinceNow: deadline)
        while connects(path) {
            guard Date() < end else { return false }
            sched_yield()
        }
        return true
    }

    @Test("only the user can reach it, and it goes at the end")
    func rights() throws {
        let folder = try TemporaryFiles.path()
        let socket = try RunSocket(in: folder, port: 9_998)
        #expect(socket.path == "\(folder)/9998.sock")
        #expect(mode(folder) == 0o700)
        #expect(mode(socket.path) == 0o600)
        #expect(connects(socket.path))
        socket.close()
        #expect(mode(socket.path) == nil)
    }

    @Test("what a killed server left is replaced; what somebody listens on is not")
    func staleOrLive() throws {
        let folder = try TemporaryFiles.path()
        let first = try RunSocket(in: folder, port: 1)
        #expect(throws: RunSocketError.inUse(first.path)) { try RunSocket(in: folder, port: 1) }
        let other = try RunSocket(in: folder, port: 2)
        #expect(RunDirectory.ports(in: folder) == [1, 2])
        first.socket.close()  // as if killed
        #expect(hasClosed(first.path))
        let second = try RunSocket(in: folder, port: 1)
        #expect(connects(second.path))
        // The first one's end does not touch what is the second's now.
        first.remove()
        #expect(connects(second.path) && connects(other.path))
        second.close()
        other.socket.close()  // as if killed
        #expect(hasClosed(other.path))
        #expect(RunDirectory.ports(in: folder) == [2])
        let third = try RunSocket(in: folder, port: 3)
        #expect(RunDirectory.ports(in: folder) == [3])
        third.close()
        #expect(RunDirectory.ports(in: folder) == [])
    }

    @Test("a file that is no socket stays")
    func otherFile() throws {
        let folder = try TemporaryFiles.makeFolder()
        chmod(folder, 0o700)
        let path = RunDirectory.socketPath(in: folder, port: 1)
        try #require(creat(path, 0o600) >= 0)
        #expect(throws: RunSocketError.self) { try RunSocket(in: folder, port: 1) }
        #expect(mode(path) == 0o600)
    }

    @Test("no folder that others could put a socket in")
    func badFolders() throws {
        let folder = try TemporaryFiles.makeFolder()
        for mode in [0o770, 0o707, 0o777, 0o1777] as [mode_t] {
            chmod(folder, mode)
            #expect(throws: RunSocketError.directory(.writable(folder))) {
                try RunSocket(in: folder, port: 1)
            }
            #expect(throws: RunDirectoryError.writable(folder)) {
                _ = try RunDirectory.find(folder)
            }
        }
        chmod(folder, 0o755)
        try RunSocket(in: folder, port: 1).close()
        let link = try TemporaryFiles.path()
        symlink(folder, link)
        #expect(throws: RunSocketError.directory(.notAFolder(link))) {
            try RunSocket(in: link, port: 1)
        }
        let file = try TemporaryFiles.write("")
        #expect(throws: RunSocketError.directory(.notAFolder(file))) {
            try RunSocket(in: file, port: 1)
        }
        // /proc is another user's for everybody but root, who may not write there either.
        #expect(throws: RunSocketError.self) { try RunSocket(in: "/proc", port: 1) }
        #expect(throws: RunSocketError.self) { try RunSocket(in: "/nowhere/at/all", port: 1) }
        let long = try TemporaryFiles.makeFolder(String(repeating: "x", count: 100))
        #expect(throws: RunSocketError.self) { try RunSocket(in: long, port: 1) }
    }

    @Test("where it is, by the environment")
    func places() throws {
        let own = try TemporaryFiles.makeFolder()
        let user = geteuid()
        func server(_ variables: [String: String]) -> String {
            RunDirectory.ofServer { variables[$0] }
        }
        #expect(server(["XDG_RUNTIME_DIR": own, "TMPDIR": "/a"]) == "\(own)/websockethost")
        let temporary = "/tmp/websockethost-\(user)"
        for base in ["", "relative", "/nowhere/at/all", own + "/nothing"] {
            #expect(server(["XDG_RUNTIME_DIR": base]) == temporary)
            #expect(
                server(["XDG_RUNTIME_DIR": base, "TMPDIR": "/a"]) == "/a/websockethost-\(user)")
        }
        #expect(server(["TMPDIR": "relative"]) == temporary)
        #expect(server([:]) == temporary)
        // A program without these variables finds a server that has them only in known places.
        let all = RunDirectory.ofServers { ["XDG_RUNTIME_DIR": own, "TMPDIR": "/a"][$0] }
        #expect(all.first == "\(own)/websockethost")
        #expect(all.suffix(2) == ["/a/websockethost-\(user)", temporary])
        #expect(RunDirectory.ofServers { ["TMPDIR": "/tmp"][$0] }.count { $0 == temporary } == 1)
    }
}
