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
                            onMessage: { text in messages.update { $0.append(text) } },
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
    }
}
