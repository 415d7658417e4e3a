import EventLoop
import Glibc
import LoopTesting
import Testing
import Topics
import WebSocketProtocol

@testable import TopicBus

@Suite("The order of a link between processes")
struct BusLinkTests {
    private static func publication(_ text: String, of topic: ExactText = "t") -> BusFrame {
        .publication(topic: topic, key: nil, .text(text))
    }

    @Test("nothing is sent to a process before it has said hello")
    func greeting() throws {
        try withRawPeer { process, peer in
            process.publish("to nobody")
            process.setCount(1, of: "t")
            #expect(try !process.isOpen)
            try peer.send(.hello(version: BusFrame.version, process: 9))
            #expect(try peer.next() == .open)
            #expect(try peer.next() == .count(topic: "t", 1))
            process.publish("to it")
            #expect(try peer.next() == Self.publication("to it"))
            #expect(try !process.isOpen, "the peer has not said that it sends everything")
            try peer.send(.open)
            process.bus.waitForAnswers()
            #expect(try process.isOpen)
        }
    }

    @Test("a process that does not answer is waited for so long and named; it may come later")
    func silent() throws {
        try withRawPeer { process, peer in
            process.bus.waitForAnswers()
            #expect(process.lines.value.count == 1)
            #expect(process.lines.value[0].contains("an older server process does not answer"))
            try peer.greet()
            try peer.send(Self.publication("late"))
            #expect(process.target.waitForTexts(1))
        }
    }

    @Test("a process that ends is not waited for")
    func endsMeanwhile() throws {
        var settings = BusSettings.small
        settings.answerTimeout = .seconds(3_600)
        try withRawPeer(settings) { process, peer in
            peer.close()
            process.bus.waitForAnswers()
            #expect(process.lines.value.isEmpty)
        }
    }

    static let broken: [(name: String, frames: [BusFrame], rest: [UInt8], message: String)] = [
        ("another version", [.hello(version: 9, process: 9)], [], "version 9"),
        ("no hello", [.open], [], "(open) out of its order"),
        ("a publication first", [.forgetCounts], [], "(forgetCounts) out of its order"),
        (
            "a second hello",
            [
                .hello(version: BusFrame.version, process: 9),
                .hello(version: BusFrame.version, process: 9),
            ], [],
            "server process 9 sent a message (hello) out of its order"
        ),
        (
            "a publication before `open`",
            [
                .hello(version: BusFrame.version, process: 9),
                .publication(topic: "t", key: nil, .text("x")),
            ], [],
            "(publication) out of its order"
        ),
        (
            "a second `open`", [.hello(version: BusFrame.version, process: 9), .open, .open], [],
            "(open) out of its order"
        ),
        (
            "an unknown kind", [.hello(version: BusFrame.version, process: 9), .open],
            [0, 0, 0, 1, 99], "kind 99"
        ),
        (
            "a long frame", [.hello(version: BusFrame.version, process: 9), .open],
            [0x7F, 0, 0, 0],
            "over the limit of 231072"
        ),
    ]

    @Test("a frame that may not come ends the link, with one line, and subscribers are told")
    func brokenFrames() throws {
        for (name, frames, rest, message) in Self.broken {
            try withRawPeer { process, peer in
                // Behind the error nothing counts.
                try peer.send(frames.flatMap(\.bytes) + rest + Self.publication("x").bytes)
                #expect(process.lines.wait { !$0.isEmpty }, "\(name)")
                while try peer.next() != nil {}
                #expect(try process.loop { process.bus.links.isEmpty })
                #expect(process.lines.value.count == 1)
                #expect(process.lines.value[0].contains(message), "\(process.lines.value)")
                #expect(process.target.calls.value.first == .missed(1, nil))
                #expect(process.target.texts.isEmpty)
                process.publish("to nobody")
            }
        }
    }

    @Test("a process that ends is forgotten; in the middle of a frame, with a line")
    func ends() throws {
        let whole = Self.publication("whole").bytes
        for part in [0, 1, 4, whole.count - 1] {
            try withRawPeer { process, peer in
                try peer.greet()
                try peer.send(whole + whole.prefix(part))
                peer.close()
                #expect(process.target.calls.wait { $0.last == .removed(9) })
                #expect(process.target.texts == ["whole"])
                #expect(try process.loop { process.bus.links.isEmpty })
                let lines = process.lines.value
                #expect(lines.count == (part == 0 ? 0 : 1))
                #expect(lines.allSatisfy { $0.contains("9 ended in the middle of a message") })
            }
        }
    }

    @Test("what a process sent before it was killed is delivered, though it had not read all")
    func killed() throws {
        try withRawPeer { process, peer in
            try peer.greet()
            #expect(try peer.next() == .open)
            process.publish("never read")
            _ = try process.isOpen
            try peer.send(Self.publication("last words"))
            peer.close()
            #expect(process.target.calls.wait { $0.last == .removed(9) })
            #expect(process.target.texts == ["last words"])
            #expect(process.lines.value.isEmpty)
        }
    }
}
