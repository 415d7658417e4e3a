import Foundation
import TestSupport
import Testing
import WebSocketClient
import WebSocketHost
import WebSocketProtocol

@Suite("A client's long messages")
struct LongMessageTests {
    private static let relay = WebSocketHandler(maxMessageSize: 1 << 24) { socket in
        while let message = try await socket.receiveInPieces() {
            try await socket.send(pieces: message.pieces, as: message.kind)
        }
    }

    /// Everything that is left of a message.
    private static func bytes(_ message: IncomingMessage?) async throws -> [UInt8] {
        guard let message else { return [] }
        var bytes: [UInt8] = []
        for try await piece in message.pieces { bytes += piece }
        return bytes
    }

    @Test(
        "a file goes out masked, comes back in pieces, and both keep pace",
        arguments: CompressionSettings.Mode.allCases)
    func file(_ mode: CompressionSettings.Mode) async throws {
        let content = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
        let path = try TemporaryFiles.path(".bin")
        try Data(content).write(to: URL(filePath: path))
        var configuration = ClientConfiguration.patient
        configuration.connection.compression.mode = mode
        configuration.connection.messageByteLimit = 1 << 24
        try await Pair(configuration, Self.relay).run { client, url in
            let socket = try await client.connect(url)
            #expect((socket.compression != nil) == (mode != .off))
            async let sending: Void = socket.send(file: path)
            let message = try await socket.receiveInPieces()
            #expect(message?.kind == .binary)
            #expect(try await Self.bytes(message) == content)
            try await sending
            // A short one, and text.
            try await socket.send(pieces: AsyncStream<String> { $0.finish() })
            let empty = try await socket.receiveInPieces()
            #expect(empty?.kind == .text)
            #expect(try await Self.bytes(empty) == [])
            #expect(try await socket.close() == Close(.normalClosure))
        }
    }

    @Test("a message that it cannot complete closes with 1011")
    func givenUp() async throws {
        try await Pair(Self.relay).run { client, url in
            let socket = try await client.connect(url)
            let pieces = AsyncThrowingStream<[UInt8], any Error> { continuation in
                continuation.yield([1])
                continuation.finish(throwing: CancellationError())
            }
            await #expect(throws: CancellationError.self) {
                try await socket.send(pieces: pieces)
            }
            #expect(try await socket.receive() == nil)
            #expect(await socket.receivedClose?.code == .internalError)
        }
    }
}
