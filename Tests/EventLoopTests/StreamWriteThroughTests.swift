import CLinux
import Glibc
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Stream: long pieces, from where they lie")
    struct StreamWriteThroughTests {
        private static let head = [UInt8](repeating: 0xEE, count: 10)

        /// The socket takes a part of it: the rest is queued, and nothing overtakes it.
        @Test(arguments: [0, 40_000, 16 << 20])
        func partial(bodyByteCount: Int) throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(peerBufferByteCount: 4_096)
                let body = pattern(bodyByteCount)
                let all = Self.head + body + [7, 8, 9]
                let counts = try loop { () -> (Int, Int) in
                    guard let stream = recorder.stream else { return (-1, -1) }
                    stream.writeThrough(Self.head, body)
                    let counts = (stream.sentByteCount, stream.queuedByteCount)
                    stream.write([7, 8, 9])
                    return counts
                }
                #expect(counts.0 + counts.1 == Self.head.count + body.count)
                #expect(counts.0 > 0)
                if bodyByteCount == 16 << 20 { #expect(counts.1 > 0, "more than a kernel takes") }
                #expect(peer.receive(all.count).bytes == all)
                #expect(try loop { recorder.stream?.sentByteCount } == all.count)
                #expect(try loop { recorder.stream?.queuedByteCount } == 0)
                #expect(recorder.record.value.failures.isEmpty)
            }
        }

        /// The sender does not keep its bytes: what was queued is a copy.
        @Test func bytesAreOverwrittenAfterwards() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(peerBufferByteCount: 4_096)
                var body = pattern(16 << 20)
                try loop {
                    recorder.stream?.writeThrough(Self.head, body)
                    for index in body.indices { body[index] = 0xFF }
                }
                let received = peer.receive(Self.head.count + (16 << 20)).bytes
                #expect(received == Self.head + pattern(16 << 20))
            }
        }

        @Test func behindWhatIsQueued() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                let body = pattern(100_000)
                let sent = try loop { () -> Int? in
                    recorder.stream?.write([1, 2])
                    recorder.stream?.writeThrough(Self.head, body)
                    recorder.stream?.writeThrough(Self.head, body)
                    return recorder.stream?.sentByteCount
                }
                #expect(sent == 0)
                let all = [1, 2] + Self.head + body + Self.head + body
                #expect(peer.receive(all.count).bytes == all)
            }
        }

        /// The kernel has no room at all: `EAGAIN`.
        @Test func noRoom() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(drainMark: 1_000, peerBufferByteCount: 4_096)
                let body = pattern(100_000)
                let (filled, sent, queued) = try loop { () -> (Int, Int, Int) in
                    guard let stream = recorder.stream else { return (0, 0, 0) }
                    var filled = 0
                    let filler = [UInt8](repeating: 0x55, count: 65_536)
                    for size in [65_536, 1] {
                        while true {
                            let count = send(stream.fd, filler, size, Int32(MSG_NOSIGNAL))
                            if count < 0 { break }
                            filled += count
                        }
                    }
                    stream.writeThrough(Self.head, body)
                    stream.needsDrainNotice = true
                    return (filled, stream.sentByteCount, stream.queuedByteCount)
                }
                #expect(sent == 0 && queued == Self.head.count + body.count)
                let received = peer.receive(filled + queued).bytes
                #expect(received.dropFirst(filled).elementsEqual(Self.head + body))
                #expect(recorder.record.wait { $0.drainCount == 1 })
            }
        }

        /// An error is told in the same turn, by the call that follows.
        @Test func broken() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect { $0.stream?.pauseReading() }
                let queued = try loop { () -> Int? in
                    peer.reset()
                    usleep(20_000)
                    recorder.stream?.writeThrough(Self.head, pattern(100_000))
                    return recorder.stream?.queuedByteCount
                }
                #expect(queued == Self.head.count + 100_000)
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.calls == ["failed", "closed"])
                #expect(try loop { recorder.stream?.queuedByteCount ?? 0 } == 0)
            }
        }

        @Test(arguments: [false, true])
        func closing(isClosed: Bool) throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                let counts = try loop { () -> [Int] in
                    guard let stream = recorder.stream else { return [] }
                    stream.write([1])
                    if isClosed { stream.close() } else { stream.closeAfterSending(linger: .seconds(60)) }
                    stream.writeThrough(Self.head, pattern(100_000))
                    return [stream.sentByteCount, stream.queuedByteCount]
                }
                #expect(counts == [isClosed ? 0 : 1, 0])
                #expect(peer.receive().bytes == (isClosed ? [] : [1]))
            }
        }
    }
}

extension EventLoop.Stream {
    fileprivate func writeThrough(_ head: [UInt8], _ body: [UInt8]) {
        head.withUnsafeBytes { head in body.withUnsafeBytes { writeThrough(head, $0) } }
    }
}
