import Glibc
import LoopTesting
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Stream with TLS")
    struct StreamTLSTests {
        let server: TLSServer
        let client: TLSClient

        init() throws {
            let certificates = try TestCertificates.shared.get()
            server = try TLSServer(.selfSigned(certificates.localhost))
            client = try TLSClient(certificates.trusting("localhost.pem"))
        }

        /// Both ends on the loop.
        private func connect(
            _ loop: RunningLoop, drainMark: Int = 65_536
        ) throws -> (server: Recorder, client: Recorder) {
            let (ours, peer) = try connectToPeer(loop, drainMark: drainMark)
            let fd = dup(peer.fd)
            let theirs = try loop {
                let theirs = Recorder()
                _ = fcntl(fd, F_SETFL, O_NONBLOCK)
                let stream = try Stream(FileDescriptor(fd), peer: loopback(), on: loop.loop)
                theirs.stream = stream
                stream.delegate = theirs
                try stream.startTLS(client, host: "localhost")
                return Unchecked(theirs)
            }.value
            peer.close()
            return (ours, theirs)
        }

        private func connectToPeer(
            _ loop: RunningLoop, drainMark: Int = 65_536
        ) throws -> (recorder: Recorder, peer: Peer) {
            try loop.connect(drainMark: drainMark) { [server] recorder in
                try? recorder.stream?.startTLS(server)
            }
        }

        @Test("what is written before the handshake goes out after it, 16 MiB each way")
        func bothWays() throws {
            try withLoop { loop in
                let (server, client) = try connect(loop)
                let (up, down) = (pattern(16 << 20), Array(pattern(16 << 20).reversed()))
                try loop {
                    client.stream?.write(up)
                    server.stream?.write(down)
                }
                #expect(server.record.wait { $0.received.count == up.count })
                #expect(client.record.wait { $0.received.count == down.count })
                #expect(server.record.value.received == up && client.record.value.received == down)
                let counts = try loop {
                    [server.stream?.receivedByteCount, server.stream?.sentByteCount]
                }
                #expect(counts == [up.count, down.count], "of what is inside")
                try loop { client.stream?.closeAfterSending(linger: .seconds(60)) }
                #expect(server.record.wait { $0.endCount == 1 })
                try loop { server.stream?.closeAfterSending(linger: .seconds(60)) }
                #expect(
                    client.record.wait { $0.closeCount == 1 }
                        && server.record.wait { $0.closeCount == 1 })
                #expect(client.record.value.failures == [] && server.record.value.failures == [])
            }
        }

        @Test func backPressure() throws {
            try withLoop { loop in
                let (server, client) = try connect(loop)
                let bytes = pattern(32 << 20)
                let drained = Watched(false)
                try loop {
                    client.onDrained = { drained.set() }
                    server.stream?.pauseReading()
                    client.stream?.write([0])
                }
                // A paused stream does not even shake hands; so that it has, it reads one byte
                // first.
                try loop { server.stream?.resumeReading() }
                #expect(server.record.wait { $0.received.count == 1 })
                try loop {
                    server.stream?.pauseReading()
                    client.stream?.write(bytes)
                    client.stream?.needsDrainNotice = true
                }
                let queued = try loop { client.stream?.queuedByteCount ?? 0 }
                #expect(queued > 1 << 20, "the kernel's buffers hold the rest")
                #expect(!drained.value)
                try loop { server.stream?.resumeReading() }
                #expect(drained.wait())
                #expect(server.record.wait { $0.received.count == bytes.count + 1 })
                #expect(server.record.value.received.dropFirst() == bytes[...])
            }
        }

        @Test("all that was queued arrives, then the end", arguments: [0, 1, 16 << 20])
        func closingAfterSending(byteCount: Int) throws {
            try withLoop { loop in
                let (server, client) = try connect(loop)
                try loop { client.stream?.write([7]) }
                #expect(server.record.wait { $0.received == [7] })
                let bytes = pattern(byteCount)
                try loop {
                    client.onEnd = { client.stream?.closeAfterSending(linger: .seconds(60)) }
                    server.stream?.write(bytes)
                    server.stream?.closeAfterSending(linger: .seconds(60))
                }
                #expect(client.record.wait { $0.endCount == 1 })
                #expect(client.record.value.received == bytes)
                #expect(
                    server.record.wait { $0.closeCount == 1 }
                        && client.record.wait { $0.closeCount == 1 })
                #expect(client.record.value.failures == [] && server.record.value.failures == [])
            }
        }

        @Test("bytes that are no TLS are reported, and may be answered as they are")
        func plain() throws {
            try withLoop { loop in
                let (recorder, peer) = try connectToPeer(loop)
                recorder.onTLSFailed = { error in
                    if error == .notTLS { recorder.stream?.write(Array("TLS, please".utf8)) }
                }
                peer.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
                let (received, code) = peer.receive()
                #expect(received == Array("TLS, please".utf8) && code == 0)
                peer.close()
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.calls == ["notTLS", "closed"])
            }
        }

        @Test("nothing that was queued for TLS goes out when that fails")
        func brokenHandshake() throws {
            try withLoop { loop in
                let (recorder, peer) = try connectToPeer(loop)
                try loop { recorder.stream?.write(Array("secret".utf8)) }
                // A handshake record (RFC 8446 §5.1) that holds no handshake.
                peer.send([22, 3, 1, 0, 4, 99, 0, 0, 0])
                let (received, code) = peer.receive()
                #expect(
                    received.first == 21 && received.count == 7 && code == 0, "an alert, no more")
                peer.close()
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.calls == ["tlsFailed", "closed"])
            }
        }

        @Test("an end in the middle of the handshake is an end", arguments: [0, 1, 4])
        func endBefore(byteCount: Int) throws {
            try withLoop { loop in
                let (recorder, peer) = try connectToPeer(loop)
                peer.send(Array([22, 3, 1, 0, 200].prefix(byteCount)))
                peer.endSending()
                #expect(recorder.record.wait { $0.endCount == 1 })
                try loop { recorder.stream?.closeAfterSending(linger: .seconds(60)) }
                #expect(recorder.record.wait { $0.closeCount == 1 })
                #expect(recorder.record.value.calls == ["end", "closed"])
            }
        }

        @Test(
            "TCP's end without close_notify is the end too: WebSocket and HTTP know what is missing"
        )
        func noGoodbye() throws {
            try withLoop { loop in
                let (server, client) = try connect(loop)
                try loop { client.stream?.write([7]) }
                #expect(server.record.wait { $0.received == [7] })
                try loop { client.stream?.close() }
                #expect(server.record.wait { $0.endCount == 1 || $0.failures == [104] })
            }
        }

        @Test func refusedWhileShakingHands() throws {
            try withLoop { loop in
                let (server, client) = try connect(loop)
                try loop {
                    server.stream?.write(Array("full".utf8))
                    server.stream?.closeAfterSending(linger: .seconds(60))
                    client.onEnd = { client.stream?.close() }
                }
                #expect(client.record.wait { $0.endCount == 1 })
                #expect(client.record.value.received == Array("full".utf8))
                #expect(server.record.wait { $0.closeCount == 1 })
            }
        }
    }
}
