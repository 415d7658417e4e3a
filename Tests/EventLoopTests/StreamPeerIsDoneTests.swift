import Glibc
import LoopTesting
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Stream: closing when the peer is done")
    struct StreamPeerIsDoneTests {
        /// At once, within the call; the peer gets all of it, and the end in order.
        @Test(arguments: [0, 1, 100_000])
        func atOnce(byteCount: Int) throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                peer.send([1])
                #expect(recorder.record.wait { $0.received == [1] })
                let isClosed = try loop {
                    recorder.stream?.write(pattern(byteCount))
                    recorder.stream?.closeAfterSending(linger: .seconds(60), peerIsDone: true)
                    return recorder.record.value.closeCount == 1
                }
                #expect(isClosed)
                let (received, code) = peer.receive()
                #expect(received == pattern(byteCount) && code == 0)
            }
        }

        /// More than the kernel takes: all of it is sent first, however slowly the peer reads.
        @Test func muchQueued() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(peerBufferByteCount: 4_096)
                let bytes = pattern(16 << 20)
                let isClosed = try loop {
                    recorder.stream?.write(bytes)
                    recorder.stream?.closeAfterSending(linger: .seconds(60), peerIsDone: true)
                    return recorder.record.value.closeCount == 1
                }
                #expect(!isClosed)
                let (received, code) = peer.receive()
                #expect(received == bytes && code == 0)
                peer.close()
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.calls == ["closed"])
            }
        }

        /// The peer's end has come with its last bytes, or comes after.
        @Test(arguments: [false, true])
        func halfClosed(isBefore: Bool) throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                peer.send([1])
                if isBefore {
                    peer.endSending()
                    #expect(recorder.record.wait { $0.endCount == 1 })
                } else {
                    #expect(recorder.record.wait { $0.received == [1] })
                }
                try loop {
                    recorder.stream?.write([2])
                    recorder.stream?.closeAfterSending(linger: .seconds(60), peerIsDone: true)
                }
                peer.endSending()
                let (received, code) = peer.receive()
                #expect(received == [2] && code == 0)
                #expect(recorder.record.wait { $0.closeCount == 1 })
            }
        }

        @Test func peerIsFirst() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                try loop {
                    recorder.stream?.closeAfterSending(
                        linger: .seconds(60), peerIsFirst: true, peerIsDone: true)
                }
                try loop {}
                #expect(recorder.record.value.closeCount == 0)
                peer.endSending()
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(peer.receive().code == 0)
            }
        }

        /// Bytes that the loop knows of and has not read would reset the connection.
        @Test func unreadAndKnown() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect { $0.stream?.pauseReading() }
                peer.send([1])
                #expect(
                    try loop.waits(until: { recorder.stream?.flags.contains(.readable) == true }))
                let bytes = pattern(100_000)
                try loop {
                    recorder.stream?.write(bytes)
                    recorder.stream?.closeAfterSending(linger: .seconds(60), peerIsDone: true)
                }
                let (received, code) = peer.receive()
                #expect(received == bytes && code == 0)
            }
        }

        /// From within the delegate's call, with the loop's lists in use.
        @Test func insideReceived() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect { recorder in
                    recorder.onReceived = { [unowned recorder] _ in
                        recorder.stream?.write([2])
                        recorder.stream?.needsDrainNotice = true
                        recorder.stream?.closeAfterSending(linger: .seconds(60), peerIsDone: true)
                        recorder.stream?.write([3])
                    }
                }
                peer.send([1])
                let (received, code) = peer.receive()
                #expect(received == [2] && code == 0)
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.calls.last == "closed")
            }
        }
    }
}

extension RunningLoop {
    /// Whether `condition` holds on the loop's thread before the deadline.
    func waits(until condition: @escaping () -> Bool) throws -> Bool {
        for _ in 0..<2_000 {
            if try self({ condition() }) { return true }
            usleep(10_000)
        }
        return false
    }
}
