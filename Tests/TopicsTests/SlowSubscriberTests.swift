import EventLoop
import LoopTesting
import TestSupport
import Testing
import WebSocketProtocol

@testable import Topics

@Suite("Slow subscribers")
struct SlowSubscriberTests {
    /// 60 bytes of queue and backlog for each; a message has 5, with its frame's header.
    private func settings() -> TopicSettings {
        var settings = TopicSettings()
        settings.queueByteLimit = 60
        return settings
    }

    private static let texts = (100..<150).map { "\($0)" }

    struct Outcome: Sendable {
        let received: [String]
        let skipped: Int
        let closed: Int
    }

    @Test(
        "who does not read gets what the policy says, and nobody else is concerned",
        arguments: [
            // 5 messages are over the mark of 20 bytes; 7 more fit into 60.
            Row(
                "close", SlowSubscriberPolicy.close,
                Outcome(received: Array(texts[..<5]), skipped: 0, closed: 45)),
            Row(
                "skip-newest", .skipNewest,
                Outcome(received: Array(texts[..<12]), skipped: 38, closed: 0)),
            Row(
                "skip-oldest", .skipOldest,
                Outcome(received: Array(texts[..<5] + texts[43...]), skipped: 38, closed: 0)),
            Row(
                "latest", .latest,
                Outcome(received: Array(texts[..<5] + texts[49...]), skipped: 44, closed: 0)),
        ])
    func policies(_ row: Row<SlowSubscriberPolicy, Outcome>) throws {
        try withTopics(settings()) { loop, broker, topics in
            let slow = FakeSubscriber(mark: 20)
            let quick = FakeSubscriber(mark: 20)
            slow.pauseReading()
            try loop { [slow = Unchecked(slow), quick = Unchecked(quick)] in
                _ = try topics.subscribe(slow.value, to: "t", row.input)
                _ = try topics.subscribe(quick.value, to: "t", row.input)
            }
            for text in Self.texts {
                broker.publish(text, to: "t")
                try loop.settle()
            }
            #expect(quick.texts == Self.texts)
            #expect(slow.wasClosedBehind == (row.input == .close))
            try loop { [slow = Unchecked(slow)] in slow.value.resumeReading(topics) }
            #expect(slow.texts == row.expected.received)
            let counters = broker.counters
            #expect(counters.skipped == row.expected.skipped)
            #expect(counters.closed == row.expected.closed)
            #expect(counters.delivered + counters.skipped + counters.closed == 100)
            // And from then on as before.
            if row.input != .close {
                broker.publish("next", to: "t")
                try loop.settle()
                #expect(slow.texts.last == "next")
            }
        }
    }

    @Test("publish tells at once what becomes of a slow subscriber") func counts() throws {
        try withTopics(settings()) { loop, broker, topics in
            try loop {
                let slow = FakeSubscriber(mark: 0)
                slow.pauseReading()
                _ = try topics.subscribe(slow, to: "t", .skipNewest)
                broker.publish("12345678", to: "t")
                topics.sendWaiting(to: slow)
                for _ in 0..<5 { #expect(broker.publish("12345678", to: "t").receivers == 1) }
                let counts = broker.publish("12345678", to: "t")
                #expect(counts.skipped == 1 && counts.receivers == 0)
                slow.takesMessages = false
                #expect(broker.publish("12345678", to: "t").closed == 1)
                topics.end(of: slow)
                let sums = broker.counters
                #expect(sums.delivered + sums.skipped + sums.closed == 8)
            }
        }
    }

    @Test("what the subscriber sends itself comes behind what waits") func ownMessages() throws {
        try withTopics(settings()) { loop, broker, topics in
            let slow = FakeSubscriber(mark: 10)
            slow.pauseReading()
            try loop { [slow = Unchecked(slow)] in
                _ = try topics.subscribe(slow.value, to: "t", .skipNewest)
            }
            for text in ["111", "222", "333", "444", "555"] {
                broker.publish(text, to: "t")
                try loop.settle()
            }
            try loop { [slow = Unchecked(slow)] in
                slow.value.writeOwn("own", topics)
                slow.value.resumeReading(topics)
            }
            #expect(slow.texts == ["111", "222", "333", "444", "555", "own"])
        }
    }

    @Test("what waited is delivered when the last subscription ends") func unsubscribe() throws {
        try withTopics(settings()) { loop, broker, topics in
            let slow = FakeSubscriber(mark: 0)
            slow.pauseReading()
            try loop { [slow = Unchecked(slow)] in
                _ = try topics.subscribe(slow.value, to: "t", .skipNewest)
                _ = try topics.subscribe(slow.value, to: "u", .skipNewest)
            }
            for text in ["1", "2", "3"] {
                broker.publish(text, to: "t")
                try loop.settle()
            }
            try loop { [slow = Unchecked(slow)] in
                #expect(topics.unsubscribe(slow.value, from: "t"))
                #expect(topics.unsubscribe(slow.value, from: "u"))
                slow.value.resumeReading(topics)
            }
            #expect(slow.texts == ["1", "2", "3"])
            #expect(broker.counters.delivered == 3)
        }
    }

    /// Each run has three loops that publish, subscribe, read, stop reading and close at random.
    @Test(
        "delivered + skipped + closed = published × members", arguments: 0..<20 as Range<UInt64>)
    func sums(_ seed: UInt64) throws {
        var settings = settings()
        settings.queueByteLimit = 300
        let broker = TopicBroker(settings)
        let log = Watched<[PublishCounts]>([])
        let loops = try (0..<3).map { _ in try Loop() }
        let threads = try loops.map { try $0.start() }
        defer {
            for loop in loops { loop.stop() }
            for thread in threads { thread.join() }
        }
        var players: [RandomPlayer] = []
        for (number, loop) in loops.enumerated() {
            players.append(
                try RunningLoop(loop: loop) {
                    RandomPlayer(broker, loop, log, seed: seed &* 3 &+ UInt64(number))
                })
        }
        for player in players { player.begin() }
        for player in players { #expect(player.isDone.wait()) }
        for _ in 0..<3 { for loop in loops { try RunningLoop(loop: loop).settle() } }
        for (loop, player) in zip(loops, players) {
            try RunningLoop(loop: loop) { player.check() }
        }
        let counters = broker.counters
        let owed = log.value.reduce(0) { $0 + $1.receivers + $1.skipped + $1.closed }
        #expect(counters.delivered + counters.skipped + counters.closed == owed)
        #expect(counters.published == log.value.count)
        #expect(counters.delivered > 0)
        for (loop, player) in zip(loops, players) { try RunningLoop(loop: loop) { player.end() } }
        #expect(broker.summaries.isEmpty)
    }
}

/// Acts at random on one loop.
///
/// `@unchecked Sendable`: used on its loop's thread only; `isDone` is locked.
private final class RandomPlayer: @unchecked Sendable {
    private let broker: TopicBroker
    private let topics: LoopTopics
    private let loop: Loop
    private let log: Watched<[PublishCounts]>
    private var random: SeededGenerator
    private var subscribers: [FakeSubscriber] = []
    private var ended: [FakeSubscriber] = []
    private var number = 0
    private let name: UInt64
    let isDone = Watched(false)

    init(_ broker: TopicBroker, _ loop: Loop, _ log: Watched<[PublishCounts]>, seed: UInt64) {
        self.broker = broker
        self.loop = loop
        self.log = log
        name = seed
        random = SeededGenerator(seed: seed)
        topics = LoopTopics(broker, on: loop, CompressionPool(CompressionSettings()))
    }

    func begin() { step(250) }

    private func step(_ rest: Int) {
        guard rest > 0 else { return isDone.set() }
        loop.submit { [self] in
            for _ in 0..<Int.random(in: 1...4, using: &random) { act() }
            step(rest - 1)
        }
    }

    private func act() {
        let topic = ["a", "b", "c"].randomElement(using: &random) ?? ""
        let one = subscribers.randomElement(using: &random)
        switch Int.random(in: 0..<12, using: &random) {
        case 0:
            let new = FakeSubscriber(mark: Int.random(in: 0..<100, using: &random))
            subscribers.append(new)
            _ = try? topics.subscribe(
                new, to: topic, SlowSubscriberPolicy.allCases.randomElement(using: &random))
        case 1: one.map { _ = try? topics.subscribe($0, to: topic, .skipOldest) }
        case 2: one.map { _ = topics.unsubscribe($0, from: topic) }
        case 3: one?.pauseReading()
        case 4: one?.resumeReading(topics)
        case 5 where subscribers.count > 5: one.map(end)
        case 6: one?.writeOwn("own", topics)
        default:
            number += 1
            let counts = broker.publish(
                "\(topic) \(name) \(number)", to: topic, key: "\(number % 3)")
            log.update { $0.append(counts) }
        }
    }

    private func end(_ subscriber: FakeSubscriber) {
        subscriber.takesMessages = false
        topics.end(of: subscriber)
        subscribers.removeAll { $0 === subscriber }
        ended.append(subscriber)
    }

    /// Nothing came twice, nor out of a publisher's order, nor from a topic of others.
    func check() {
        for subscriber in subscribers { subscriber.resumeReading(topics) }
        for subscriber in subscribers + ended {
            var last: [Substring: Int] = [:]
            for text in subscriber.texts where text != "own" {
                let words = text.split(separator: " ")
                guard words.count == 3, let number = Int(words[2]) else {
                    Issue.record("not a message: \(text)")
                    continue
                }
                #expect(number > last[words[1], default: 0], "\(text)")
                last[words[1]] = number
            }
        }
    }

    func end() {
        for subscriber in subscribers { end(subscriber) }
        topics.leave()
    }
}
