import EventLoop
import Glibc
import LoopTesting
import Testing
import Topics
import WebSocketProtocol

@testable import TopicBus

@Suite("Topics of several processes")
struct TopicBusTests {
    private static func text(_ number: Int, _ byteCount: Int) -> String {
        "\(number) " + String(repeating: "x", count: byteCount)
    }

    private static func text(_ number: Int) -> String { text(number, 1_000) }

    private static func publication(_ text: String, of topic: ExactText = "t") -> BusFrame {
        .publication(topic: topic, key: nil, .text(text))
    }

    private static func isMissed(_ frame: BusFrame) -> Bool {
        if case .missed = frame { true } else { false }
    }

    // MARK: The usual way

    @Test("what is published in one process is delivered in the other, once and in order")
    func delivery() throws {
        try withTwo { first, second in
            for number in 0..<100 {
                first.publish("\(number)")
                second.publish("\(-number)")
            }
            first.bus.published(
                Publication(topic: "ü", message: .binary([0, 255]), key: "key\0"))
            first.publish("last")
            #expect(second.target.waitForTexts(101))
            #expect(first.target.waitForTexts(100))
            #expect(second.target.texts == (0..<100).map { "\($0)" } + ["last"])
            #expect(first.target.texts == (0..<100).map { "\(-$0)" })
            let bytes = Recorder.Delivery(topic: "ü", key: "key\0", message: .binary([0, 255]))
            #expect(second.target.calls.value.contains(.delivered(bytes)))
            #expect(first.lines.value.isEmpty && second.lines.value.isEmpty)
        }
    }

    @Test("from many threads at once, each thread's order is kept")
    func threads() throws {
        var settings = BusSettings(messageByteLimit: 1_000)
        settings.queueByteLimit = 16 << 20
        try withTwo(settings) { first, second in
            let threads = try (0..<4).map { thread in
                try LoopThread {
                    for number in 0..<1_000 { first.publish("\(number)", to: "\(thread)") }
                }
            }
            for thread in threads { thread.join() }
            #expect(second.target.waitForTexts(4_000))
            for thread in 0..<4 {
                let texts = second.target.calls.value.compactMap { call -> String? in
                    guard case .delivered(let delivery) = call, delivery.topic == "\(thread)",
                        case .text(let text) = delivery.message
                    else { return nil }
                    return text
                }
                #expect(texts == (0..<1_000).map { "\($0)" })
            }
        }
    }

    @Test("three processes: everything comes once, by the direct way")
    func three() throws {
        try withTwo { first, second in
            try withLoop { loop in
                let third = Process(3, on: loop)
                for other in [first, second] {
                    let (one, end) = try pair()
                    try third.add(one)
                    try other.add(end)
                }
                third.bus.waitForAnswers()
                for (number, process) in [first, second, third].enumerated() {
                    process.publish("\(number)")
                }
                for process in [first, second, third] { #expect(process.target.waitForTexts(2)) }
                #expect(third.target.texts.sorted() == ["0", "1"])
                #expect(first.target.texts.sorted() == ["1", "2"])
            }
            #expect(first.target.calls.wait { $0.contains(.removed(3)) })
            first.publish("after its end")
            #expect(second.target.calls.wait { Recorder.texts($0).contains("after its end") })
        }
    }

    @Test("a process without others keeps nothing")
    func alone() throws {
        try withLoop { loop in
            let process = Process(1, on: loop)
            process.bus.waitForAnswers()
            for number in 0..<1_000 { process.publish(Self.text(number, 1_000)) }
            process.setCount(1, of: "t")
            #expect(process.target.members.value == 1)
            let (one, other) = try pair()
            let peer = RawPeer(other)
            try process.add(one)
            try peer.greet()
            var frames = try peer.frames { $0 == .open }
            process.publish("now")
            frames += try peer.frames { $0 == Self.publication("now") }
            #expect(
                frames == [
                    .hello(version: BusFrame.version, process: 1), .open, .count(topic: "t", 1),
                    Self.publication("now"),
                ])
            try loop { process.bus.close() }
            #expect(process.target.members.value == 0)
            #expect(try peer.next() == nil)
        }
    }

    // MARK: Numbers of subscribers

    @Test("numbers of subscribers are told: those that there are, changes, and the end")
    func counts() throws {
        try withLoop { loop in
            let second = Process(2, on: loop)
            try withLoop { loop in
                let first = Process(1, on: loop)
                for number in 1...1_500 { first.setCount(number, of: "\(number)") }
                let (one, other) = try pair()
                try first.add(one)
                try second.add(other)
                #expect(
                    second.target.calls.wait { calls in
                        Set(1...1_500).isSubset(
                            of: calls.compactMap { call in
                                guard case .count(let count, let topic, 1) = call,
                                    topic == "\(count)"
                                else { return nil }
                                return count
                            })
                    })
                first.setCount(7, of: "new")
                first.setCount(0, of: "1500")
                #expect(
                    second.target.calls.wait {
                        $0.contains(.count(7, "new", origin: 1))
                            && $0.contains(.count(0, "1500", origin: 1))
                    })
            }
            #expect(second.target.calls.wait { $0.last == .removed(1) })
        }
    }

    @Test("a process that did not read is told the latest numbers, or all anew")
    func untoldCounts() throws {
        try withRawPeer { process, peer in
            try peer.greet()
            #expect(try peer.next() == .open)
            // The peer does not read: the socket and the queue are filled.
            try process.publish(600, Self.text)
            for count in 1...3 { process.setCount(count, of: "few") }
            _ = try process.isOpen
            let frames = try peer.frames { $0 == .count(topic: "few", 3) }
            #expect(frames.contains(where: Self.isMissed))
            #expect(frames.count { $0.kind == .count } == 1)

            try process.publish(600, Self.text)
            process.target.counts.update { $0 = ["only": 5] }
            for number in 0...CountChanges.defaultLimit {
                process.bus.localCountChanged(of: "\(number)", to: 1)
            }
            _ = try process.isOpen
            let later = try peer.frames { $0 == .count(topic: "only", 5) }
            #expect(later.count { $0 == .forgetCounts } == 1)
            #expect(later.count { $0.kind == .count } == 1)
        }
    }

    @Test("to forget all counts is to forget the other process")
    func forgetting() throws {
        try withRawPeer { process, peer in
            try peer.greet(9)
            try peer.send(.count(topic: "a", 2))
            try peer.send(.forgetCounts)
            try peer.send(.count(topic: "b", 3))
            #expect(process.target.calls.wait { $0.count == 3 })
            #expect(
                process.target.calls.value
                    == [.count(2, "a", origin: 9), .removed(9), .count(3, "b", origin: 9)])
        }
    }

    // MARK: A process that does not read

    @Test("a process that does not read misses what has no room, is told so, and goes on")
    func stopped() throws {
        try withRawPeer { process, peer in
            try peer.greet()
            #expect(try peer.next() == .open)
            let count = 2_000
            try process.publish(count, Self.text)
            #expect(process.lines.value.count == 1)
            #expect(process.lines.value[0].contains("server process 9 does not read"))
            let frames = try peer.frames(upTo: Self.isMissed)
            guard case .missed(let missed, let topics)? = frames.last else {
                Issue.record("no word of what is missed")
                return
            }
            let received = frames.dropLast()
            #expect(received.count + missed == count)
            #expect(topics.map(Set.init) == ["0", "1", "2"])
            for (number, frame) in received.enumerated() {
                #expect(
                    frame
                        == Self.publication(
                            Self.text(number, 1_000), of: ExactText("\(number % 3)")))
            }
            // What waited: the socket's buffer, the queue, and what came in one turn.
            #expect(received.count < 700)
            process.publish("again")
            #expect(try peer.next() == Self.publication("again"))
            #expect(process.lines.value.count == 1)
        }
    }

    @Test("what a blocked loop cannot send is bounded and told, too")
    func blockedLoop() throws {
        try withRawPeer { process, peer in
            try peer.greet()
            #expect(try peer.next() == .open)
            let (isBlocked, mayGoOn) = (Watched(false), Watched(false))
            process.loop.loop.submit {
                isBlocked.set()
                _ = mayGoOn.wait()
            }
            #expect(isBlocked.wait())
            for number in 0..<100 { process.publish(Self.text(number, 1_000)) }
            process.publish("short, and would have room", to: "other")
            mayGoOn.set()
            let frames = try peer.frames(upTo: Self.isMissed)
            // 50,000 bytes.
            #expect(frames.count - 1 == 44)
            #expect(
                frames.last == .missed(57, topics: ["t", "other"])
                    || frames.last == .missed(57, topics: ["other", "t"]))
        }
    }

    @Test("one publication may be longer than the queue, but not than a message may be")
    func long() throws {
        try withRawPeer { process, peer in
            try peer.greet()
            #expect(try peer.next() == .open)
            let text = Self.text(1, 99_000)
            process.publish(text)
            #expect(try peer.next() == Self.publication(text))
            process.publish(Self.text(2, 300_000))
            #expect(try peer.next() == .missed(1, topics: ["t"]))
            process.publish("after it")
            #expect(try peer.next() == Self.publication("after it"))
        }
    }

    @Test("what another process missed is passed on")
    func missedHere() throws {
        try withRawPeer { process, peer in
            try peer.greet()
            try peer.send(.missed(3, topics: ["a", "b"]))
            try peer.send(.missed(4, topics: nil))
            #expect(process.target.calls.wait { $0.count == 2 })
            #expect(process.target.calls.value == [.missed(3, ["a", "b"]), .missed(4, nil)])
        }
    }
}
