import Glibc
import LoopTesting
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Stream")
    struct StreamTests {
        /// Much more than kernels keep on the way, so that each side has to wait for the other.
        @Test func echoOfMuch() throws {
            try withLoop { loop in
                let sent = pattern(24 << 20)
                let (recorder, peer) = try loop.connect { recorder in
                    recorder.keepsBytes = false
                    recorder.onReceived = { [unowned recorder] bytes in
                        guard let stream = recorder.stream else { return }
                        stream.write(bytes)
                        guard stream.isOverDrainMark else { return }
                        stream.needsDrainNotice = true
                        stream.pauseReading()
                    }
                    recorder.onDrained = { [unowned recorder] in recorder.stream?.resumeReading() }
                    recorder.onEnd = { [unowned recorder] in
                        recorder.stream?.closeAfterSending(linger: .seconds(20))
                    }
                }
                let writer = try onThread {
                    peer.send(sent)
                    peer.endSending()
                }
                let (received, code) = peer.receive()
                writer.join()
                #expect(code == 0)
                #expect(received == sent)
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.drainCount > 0)
            }
        }

        /// A peer that does not read: the queue grows, and the notice comes once it has fallen.
        @Test func backPressure() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(drainMark: 1_000)
                let bytes = pattern(32 << 20)
                let queued = try loop {
                    recorder.stream?.write(bytes)
                    recorder.stream?.flush()
                    recorder.stream?.needsDrainNotice = true
                    return recorder.stream?.queuedByteCount ?? 0
                }
                #expect(queued > 1_000)
                #expect(recorder.record.value.drainCount == 0)
                let left = Watched(-1)
                try loop {
                    recorder.onDrained = { [unowned recorder] in
                        left.update { $0 = recorder.stream?.queuedByteCount ?? -1 }
                    }
                }
                let (received, _) = peer.receive(bytes.count)
                #expect(received == bytes)
                #expect(left.wait { (0...1_000).contains($0) })
                let (sentByteCount, isOver) = try loop {
                    (recorder.stream?.sentByteCount, recorder.stream?.isOverDrainMark)
                }
                #expect(sentByteCount == bytes.count)
                #expect(isOver == false)
                #expect(recorder.record.value.drainCount == 1)
            }
        }

        /// What is written in one turn arrives in its order, however it was put there.
        @Test func reserveAndCommit() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                try loop {
                    guard let stream = recorder.stream else { return }
                    stream.write([1])
                    stream.write([])
                    let place = stream.reserve(10)
                    place.storeBytes(of: 0x0302, as: UInt16.self)
                    stream.commit(2)
                    _ = stream.reserve(10)
                    stream.commit(0)
                    stream.write([4])
                }
                #expect(peer.receive(4).bytes == [1, 2, 3, 4])
                // Sent, it owns no queue.
                #expect(try loop.isEmpty(recorder))
            }
        }

        @Test func pauseAndResume() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect { $0.stream?.pauseReading() }
                // Sent until nothing fits for a tenth of a second: much less than all of it.
                let bytes = pattern(48 << 20)
                var sent = 0
                var entry = pollfd(fd: peer.fd, events: Int16(POLLOUT), revents: 0)
                while sent < bytes.count, poll(&entry, 1, 100) == 1 {
                    let count = bytes[sent...].withUnsafeBytes {
                        send(peer.fd, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
                    }
                    if count > 0 { sent += count }
                }
                #expect(sent < bytes.count)
                #expect(recorder.record.value.received.isEmpty)
                try loop { recorder.stream?.resumeReading() }
                let start = sent
                let writer = try onThread {
                    peer.send(Array(bytes[start...]))
                    peer.endSending()
                }
                #expect(recorder.record.wait { $0.endCount == 1 })
                writer.join()
                #expect(recorder.record.value.received == bytes)
            }
        }

        /// Bytes and the end that came while nobody read are there afterwards.
        @Test func resumeAfterTheEnd() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect { recorder in
                    recorder.onReceived = { [unowned recorder] _ in recorder.stream?.pauseReading()
                    }
                }
                peer.send([1])
                #expect(recorder.record.wait { $0.received == [1] })
                peer.send(pattern(1_000))
                peer.endSending()
                for _ in 0..<10 { try loop {} }
                #expect(recorder.record.value.calls == ["received"])
                try loop {
                    recorder.onReceived = { _ in }
                    recorder.stream?.resumeReading()
                    recorder.stream?.resumeReading()
                }
                #expect(recorder.record.wait { $0.endCount == 1 })
                #expect(recorder.record.value.received == [1] + pattern(1_000))
            }
        }

        @Test func halfClose() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                peer.send([1, 2])
                peer.endSending()
                #expect(recorder.record.wait { $0.endCount == 1 })
                try loop { recorder.stream?.write(pattern(100_000)) }
                #expect(peer.receive(100_000).bytes == pattern(100_000))
                #expect(recorder.record.value.calls == ["received", "end"])
                try loop { recorder.stream?.close() }
                let (rest, code) = peer.receive()
                #expect(rest.isEmpty && code == 0)
                #expect(recorder.record.value.calls == ["received", "end", "closed"])
            }
        }

        /// One stream that has much to read does not keep another waiting.
        @Test func othersHaveTheirTurn() throws {
            try withLoop { loop in
                let isDone = Watched(false)
                let (_, busyPeer) = try loop.connect { $0.keepsBytes = false }
                let writer = try onThread {
                    let bytes = pattern(1 << 20)
                    while !isDone.value, busyPeer.send(bytes) == bytes.count {}
                }
                let (recorder, peer) = try loop.connect()
                peer.send([1])
                #expect(recorder.record.wait { $0.received == [1] })
                isDone.set()
                writer.join()
            }
        }

        /// One that writes whenever its queue was drained, to a peer that is quick, does not
        /// either.
        @Test func writersHaveTheirTurn() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect { recorder in
                    recorder.onDrained = { [unowned recorder] in
                        recorder.stream?.write([1])
                        recorder.stream?.needsDrainNotice = true
                    }
                }
                let reader = try onThread { _ = peer.receive() }
                try loop {
                    recorder.stream?.needsDrainNotice = true
                    recorder.stream?.write([1])
                }
                #expect(recorder.record.wait { $0.drainCount > 100 })
                try loop { recorder.stream?.close() }
                reader.join()
            }
        }
    }

    @Suite("Stream: broken connections")
    struct StreamFailureTests {
        @Test func reset() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                peer.reset()
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.calls == ["failed", "closed"])
                #expect(recorder.record.value.failures == [ECONNRESET])
            }
        }

        /// Noticed though nobody reads.
        @Test func resetWhilePaused() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect { $0.stream?.pauseReading() }
                peer.send([1])
                peer.reset()
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.calls == ["failed", "closed"])
            }
        }

        /// Noticed though the peer had nothing more to send before.
        @Test func resetAfterTheEnd() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                peer.endSending()
                #expect(recorder.record.wait { $0.endCount == 1 })
                peer.reset()
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.calls == ["end", "failed", "closed"])
            }
        }

        /// What the peer said last is read, though what we had for it cannot be sent any more.
        @Test func lastBytesBeforeAReset() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                try loop { recorder.stream?.write(pattern(32 << 20)) }
                try loop {
                    // All of this comes in one turn: bytes, then a reset for what the peer did not
                    // read.
                    peer.send([1, 2, 3])
                    peer.close()
                }
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.received == [1, 2, 3])
                #expect(recorder.record.value.calls.last == "closed")
            }
        }

        @Test func writingToNobody() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                peer.close()
                #expect(recorder.record.wait { $0.endCount == 1 })
                // The first is answered with a reset, one of the next fails.
                while recorder.record.value.closeCount == 0 {
                    try loop { recorder.stream?.write([1]) }
                }
                #expect(recorder.record.value.calls == ["end", "failed", "closed"])
            }
        }
    }
}

extension RunningLoop {
    /// Whether the stream of the recorder has nothing queued.
    func isEmpty(_ recorder: Recorder) throws -> Bool {
        let recorder = Unchecked(recorder)
        return try self { recorder.value.stream?.queuedByteCount == 0 }
    }
}
