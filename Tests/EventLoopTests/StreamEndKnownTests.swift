import Glibc
import LoopTesting
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Stream: the peer while reading is paused")
    struct StreamEndKnownTests {
        @Test("its end is told at once; what it sent before comes first, all the same")
        func endBehindBytes() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect { $0.stream?.pauseReading() }
                peer.send(pattern(100_000))
                peer.endSending()
                #expect(recorder.record.wait { $0.endKnownCount > 0 })
                #expect(recorder.record.value.calls == [])
                try loop { recorder.stream?.resumeReading() }
                #expect(recorder.record.wait { $0.endCount == 1 })
                #expect(recorder.record.value.calls == ["received", "end"])
                #expect(recorder.record.value.received == pattern(100_000))
            }
        }

        @Test("an end that came while reading went on is known when it is paused")
        func pausedBehindEnd() throws {
            try withLoop { loop in
                let isKnown = Watched(false)
                let (recorder, peer) = try loop.connect { recorder in
                    recorder.onReceived = { [unowned recorder] _ in
                        recorder.stream?.pauseReading()
                        if recorder.stream?.isEndKnown == true { isKnown.set() }
                    }
                }
                // The loop finds both at once.
                let gate = Watched(false)
                loop.loop.submit { _ = gate.wait() }
                peer.send(pattern(10_000))
                peer.endSending()
                gate.set()
                #expect(isKnown.wait())
                try loop {}
                #expect(recorder.record.value.endCount == 0)
                try loop { recorder.stream?.resumeReading() }
                #expect(recorder.record.wait { $0.endCount == 1 })
            }
        }

        @Test("its reset is told at once") func reset() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect { $0.stream?.pauseReading() }
                peer.send([1])
                peer.reset()
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.failures == [ECONNRESET])
            }
        }
    }

    @Suite("Stream: what the kernel knows of the peer")
    struct PeerSignsTests {
        @Test("what it takes is counted, what it does not is on its way")
        func taking() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect(peerBufferByteCount: 4_096)
                let bytes = pattern(16 << 20)
                func signs() throws -> PeerSigns? { try loop { recorder.stream?.peerSigns } }
                let before = try #require(try signs())
                #expect(before.outstandingByteCount == 0)
                try loop { recorder.stream?.write(bytes) }
                let stuck = try #require(try signs())
                #expect(stuck.outstandingByteCount > 8 << 20)
                #expect(peer.receive(1 << 20).bytes.count == 1 << 20)
                let later = try #require(try signs())
                let taken = later.acknowledgedByteCount - before.acknowledgedByteCount
                #expect(taken >= 1 << 20 && taken < 8 << 20)
                #expect(taken + later.outstandingByteCount == bytes.count)
                peer.close()
            }
        }

        @Test("what it sent and nobody read") func unread() throws {
            try withLoop { loop in
                let (recorder, peer) = try loop.connect { $0.stream?.pauseReading() }
                peer.send(pattern(1_000))
                #expect(
                    try loop.waits(until: { recorder.stream?.peerSigns.unreadByteCount == 1_000 }))
                try loop { recorder.stream?.resumeReading() }
                #expect(recorder.record.wait { $0.received.count == 1_000 })
                #expect(try loop { recorder.stream?.peerSigns.unreadByteCount } == 0)
            }
        }
    }
}
