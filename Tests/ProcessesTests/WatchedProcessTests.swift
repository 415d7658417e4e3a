import EventLoop
import Foundation
import LoopTesting
import Testing

@testable import Processes

extension ProcessesTests {
    @Suite("Watched processes")
    struct WatchedProcessTests {
        private func launch(_ script: String, _ descriptors: [Int32]) -> ProcessLaunch {
            ProcessLaunch(
                path: "/bin/sh", arguments: ["sh", "-c", script],
                environment: ["PATH=/usr/bin:/bin"],
                descriptors: descriptors)
        }

        @Test("a program gets the descriptors in order, and no others")
        func descriptors() throws {
            try withLoop { loop in
                var ends: [Int32] = [-1, -1]
                try check("pipe") { pipe(&ends) }
                let (ours, theirs) = (ends[0], ends[1])
                let status = Watched<Int32?>(nil)
                let process = try loop {
                    Unchecked(
                        try WatchedProcess(
                            launch(
                                "echo out; echo four >&4; for n in 5 6 7 8 9; do"
                                    + " [ -e /proc/$$/fd/$n ] && echo $n >&3; done",
                                [0, theirs, 2, theirs, theirs]),
                            on: loop.loop, onEnd: { code in status.update { $0 = code } }))
                }.value
                close(theirs)
                #expect(status.wait { $0 != nil })
                #expect(!process.isRunning)
                var bytes = [UInt8](repeating: 0, count: 100)
                let count = read(ours, &bytes, 100)
                #expect(
                    String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "out\nfour\n")
                close(ours)
            }
        }

        @Test(
            "its end is reported, however it came",
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
                process.signal(SIGKILL)  // another process may have the number by now
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
    }
}
