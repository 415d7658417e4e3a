import Glibc
import LoopTesting
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Stream: closing")
    struct StreamClosingTests {
        /// All that was queued arrives, though the peer goes on sending what nobody wants: no
        /// reset.
        @Test func sendsAllToAPeerThatStillSends() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                let isDone = Watched(false)
                let writer = try onThread {
                    let bytes = pattern(100_000)
                    while !isDone.value, peer.send(bytes) == bytes.count {}
                    peer.endSending()
                }
                #expect(recorder.record.wait { !$0.received.isEmpty })
                let bytes = pattern(16 << 20)
                try loop {
                    recorder.stream?.pauseReading()
                    recorder.stream?.write(bytes)
                    recorder.stream?.closeAfterSending(linger: .seconds(60))
                    recorder.stream?.closeAfterSending(linger: .zero)
                }
                let (received, code) = peer.receive()
                #expect(code == 0)
                #expect(received == bytes)
                #expect(recorder.record.value.closeCount == 0, "the peer has not ended yet")
                isDone.set()
                writer.join()
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.calls == ["received", "closed"])
            }
        }

        @Test func nothingQueued() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                try loop { recorder.stream?.closeAfterSending(linger: .seconds(60)) }
                #expect(peer.receive().code == 0)
                peer.close()
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.calls == ["closed"])
            }
        }

        @Test func peerHasEndedBefore() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                peer.endSending()
                #expect(recorder.record.wait { $0.endCount == 1 })
                try loop {
                    recorder.stream?.write([1, 2])
                    recorder.stream?.closeAfterSending(linger: .seconds(60))
                }
                #expect(recorder.record.wait { $0.closeCount == 1 })
                let (received, code) = peer.receive()
                #expect(received == [1, 2] && code == 0)
            }
        }

        /// The peer's end comes while there is still much to send.
        @Test func peerEndsMeanwhile() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                let bytes = pattern(16 << 20)
                try loop {
                    recorder.stream?.write(bytes)
                    recorder.stream?.closeAfterSending(linger: .seconds(60))
                }
                peer.endSending()
                let (received, code) = peer.receive()
                #expect(received == bytes && code == 0)
                #expect(recorder.record.wait { $0.closeCount == 1 })
            }
        }

        /// A peer that never ends, reading or not, is waited for no longer than `linger`.
        @Test(arguments: [0, 16 << 20])
        func linger(queuedByteCount: Int) throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                let start = MonotonicTime.current()
                try loop {
                    recorder.stream?.write(pattern(queuedByteCount))
                    recorder.stream?.closeAfterSending(linger: .milliseconds(30))
                }
                #expect(recorder.record.wait { $0.closeCount == 1 })
                // The loop's time may be a little behind the clock.
                #expect(MonotonicTime.current() - start > .milliseconds(20))
                #expect(recorder.record.value.calls == ["closed"])
                withExtendedLifetime(peer) {}
            }
        }

        @Test func resetWhileLingering() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                try loop {
                    recorder.stream?.write(pattern(16 << 20))
                    recorder.stream?.closeAfterSending(linger: .seconds(60))
                }
                peer.reset()
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.calls == ["closed"], "nobody waits for it any more")
            }
        }

        /// What is written after `closeAfterSending` is dropped; it must not break the connection,
        /// or the peer would lose what it has not read yet.
        @Test func writeAfterClosing() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                let queued = Watched(-1)
                try loop {
                    recorder.stream?.write([1, 2, 3])
                    recorder.stream?.closeAfterSending(linger: .seconds(60))
                    recorder.stream?.write([4])
                    if let place = recorder.stream?.reserve(1) {
                        place.storeBytes(of: 5, as: UInt8.self)
                        recorder.stream?.commit(1)
                    }
                }
                try loop { queued.update { $0 = recorder.stream?.queuedByteCount ?? -2 } }
                #expect(queued.value == 0)
                #expect(recorder.record.value.closeCount == 0, "it waits for the peer's end")
                let (received, code) = peer.receive()
                #expect(received == [1, 2, 3] && code == 0)
                peer.close()
                #expect(recorder.record.wait { $0.closeCount == 1 })
            }
        }

        /// Nothing is kept of what is written to a stream that is closed, by whatever call.
        @Test func useAfterClose() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect()
                let queued = try loop {
                    guard let stream = recorder.stream else { return -1 }
                    stream.write([1])
                    stream.close()
                    stream.close()
                    for _ in 0..<100 {
                        stream.write(pattern(10))
                        stream.reserve(4).storeBytes(of: 0, as: UInt32.self)
                        stream.commit(4)
                    }
                    stream.needsDrainNotice = true
                    stream.flush()
                    stream.pauseReading()
                    stream.resumeReading()
                    stream.closeAfterSending(linger: .zero)
                    stream.ready([.readable, .writable, .hangUp])
                    return stream.queuedByteCount
                }
                try loop {}
                #expect(queued == 0)
                #expect(recorder.record.value.calls == ["closed"])
                #expect(recorder.record.value.closeCount == 1)
                #expect(peer.receive().bytes.isEmpty)
            }
        }

        enum Moment: String, CaseIterable { case received, end, drained, failed, closed }

        /// Closing is allowed in every call of the delegate, and ends the calls.
        @Test(arguments: Moment.allCases, [false, true])
        func closeInside(moment: Moment, afterSending: Bool) throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect { recorder in
                    let close = { [unowned recorder] in
                        recorder.stream?.write([9])
                        if afterSending {
                            recorder.stream?.closeAfterSending(linger: .milliseconds(10))
                        } else {
                            recorder.stream?.close()
                        }
                    }
                    switch moment {
                    case .received: recorder.onReceived = { _ in close() }
                    case .end: recorder.onEnd = close
                    case .drained: recorder.onDrained = close
                    case .failed: recorder.onFailed = close
                    case .closed: recorder.onClosed = close
                    }
                }
                peer.send([1])
                switch moment {
                case .received: break
                case .end: peer.endSending()
                case .drained:
                    try loop {
                        recorder.stream?.needsDrainNotice = true
                        recorder.stream?.write([1])
                    }
                case .failed: peer.reset()
                case .closed: try loop { recorder.stream?.close() }
                }
                #expect(recorder.record.wait { $0.closeCount > 0 })
                for _ in 0..<3 { try loop {} }
                let record = recorder.record.value
                #expect(record.closeCount == 1)
                #expect(record.calls.last == "closed")
            }
        }

        /// Closing it and its delegate frees both, whatever timer or list knew of them.
        @Test(arguments: [false, true])
        func bothAreFreed(afterSending: Bool) throws {
            try withLoop { loop in
                nonisolated(unsafe) weak var stream: EventLoop.Stream?
                nonisolated(unsafe) weak var delegate: Recorder?
                let record: Watched<Record>
                let peer: Peer
                do {
                    let recorder: Recorder
                    (recorder, peer) = try loop.connect()
                    record = recorder.record
                    (stream, delegate) = (recorder.stream, recorder)
                }
                #expect(delegate != nil, "the stream keeps it")
                peer.send(pattern(100))
                #expect(record.wait { !$0.received.isEmpty })
                try loop {
                    stream?.write([1])
                    stream?.pauseReading()
                    stream?.resumeReading()
                    if afterSending {
                        stream?.closeAfterSending(linger: .seconds(1_000))
                    } else {
                        stream?.close()
                    }
                }
                peer.close()
                #expect(record.wait { $0.closeCount == 1 })
                try loop {}
                #expect(stream == nil)
                #expect(delegate == nil)
            }
        }
    }
}
