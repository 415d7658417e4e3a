import EventLoop
import Foundation
import Synchronization
import TestSupport
import Testing
import WebSocketHost
import WebSocketProtocol

@Suite("Files as messages")
struct FileMessageTests {
    /// A file with these bytes.
    private static func file(_ bytes: [UInt8]) throws -> String {
        let path = try TemporaryFiles.path(".bin")
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    /// A file of zeros that takes no room: far more than the kernels' buffers hold.
    private static func longFile() throws -> String {
        let path = try file([])
        guard truncate(path, longByteCount) == 0 else { throw SystemError("truncate") }
        return path
    }
    private static let longByteCount = 1 << 26

    private static func pattern(_ byteCount: Int) -> [UInt8] {
        (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    /// Sends a file, and then what became of that.
    private static func sender(
        _ path: String, as kind: Message.Kind = .binary, compress: Bool = true
    ) -> WebSocketHandler {
        WebSocketHandler { socket in
            do {
                try await socket.send(file: path, as: kind, compress: compress)
            } catch {
                try await socket.send("\(error)")
            }
        }
    }

    @Test(
        "a message of the file's bytes, in frames of 256 KiB, or of 64 KiB where those are checked",
        arguments: [0, 1, 65_535, 65_536, 65_537, 262_144, 262_145, 600_000], [true, false])
    func whole(byteCount: Int, isDirect: Bool) async throws {
        let bytes = Self.pattern(byteCount).map { isDirect ? $0 : $0 & 0x7F }
        let path = try Self.file(bytes)
        let handler = Self.sender(path, as: isDirect ? .binary : .text)
        let frameByteCount = isDirect ? 262_144 : 65_536
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            let frames = Mutex<[FrameHeader]>([])
            client.observe { header in frames.withLock { $0.append(header) } }
            let message: Message =
                isDirect ? .binary(bytes) : .text(String(decoding: bytes, as: UTF8.self))
            #expect(try client.event() == .message(message))
            let headers = frames.withLock { $0 }
            #expect(headers.count == max(1, (byteCount + frameByteCount - 1) / frameByteCount))
            #expect(headers.allSatisfy { $0.payloadByteCount <= frameByteCount })
            #expect(try client.event() == .close(Close(.normalClosure)))
        }
    }

    @Test("compressed where that was agreed on, unless the call says no", arguments: [true, false])
    func compressed(_ compress: Bool) async throws {
        let bytes = Self.pattern(200_000)
        let path = try Self.file(bytes)
        try await TestServer(Self.sender(path, compress: compress)).run { port in
            let client = try TestClient(port, offering: [ExtensionOffer("permessage-deflate")])
            try client.compress(CompressionSettings())
            let frames = Mutex<[FrameHeader]>([])
            client.observe { header in frames.withLock { $0.append(header) } }
            #expect(try client.event() == .message(.binary(bytes)))
            let headers = frames.withLock { $0 }
            #expect((headers.first?.reservedBits == FrameHeader.compressedBit) == compress)
            let sum = headers.reduce(0) { $0 + $1.payloadByteCount }
            #expect((sum < 100_000) == compress)
        }
    }

    // MARK: Text

    @Test("text, with a character that lies in two frames")
    func text() async throws {
        let text = String(repeating: "€", count: 50_000)
        let path = try Self.file(Array(text.utf8))
        try await TestServer(Self.sender(path, as: .text)).run { port in
            let client = try TestClient(port)
            #expect(try client.event() == .message(.text(text)))
        }
    }

    @Test(
        "what is no UTF-8 is no message: nothing of it was sent, so the connection stays",
        arguments: [[0xFF], Array("Gr".utf8) + [0xC3]])
    func noText(_ bytes: [UInt8]) async throws {
        try await TestServer(Self.sender(try Self.file(bytes), as: .text)).run { port in
            let error = ConnectionError.notSendable(.invalidUTF8)
            let client = try TestClient(port)
            #expect(try client.event() == .message(.text("\(error)")))
        }
    }

    @Test(
        "behind its first frame it closes with 1011, and the handler gets the error",
        arguments: [[0xFF] + Array("more".utf8), [0xC3]])
    func noTextLater(_ end: [UInt8]) async throws {
        let path = try Self.file([UInt8](repeating: 0x61, count: 70_000) + end)
        let thrown = Signal<ConnectionError?>()
        let handler = WebSocketHandler { socket in
            do {
                try await socket.send(file: path, as: .text)
            } catch {
                thrown.send(error as? ConnectionError)
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            let reason = "the message could not be completed"
            #expect(try client.event() == .close(Close(.internalError, reason: reason)))
        }
        #expect(await thrown.next() == .notSendable(.invalidUTF8))
    }

    // MARK: What cannot be sent

    @Test("no file, a folder, a pipe, a device: each has its error, and the connection stays")
    func errors() async throws {
        let missing = try TemporaryFiles.path()
        let folder = try TemporaryFiles.makeFolder()
        let pipe = try TemporaryFiles.path(".fifo")
        #expect(mkfifo(pipe, 0o600) == 0)
        let file = try Self.file([1])
        let paths: [(String, FileError)] = [
            (missing, .notFound(path: missing)),
            (file + "/below", .notFound(path: file + "/below")),
            (file + "\0.txt", .notFound(path: file + "\0.txt")),
            ("", .notFound(path: "")),
            (folder, .isFolder(path: folder)),
            (pipe, .isNoFile(path: pipe)),
            ("/dev/zero", .isNoFile(path: "/dev/zero")),
        ]
        let handler = WebSocketHandler { socket in
            for (path, error) in paths {
                await #expect(throws: error) { try await socket.send(file: path) }
            }
            try await socket.send(file: file)
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.event() == .message(.binary([1])))
        }
    }

    @Test("a file that this process may not read", .enabled(if: geteuid() != 0))
    func notPermitted() async throws {
        let path = try Self.file([1])
        #expect(chmod(path, 0) == 0)
        try await TestServer(Self.sender(path)).run { port in
            let error = FileError.notPermitted(path: path)
            let client = try TestClient(port)
            #expect(try client.event() == .message(.text("\(error)")))
        }
    }

    // MARK: What happens meanwhile

    @Test("a file that grows has the length that it had", arguments: [true, false])
    func grows(isDirect: Bool) async throws {
        let path = try Self.longFile()
        let kind: Message.Kind = isDirect ? .binary : .text
        try await TestServer(Self.sender(path, as: kind)).run { port in
            let client = try TestClient(port)
            client.input += try client.readSome()
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data([1, 2, 3]))
            guard case .message(let message) = try client.event() else {
                throw TestClientError.ended
            }
            #expect(message.payloadByteCount == Self.longByteCount)
            #expect(try client.event() == .close(Close(.normalClosure)))
        }
    }

    /// Read by the process, the file is known to be shorter before a frame of it is announced; if
    /// the kernel reads it, maybe only behind that.
    @Test("a file that shrinks gives no message, and an error", arguments: [true, false])
    func shrinks(isDirect: Bool) async throws {
        let path = try Self.longFile()
        let thrown = Signal<FileError?>()
        let handler = WebSocketHandler { socket in
            do {
                try await socket.send(file: path, as: isDirect ? .binary : .text)
            } catch {
                thrown.send(error as? FileError)
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            client.input += try client.readSome()
            #expect(truncate(path, 10) == 0)
            do {
                let reason = "the message could not be completed"
                #expect(try client.event() == .close(Close(.internalError, reason: reason)))
            } catch TestClientError.ended where isDirect {
            } catch TestClientError.system where isDirect {
            }
        }
        let expected = FileError.becameShorter(path: path, byteCount: Self.longByteCount)
        #expect(await thrown.next() == expected)
    }

    @Test("a cancelled task closes with 1011", arguments: [true, false])
    func cancelled(isDirect: Bool) async throws {
        let path = try Self.longFile()
        let thrown = Signal<ConnectionError?>()
        let handler = WebSocketHandler { socket in
            let task = Task { try await socket.send(file: path, as: isDirect ? .binary : .text) }
            _ = try await socket.receive()
            task.cancel()
            do {
                try await task.value
            } catch {
                thrown.send(error as? ConnectionError)
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            client.input += try client.readSome()
            try client.send("stop")
            #expect(
                try client.event()
                    == .close(
                        Close(.internalError, reason: "the message could not be completed")))
        }
        #expect(await thrown.next() == .cancelled)
    }

    @Test("Pings are answered between the frames, and other tasks' messages come behind")
    func meanwhile() async throws {
        let path = try Self.longFile()
        let handler = WebSocketHandler { socket in
            let other = Task {
                _ = try await socket.receive()
                try await socket.send("other")
            }
            try await socket.send(file: path)
            try await other.value
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            client.input += try client.readSome()
            try client.ping([7])
            try client.send("go on")
            #expect(try client.event() == .pong([7]))
            guard case .message(.binary(let bytes)) = try client.event() else {
                throw TestClientError.ended
            }
            #expect(bytes.count == Self.longByteCount)
            #expect(try client.event() == .message(.text("other")))
        }
    }

    @Test("a client that closes, or goes, ends it", arguments: [true, false])
    func clientEnds(closes: Bool) async throws {
        let path = try Self.longFile()
        let thrown = Signal<ConnectionError?>()
        let handler = WebSocketHandler { socket in
            do {
                try await socket.send(file: path)
            } catch {
                thrown.send(error as? ConnectionError)
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            client.input += try client.readSome()
            guard closes else { return client.reset() }
            try client.sendClose(Close(4000))
            #expect(try client.event() == .close(Close(4000)))
        }
        #expect(await thrown.next() == (closes ? .closed(Close(4000)) : .lost))
    }
}
