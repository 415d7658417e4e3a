import Foundation
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Processes that are looked after")
    struct ProcessTests {
        private func launch(_ script: String, _ descriptors: [Int32]) -> ProcessLaunch {
            ProcessLaunch(
                path: "/bin/sh", arguments: ["sh", "-c", script],
                environment: ["PATH=/usr/bin:/bin"],
                descriptors: descriptors)
        }

        @Test("a program gets the descriptors in order, and no others")
        func descriptors() throws {
            try withLoop { loop in
                let pipe = try PipeEnds(weWrite: false)
                let status = Watched<Int32?>(nil)
                let process = try loop {
                    Unchecked(
                        try WatchedProcess(
                            launch(
                                "echo out; echo four >&4; for n in 5 6 7 8 9; do"
                                    + " [ -e /proc/$$/fd/$n ] && echo $n >&3; done",
                                [0, pipe.theirs, 2, pipe.theirs, pipe.theirs]),
                            on: loop.loop, onEnd: { code in status.update { $0 = code } }))
                }.value
                close(pipe.theirs)
                #expect(status.wait { $0 != nil })
                #expect(!process.isRunning)
                var bytes = [UInt8](repeating: 0, count: 100)
                let count = read(pipe.ours, &bytes, 100)
                #expect(
                    String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "out\nfour\n")
                close(pipe.ours)
            }
        }

        @Test(
            "its end is told, however it came",
            arguments: [("exit 7", 7 << 8), ("kill -9 $$", 9)] as [(String, Int32)])
        func ends(_ script: String, _ expected: Int32) throws {
            try withLoop { loop in
                let status = Watched<Int32?>(nil)
                let process = try loop {
                    Unchecked(
                        try WatchedProcess(launch(script, [0, 1, 2]), on: loop.loop) { code in
                            status.update { $0 = code }
                        })
                }.value
                #expect(status.wait { $0 != nil })
                #expect(status.value == expected)
                process.signal(SIGKILL)  // the number may be another's by now
            }
        }

        @Test func noSuchProgram() throws {
            try withLoop { loop in
                #expect(throws: SystemError.self) {
                    try loop {
                        let nothing = ProcessLaunch(
                            path: "/no/such", arguments: ["x"], environment: [])
                        _ = try WatchedProcess(nothing, on: loop.loop) { _ in }
                    }
                }
            }
        }

        @Test("messages stay whole, and the end is told once")
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

        @Test func memoryFile() throws {
            let file = try MemoryFile(name: "test")
            try "written by another".write(toFile: file.path, atomically: false, encoding: .utf8)
            #expect(file.text(byteLimit: 100) == "written by another")
            #expect(file.text(byteLimit: 7) == "written")
        }
    }
}
