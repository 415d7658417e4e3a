import EventLoop
import Glibc
import LoopTesting
import Testing

@testable import Processes

extension ProcessesTests {
    @Suite("Control sockets")
    struct ControlSocketTests {
        @Test("messages stay whole, and the end is reported once")
        func control() throws {
            try withLoop { loop in
                let (ours, theirs) = try ControlSocket.pair()
                let messages = Watched<[String]>([])
                let endCount = Watched(0)
                let socket = try loop {
                    Unchecked(
                        try ControlSocket(
                            ours, on: loop.loop,
                            onMessage: { text, _ in messages.update { $0.append(text) } },
                            onEnd: { endCount.update { $0 += 1 } }))
                }.value
                for text in [
                    "ready\t1", "äöü\n",
                    String(repeating: "x", count: ControlSocket.messageByteLimit),
                ] {
                    #expect(ControlSocket.send(text, to: theirs))
                }
                let tooLong = String(repeating: "x", count: ControlSocket.messageByteLimit + 1)
                #expect(!ControlSocket.send(tooLong, to: theirs))
                #expect(!ControlSocket.send("", to: theirs))
                #expect(messages.wait { $0.count == 3 })
                #expect(messages.value.prefix(2) == ["ready\t1", "äöü\n"])
                #expect(try loop { socket.send("order") })
                var bytes = [UInt8](repeating: 0, count: 10)
                #expect(recv(theirs, &bytes, 10, 0) == 5)
                close(theirs)
                #expect(endCount.wait { $0 == 1 })
                #expect(try loop { !socket.send("late") })
            }
        }

        @Test(
            "a descriptor comes with its message, is closed on exec, and the sender keeps its own")
        func descriptor() throws {
            try withReceiver { socket, received in
                let pipe = try Pipe()
                #expect(ControlSocket.send("none", descriptors: [], to: socket))
                #expect(ControlSocket.send("one", descriptors: [pipe.writing], to: socket))
                #expect(received.wait { $0.count == 2 })
                #expect(received.value.map(\.text) == ["none", "one"])
                #expect(received.value[0].descriptor == nil)
                let descriptor = try #require(received.value[1].descriptor)
                #expect(fcntl(descriptor, F_GETFD) == FD_CLOEXEC)
                #expect(fcntl(pipe.writing, F_GETFD) >= 0)
                #expect(write(descriptor, "x", 1) == 1)
                #expect(pipe.contents() == "x")
                close(descriptor)
            }
        }

        @Test(
            "surplus descriptors are closed, all of them if some did not fit",
            arguments: [2, 4, 5, 6, 20, 253])
        func surplus(count: Int) throws {
            try withReceiver { socket, received in
                let pipe = try Pipe()
                let copies = [Int32](repeating: pipe.writing, count: count)
                #expect(ControlSocket.send("many", descriptors: copies, to: socket))
                #expect(ControlSocket.send("next", descriptors: [], to: socket))
                #expect(received.wait { $0.count == 2 })
                #expect(received.value.map(\.text) == ["many", "next"])
                // More than four are not received whole.
                #expect((received.value[0].descriptor != nil) == (count <= 4))
                if let descriptor = received.value[0].descriptor { close(descriptor) }
                pipe.closeWriting()
                #expect(pipe.hasEnded(), "nobody else holds its end")
            }
        }

        @Test("a descriptor that nobody takes is closed, at the socket's end too")
        func unclaimed() throws {
            try withReceiver(takes: false) { socket, received in
                let pipe = try Pipe()
                #expect(ControlSocket.send("one", descriptors: [pipe.writing], to: socket))
                #expect(received.wait { $0.count == 1 })
                pipe.closeWriting()
                #expect(pipe.hasEnded())
            }
            let (ours, theirs) = try ControlSocket.pair()
            let pipe = try Pipe()
            #expect(ControlSocket.send("never read", descriptors: [pipe.writing], to: ours))
            close(ours)
            close(theirs)
            pipe.closeWriting()
            #expect(pipe.hasEnded())
        }

        @Test("a message to one that reads nothing is not sent, with a descriptor or without")
        func full() throws {
            let (ours, theirs) = try ControlSocket.pair()
            defer {
                close(ours)
                close(theirs)
            }
            let pipe = try Pipe()
            let text = String(repeating: "x", count: 10_000)
            var sent = 0
            while ControlSocket.send(text, descriptors: [pipe.writing], to: ours) { sent += 1 }
            #expect(errno == EAGAIN)
            #expect((1..<1_000).contains(sent))
        }

        // MARK: Support

        private struct Received {
            let text: String
            let descriptor: Int32?
        }

        /// Runs `body` with the other end of a socket that a loop reads.
        private func withReceiver(
            takes: Bool = true, _ body: (Int32, Watched<[Received]>) throws -> Void
        ) throws {
            try withLoop { loop in
                let (ours, theirs) = try ControlSocket.pair()
                defer { close(theirs) }
                let received = Watched<[Received]>([])
                _ = try loop {
                    Unchecked(
                        try ControlSocket(
                            ours, on: loop.loop,
                            onMessage: { text, descriptor in
                                var number: Int32?
                                if takes, let taken = descriptor { number = taken.release() }
                                received.update { $0.append(.init(text: text, descriptor: number)) }
                            }, onEnd: {}))
                }
                try body(theirs, received)
            }
        }

        private final class Pipe {
            let reading: Int32
            private(set) var writing: Int32

            init() throws {
                var ends: [Int32] = [-1, -1]
                try #require(pipe(&ends) == 0)
                (reading, writing) = (ends[0], ends[1])
            }

            deinit {
                close(reading)
                if writing >= 0 { close(writing) }
            }

            func closeWriting() {
                close(writing)
                writing = -1
            }

            func contents() -> String {
                var bytes = [UInt8](repeating: 0, count: 100)
                let count = read(reading, &bytes, bytes.count)
                return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            }

            /// Whether no process has the other end open. Waits for that.
            func hasEnded() -> Bool {
                var poll = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
                return Glibc.poll(&poll, 1, Int32(deadline) * 1_000) == 1
                    && poll.revents & Int16(POLLHUP) != 0
            }
        }
    }
}
