import Foundation
import Glibc
import LoopTesting
import TestSupport
import Testing

@testable import EventLoop

@Suite("Files of Unix-domain sockets")
struct SocketFileTests {
    private func address(_ suffix: String = ".sock") throws -> SocketAddress {
        try SocketAddress(path: TemporaryFiles.path(suffix))
    }

    private func mode(_ address: SocketAddress) -> mode_t? {
        var status = stat()
        return lstat(address.host, &status) == 0 ? status.st_mode & 0o7777 : nil
    }

    private func connects(_ address: SocketAddress) -> Bool {
        (try? FileDescriptor.connected(to: address.host)) != nil
    }

    /// Waits until nobody listens. A program that another test is starting has a copy of the
    /// socket up to its `exec`.
    private func close(_ socket: ListeningSocket) -> Bool {
        socket.close()
        let end = Date(timeIntervalSinceNow: deadline)
        while connects(socket.address) {
            guard Date() < end else { return false }
            sched_yield()
        }
        return true
    }

    /// The usual umask leaves others nothing to write.
    @Test(
        "has exactly the rights asked for, whatever the umask",
        arguments: [0o600, 0o660, 0o666, 0o777])
    func rights(_ wanted: mode_t) throws {
        let socket = try ListeningSocket(at: address(), backlog: 1, mode: wanted)
        defer { socket.end() }
        #expect(mode(socket.address) == wanted)
        #expect(connects(socket.address))
    }

    @Test("goes with its owner, not with the socket; its rights may have been changed")
    func end() throws {
        let socket = try ListeningSocket(at: address(), backlog: 1, mode: 0o600)
        let copy = try socket.duplicate()
        chmod(socket.address.host, 0o666)
        copy.removeFile()
        #expect(connects(socket.address))
        copy.close()
        #expect(close(socket))
        #expect(mode(socket.address) == 0o666)
        socket.removeFile()
        #expect(mode(socket.address) == nil)
    }

    @Test("one that another server made in its place stays")
    func successor() throws {
        let address = try address()
        let first = try ListeningSocket(at: address, backlog: 1)
        #expect(close(first))
        let second = try ListeningSocket(at: address, backlog: 1)
        first.removeFile()
        #expect(connects(address))
        // Also where the first one's was moved away before.
        rename(address.host, address.host + ".old")
        let third = try ListeningSocket(at: address, backlog: 1)
        second.removeFile()
        #expect(connects(address))
        third.end()
        second.close()
        #expect(mode(address) == nil)
    }

    @Test("one that is served is not replaced, however busy")
    func live() throws {
        let address = try address()
        let socket = try ListeningSocket(at: address, backlog: 1)
        defer { socket.end() }
        var waiting: [Int32] = []
        defer { for number in waiting { Glibc.close(number) } }
        // Until no more connections may wait.
        for _ in 0..<8 {
            if let client = try? FileDescriptor.connected(to: address.host) {
                waiting.append(client.release())
            }
        }
        let error = #expect(throws: SystemError.self) {
            try ListeningSocket(at: address, backlog: 1)
        }
        #expect(error?.code == EADDRINUSE)
    }

    @Test("files of other kinds stay, and are told apart")
    func inTheWay() throws {
        let file = try TemporaryFiles.write("text")
        let folder = try TemporaryFiles.makeFolder()
        let link = try TemporaryFiles.path()
        symlink("/nowhere", link)
        for path in [file, folder, link] {
            let error = #expect(throws: SystemError.self) {
                try ListeningSocket(at: try SocketAddress(path: path), backlog: 1)
            }
            #expect(error?.code == ENOTSOCK)
        }
        #expect(FileManager.default.contents(atPath: file) == Data("text".utf8))
    }

    @Test("two servers that start at a time do not both replace what was left")
    func race() async throws {
        let address = try address()
        for _ in 0..<50 {
            #expect(close(try ListeningSocket(at: address, backlog: 1)))
            let made = await withTaskGroup(of: ListeningSocket?.self) { group in
                for _ in 0..<4 {
                    // The others ask whether it is served, and that waits to be accepted.
                    group.addTask { try? ListeningSocket(at: address, backlog: 16) }
                }
                return await group.reduce(into: []) { $0 += [$1].compactMap(\.self) }
            }
            #expect(made.count == 1)
            #expect(connects(address))
            for socket in made { socket.end() }
        }
    }

    @Test("the folder of a path")
    func folder() {
        #expect(FolderLock.folder(of: "/run/x.sock") == "/run")
        #expect(FolderLock.folder(of: "/x.sock") == "/")
        #expect(FolderLock.folder(of: "x.sock") == ".")
        #expect(FolderLock.folder(of: "a/x.sock") == "a")
    }

    @Test("a folder that somebody else keeps locked is not waited for without end")
    func locked() throws {
        let folder = try TemporaryFiles.makeFolder()
        let address = try SocketAddress(path: folder + "/x.sock")
        let lock = try FolderLock(besides: address.host)
        let error = #expect(throws: SystemError.self) {
            try ListeningSocket(at: address, backlog: 1)
        }
        #expect(error == SystemError("flock", code: EWOULDBLOCK))
        withExtendedLifetime(lock) {}
    }
}
