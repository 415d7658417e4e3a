import Foundation
import LoopTesting
import TestSupport
import Testing

@testable import EventLoop

/// A file with these bytes.
struct TemporaryFile {
    let path: String

    init(_ bytes: [UInt8]) throws {
        path = try TemporaryFiles.path()
        try Data(bytes).write(to: URL(filePath: path))
    }
}

extension EventLoopTests {
    @Suite("Files in a stream's queue")
    struct StreamFilesTests {
        /// Bytes, file, bytes, the same file twice, bytes: they come in this order, however small
        /// the buffers on the way are.
        @Test(
            arguments: [(10, nil), (300_000, nil), (3_000_000, nil), (300_000, 4_096)]
                as [(Int, Int32?)])
        func orderIsKept(_ byteCount: Int, _ bufferByteCount: Int32?) throws {
            let content = pattern(byteCount)
            let file = try TemporaryFile(content)
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(peerBufferByteCount: bufferByteCount)
                let recorded = Unchecked(recorder)
                let path = file.path
                try loop {
                    guard let stream = recorded.value.stream else { return }
                    let open = try OpenFile(path: path)
                    #expect(open.byteCount == byteCount && open.kind == .regular)
                    stream.write(Array("head".utf8))
                    stream.sendFile(open, 0..<byteCount)
                    stream.write(Array("between".utf8))
                    stream.sendFile(open, 5..<byteCount)
                    stream.sendFile(open, 0..<3)
                    stream.sendFile(open, 3..<3)
                    stream.write(Array("tail".utf8))
                    #expect(stream.isOverDrainMark && stream.queuedByteCount == 15)
                    stream.needsDrainNotice = true
                    stream.closeAfterSending(linger: .seconds(20))
                    stream.write(Array("too late".utf8))
                    stream.sendFile(open, 0..<3)
                }
                let (received, code) = peer.receive()
                let expected =
                    Array("head".utf8) + content + Array("between".utf8) + content[5...]
                    + content[..<3] + Array("tail".utf8)
                #expect(received == expected && code == 0)
                peer.close()
                #expect(recorder.record.wait { $0.closeCount == 1 })
            }
        }

        /// What was promised cannot be sent: the peer has to see that.
        @Test func fileBecameShorter() throws {
            let file = try TemporaryFile(pattern(1_000))
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                let recorded = Unchecked(recorder)
                let path = file.path
                try loop {
                    let open = try OpenFile(path: path)
                    truncate(path, 500)
                    recorded.value.stream?.sendFile(open, 0..<1_000)
                }
                #expect(peer.receive().bytes.count == 500)
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.failures == [EIO])
            }
        }

        /// A peer that vanishes in the middle ends the stream, and with it the descriptor of the
        /// file.
        @Test func peerVanishes() throws {
            let file = try TemporaryFile(pattern(4_000_000))
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(peerBufferByteCount: 4_096)
                let recorded = Unchecked(recorder)
                let path = file.path
                nonisolated(unsafe) weak var open: OpenFile?
                try loop {
                    let made = try OpenFile(path: path)
                    open = made
                    recorded.value.stream?.sendFile(made, 0..<4_000_000)
                }
                #expect(peer.receive(10_000).bytes == Array(pattern(4_000_000)[..<10_000]))
                peer.reset()
                #expect(recorder.record.wait { $0.closeCount == 1 })
                try loop { #expect(open == nil) }
            }
        }

        /// Told once the file has gone out, and not before; it is larger than any buffer on the
        /// way.
        @Test func drainNotice() throws {
            let file = try TemporaryFile(pattern(16_000_000))
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(peerBufferByteCount: 4_096)
                let recorded = Unchecked(recorder)
                let path = file.path
                try loop {
                    recorded.value.stream?.sendFile(try OpenFile(path: path), 0..<16_000_000)
                    recorded.value.stream?.needsDrainNotice = true
                }
                try loop { #expect(recorded.value.record.value.drainCount == 0) }
                #expect(peer.receive(16_000_000).bytes == pattern(16_000_000))
                #expect(recorder.record.wait { $0.drainCount == 1 })
            }
        }
    }
}
