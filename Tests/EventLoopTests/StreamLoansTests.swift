import Glibc
import LoopTesting
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Stream: long pieces, from where they lie")
    struct StreamLoansTests {
        private static let head = [UInt8](repeating: 0xEE, count: 10)

        private static func loan(_ body: [UInt8]) -> Loan { Loan(head: head, body: .bytes(body)) }

        /// What the socket does not take is queued, and nothing overtakes it. One that is long is
        /// not kept until the end of the turn.
        @Test(arguments: [0, 40_000, 16 << 20])
        func partial(bodyByteCount: Int) throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(peerBufferByteCount: 4_096)
                let body = pattern(bodyByteCount)
                let all = Self.head + body + [7, 8, 9]
                let counts = try loop { () -> [Int] in
                    guard let stream = recorder.stream else { return [] }
                    stream.write(Self.loan(body))
                    defer { stream.write([7, 8, 9]) }
                    return [stream.sentByteCount, stream.queuedByteCount]
                }
                #expect(counts.reduce(0, +) == Self.head.count + body.count)
                #expect((counts.first ?? 0 > 0) == (bodyByteCount > 262_144))
                if bodyByteCount == 16 << 20 {
                    #expect(counts.last ?? 0 > 0, "more than a kernel takes")
                }
                #expect(peer.receive(all.count).bytes == all)
                #expect(try loop { recorder.stream?.sentByteCount } == all.count)
                #expect(try loop { recorder.stream?.queuedByteCount } == 0)
                #expect(recorder.record.value.failures.isEmpty)
            }
        }

        /// Several leave together and in their order, texts too, however much the socket takes of
        /// them.
        @Test(arguments: [nil, 4_096] as [Int32?])
        func several(bufferByteCount: Int32?) throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(peerBufferByteCount: bufferByteCount)
                let text = String(repeating: "äöü ", count: 12_000)
                let bodies = [pattern(60_000), Array(text.utf8), pattern(50_001), pattern(70_000)]
                let counts = try loop { () -> [Int] in
                    guard let stream = recorder.stream else { return [] }
                    stream.write(Self.loan(bodies[0]))
                    stream.write(Loan(head: Self.head, body: .text(text)))
                    stream.write(Self.loan(bodies[2]))
                    let counts = [stream.sentByteCount, stream.queuedByteCount]
                    #expect(!stream.isOverDrainMark, "the socket was not asked yet")
                    stream.write(Self.loan(bodies[3]))
                    return counts + [stream.sentByteCount > 0 ? 1 : 0]
                }
                let all = bodies.flatMap { Self.head + $0 }
                #expect(counts == [0, all.count - bodies[3].count - Self.head.count, 1])
                #expect(peer.receive(all.count).bytes == all)
                #expect(try loop { recorder.stream?.sentByteCount } == all.count)
            }
        }

        /// Their count is limited too, however short they are.
        @Test func many() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                let sent = try loop { () -> [Int] in
                    guard let stream = recorder.stream else { return [] }
                    return (0..<2_000).map { _ in
                        stream.write(Self.loan([7]))
                        return stream.sentByteCount
                    }
                }
                #expect(Array(sent.prefix(9)) == [0, 0, 0, 0, 0, 0, 0, 88, 88])
                let all = [[UInt8]](repeating: Self.head + [7], count: 2_000).flatMap { $0 }
                #expect(peer.receive(all.count).bytes == all)
            }
        }

        /// Of short pieces, files and long pieces none overtakes another.
        @Test func mixed() throws {
            let content = pattern(70_000)
            let file = try TemporaryFile(content)
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                let recorded = Unchecked(recorder)
                let path = file.path
                let body = pattern(100_000)
                try loop {
                    guard let stream = recorded.value.stream else { return }
                    stream.write(Self.loan(body))
                    stream.write([1])
                    stream.write(Self.loan(body))
                    stream.flush()
                    stream.write(Self.loan(body))
                    stream.sendFile(try OpenFile(path: path), 0..<content.count)
                    stream.write(Self.loan(body))
                    stream.closeAfterSending(linger: .seconds(20))
                }
                let piece = Self.head + body
                #expect(peer.receive().bytes == piece + [1] + piece + piece + content + piece)
            }
        }

        /// The bytes stay what they were, whatever the sender makes of its own.
        @Test func bytesAreOverwrittenAfterwards() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(peerBufferByteCount: 4_096)
                for byteCount in [100_000, 16 << 20] {
                    try loop {
                        var body = pattern(byteCount)
                        recorder.stream?.write(Self.loan(body))
                        for index in body.indices { body[index] = 0xFF }
                    }
                    #expect(peer.receive(10 + byteCount).bytes == Self.head + pattern(byteCount))
                }
            }
        }

        @Test func behindWhatIsQueued() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                let body = pattern(200_000)
                let sent = try loop { () -> Int? in
                    recorder.stream?.write([1, 2])
                    recorder.stream?.write(Self.loan(body))
                    recorder.stream?.write(Self.loan(body))
                    return recorder.stream?.sentByteCount
                }
                #expect(sent == 0)
                let all = [1, 2] + Self.head + body + Self.head + body
                #expect(peer.receive(all.count).bytes == all)
            }
        }

        /// The kernel takes nothing at all: `EAGAIN`.
        @Test func noRoom() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(
                    drainMark: 1_000, peerBufferByteCount: 4_096)
                let body = pattern(100_000)
                let counts = try loop { () -> [Int] in
                    guard let stream = recorder.stream else { return [] }
                    var filled = 0
                    let filler = [UInt8](repeating: 0x55, count: 65_536)
                    for size in [65_536, 1] {
                        while true {
                            let count = send(stream.fd, filler, size, Int32(MSG_NOSIGNAL))
                            if count < 0 { break }
                            filled += count
                        }
                    }
                    stream.write(Self.loan(body))
                    stream.flush()
                    stream.needsDrainNotice = true
                    return [
                        filled, stream.sentByteCount, stream.queuedByteCount,
                        stream.isOverDrainMark ? 1 : 0,
                    ]
                }
                #expect(counts.dropFirst() == [0, Self.head.count + body.count, 1])
                let filled = counts.first ?? 0
                let received = peer.receive(filled + Self.head.count + body.count).bytes
                #expect(received.dropFirst(filled).elementsEqual(Self.head + body))
                #expect(recorder.record.wait { $0.drainCount == 1 })
            }
        }

        /// An error is reported in the same turn, by the call that follows.
        @Test func broken() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect { $0.stream?.pauseReading() }
                let queued = try loop { () -> Int? in
                    peer.reset()
                    usleep(20_000)
                    recorder.stream?.write(Self.loan(pattern(100_000)))
                    return recorder.stream?.queuedByteCount
                }
                #expect(queued == Self.head.count + 100_000)
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.calls == ["failed", "closed"])
                #expect(try loop { recorder.stream?.queuedByteCount ?? 0 } == 0)
            }
        }

        /// What the socket does not take at the end is still sent.
        @Test func closingWithARest() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(peerBufferByteCount: 4_096)
                let body = pattern(250_000)
                let queued = try loop { () -> Int in
                    guard let stream = recorder.stream else { return 0 }
                    var byteCount: Int32 = 4_096
                    setsockopt(stream.fd, SOL_SOCKET, SO_SNDBUF, &byteCount, 4)
                    stream.write(Self.loan(body))
                    stream.closeAfterSending(linger: .seconds(60))
                    return stream.queuedByteCount
                }
                #expect(queued > 0, "the socket takes less than that")
                #expect(peer.receive().bytes == Self.head + body)
            }
        }

        /// What was lent before the end goes out with all else, or is lost with it; afterwards
        /// nothing is taken.
        @Test(arguments: [false, true])
        func closing(isClosed: Bool) throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                let counts = try loop { () -> [Int] in
                    guard let stream = recorder.stream else { return [] }
                    stream.write(Self.loan([1]))
                    if isClosed {
                        stream.close()
                    } else {
                        stream.closeAfterSending(linger: .seconds(60))
                    }
                    stream.write(Self.loan(pattern(100_000)))
                    return [stream.sentByteCount, stream.queuedByteCount]
                }
                #expect(counts == [isClosed ? 0 : Self.head.count + 1, 0])
                #expect(peer.receive().bytes == (isClosed ? [] : Self.head + [1]))
            }
        }
    }
}
