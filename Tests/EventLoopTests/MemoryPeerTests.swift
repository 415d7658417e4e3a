import Glibc
import LoopTesting
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Streams without sockets, time without a clock")
    struct MemoryPeerTests {
        /// A stream in memory with its recorder, and what its peer got.
        private struct Connection {
            let recorder: Recorder
            let peer = Unchecked(MemoryPeer())
            let taken = Watched<[UInt8]>([])
            let hasEnded = Watched(false)

            init(_ loop: RunningLoop, drainMark: Int = 65_536) throws {
                let (peer, taken, hasEnded) = (peer, taken, hasEnded)
                let address = try loopback(port: 1)
                recorder = try loop {
                    peer.value.onBytes = { bytes in taken.update { $0 += bytes } }
                    peer.value.onEnd = { hasEnded.set() }
                    let recorder = Recorder()
                    let stream = Stream(
                        peer.value, peer: address, on: loop.loop, drainMark: drainMark)
                    recorder.stream = stream
                    stream.delegate = recorder
                    return Unchecked(recorder)
                }.value
            }
        }

        @Test(
            "bytes of any count arrive in order, both ways",
            arguments: [1, 262_144, 262_145, 3_000_000])
        func bytes(_ byteCount: Int) throws {
            try withLoop { loop in
                let connection = try Connection(loop)
                let bytes = pattern(byteCount)
                try loop {
                    connection.peer.value.send(bytes)
                    let middle = byteCount / 2
                    connection.recorder.stream?.write(Array(bytes[..<middle]))
                    connection.recorder.stream?.write(
                        Loan(head: [], body: .bytes(Array(bytes[middle...]))))
                }
                #expect(connection.recorder.record.wait { $0.received.count == byteCount })
                let isSame = connection.recorder.record.value.received == bytes
                #expect(isSame)
                #expect(connection.taken.wait { $0.count == byteCount })
                let isSameThere = connection.taken.value == bytes
                #expect(isSameThere)
                try loop { connection.recorder.stream?.close() }
                #expect(connection.hasEnded.value)
            }
        }

        @Test("bytes and the end behind them are delivered in that order")
        func end() throws {
            try withLoop { loop in
                let connection = try Connection(loop)
                try loop {
                    connection.peer.value.send([1, 2])
                    connection.peer.value.end()
                    connection.peer.value.send([3])
                }
                #expect(connection.recorder.record.wait { $0.endCount == 1 })
                #expect(connection.recorder.record.value.received == [1, 2])
                try loop {
                    connection.recorder.stream?.write([9])
                    connection.recorder.stream?.closeAfterSending(linger: .seconds(60))
                }
                #expect(connection.recorder.record.wait { $0.closeCount == 1 })
                #expect(connection.taken.value == [9])
                #expect(connection.recorder.record.value.calls == ["received", "end", "closed"])
            }
        }

        @Test("a reset is one, also for a stream that does not read")
        func reset() throws {
            for isPaused in [false, true] {
                try withLoop { loop in
                    let connection = try Connection(loop)
                    try loop {
                        if isPaused { connection.recorder.stream?.pauseReading() }
                        connection.peer.value.reset()
                    }
                    #expect(connection.recorder.record.wait { $0.closeCount == 1 })
                    #expect(connection.recorder.record.value.failures == [ECONNRESET])
                }
            }
        }

        @Test("a peer that reads nothing fills the queue, and empties it when it goes on")
        func pause() throws {
            try withLoop { loop in
                let connection = try Connection(loop, drainMark: 10)
                try loop {
                    connection.peer.value.pauseReading()
                    connection.recorder.stream?.write(pattern(100))
                    connection.recorder.stream?.flush()
                }
                #expect(try loop { connection.recorder.stream?.queuedByteCount } == 100)
                try loop {
                    connection.recorder.stream?.needsDrainNotice = true
                    connection.peer.value.resumeReading()
                }
                #expect(connection.recorder.record.wait { $0.drainCount == 1 })
                #expect(connection.taken.value == pattern(100))
                try loop { connection.recorder.stream?.close() }
            }
        }

        @Test("time stands still, then goes from timer to timer")
        func manualTime() throws {
            let loop = try Loop(manualTime: ManualTime())
            let thread = try loop.start()
            let running = RunningLoop(loop: loop)
            let calls = Watched<[String]>([])
            let start = loop.currentTime
            let timers = try running {
                let later = loop.makeTimer {
                    calls.update { $0.append("3 at \((loop.now - start).seconds)") }
                }
                let timer = loop.makeTimer {
                    calls.update { $0.append("1 at \((loop.now - start).seconds)") }
                    loop.schedule(later, after: .seconds(2))
                }
                loop.schedule(timer, after: .seconds(1))
                loop.whenIdle { calls.update { $0.append("idle") } }
                return Unchecked([timer, later])
            }
            #expect(calls.wait { $0 == ["idle"] })
            try running {
                loop.advance(by: .milliseconds(2_999)) { calls.update { $0.append("there") } }
            }
            #expect(calls.wait { $0 == ["idle", "1 at 1.0", "there"] })
            try running {
                loop.advance(by: .milliseconds(1)) { calls.update { $0.append("there") } }
            }
            #expect(calls.wait { $0 == ["idle", "1 at 1.0", "there", "3 at 3.0", "there"] })
            #expect(loop.currentTime == start + .seconds(3))
            #expect(try running { timers.value.contains { $0.isScheduled } } == false)
            loop.stop()
            thread.join()
        }
    }
}
