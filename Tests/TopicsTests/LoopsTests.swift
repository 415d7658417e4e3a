import EventLoop
import LoopTesting
import Synchronization
import Testing
import WebSocketProtocol

@testable import Topics

@Suite("Publishing over several loops, threads and processes")
struct LoopsTests {
    @Test("subscribers on all loops see one order, whoever publishes")
    func oneOrder() throws {
        try withTopics { first, broker, firstTopics in
            try withLoop { second in
                let secondTopics = try second {
                    Unchecked(
                        LoopTopics(
                            broker, on: second.loop, CompressionPool(CompressionSettings())))
                }.value
                let subscribers = [FakeSubscriber(mark: .max), FakeSubscriber(mark: .max)]
                let pairs = Unchecked([
                    (first, firstTopics, subscribers[0]), (second, secondTopics, subscribers[1]),
                ])
                for (loop, topics, subscriber) in pairs.value {
                    let subscriber = Unchecked(subscriber)
                    try loop { _ = try topics.subscribe(subscriber.value, to: "t", nil) }
                }
                let publishers = try (0..<4).map { name in
                    try LoopThread {
                        for number in 0..<500 { broker.publish("\(name) \(number)", to: "t") }
                    }
                }
                for number in 0..<500 {
                    first.loop.submit { broker.publish("first \(number)", to: "t") }
                }
                for publisher in publishers { publisher.join() }
                for _ in 0..<2 {
                    try first.settle()
                    try second.settle()
                }
                #expect(subscribers[0].texts.count == 2_500)
                #expect(subscribers[0].texts == subscribers[1].texts)
                try second { secondTopics.leave() }
            }
        }
    }

    @Test(
        "what a blocked loop does not take is lost beyond a limit, and its subscribers hear of it")
    func blockedLoop() throws {
        var settings = TopicSettings()
        settings.loopQueueByteLimit = 10_000
        try withTopics(settings) { loop, broker, topics in
            let closing = FakeSubscriber(mark: .max)
            let skipping = FakeSubscriber(mark: .max)
            try loop { [closing = Unchecked(closing), skipping = Unchecked(skipping)] in
                _ = try topics.subscribe(closing.value, to: "t", .close)
                _ = try topics.subscribe(skipping.value, to: "t", .skipNewest)
            }
            let isBlocked = Watched(false)
            let mayGoOn = Watched(false)
            loop.loop.submit {
                isBlocked.set()
                _ = mayGoOn.wait()
            }
            #expect(isBlocked.wait())
            for number in 0..<1_000 { broker.publish("\(number)", to: "t") }
            mayGoOn.set()
            try loop.settle()
            let count = skipping.texts.count
            #expect(count > 100 && count < 200)
            #expect(skipping.texts == (0..<count).map { "\($0)" })
            #expect(closing.texts == skipping.texts && closing.wasClosedBehind)
            let counters = broker.counters
            #expect(counters.delivered == 2 * count)
            #expect(counters.skipped == 1_000 - count && counters.closed == 1_000 - count)
            try loop { [skipping = Unchecked(skipping)] in
                broker.publish("next", to: "t")
                topics.sendWaiting(to: skipping.value)
            }
            #expect(skipping.texts.last == "next")
        }
    }

    private final class Recorder: Backplane {
        let lines = Mutex<[String]>([])
        func published(_ publication: Publication) {
            lines.withLock { $0.append("published \(publication.topic)") }
        }
        func localCountChanged(of topic: String, to count: Int) {
            lines.withLock { $0.append("\(topic) has \(count)") }
        }
    }

    @Test("another process hears what is published here, and is heard here, but no echo")
    func backplane() throws {
        try withTopics { loop, broker, topics in
            let subscriber = FakeSubscriber()
            try loop { [subscriber = Unchecked(subscriber)] in
                _ = try topics.subscribe(subscriber.value, to: "t", nil)
            }
            let recorder = Recorder()
            broker.join(recorder)
            broker.publish("1", to: "t")
            broker.publish("elsewhere", to: "u")
            broker.deliver(Publication(topic: "t", message: .text("2")))
            broker.setCount(5, of: "t", at: 7)
            broker.setCount(2, of: "v", at: 7)
            broker.setCount(1, of: "t", at: 8)
            try loop.settle()
            #expect(subscriber.texts == ["1", "2"])
            #expect(broker.subscriberCount(of: "t") == 7)
            #expect(broker.localSubscriberCount(of: "t") == 1)
            #expect(broker.subscriberCount(of: "v") == 2)
            broker.removeOrigin(7)
            #expect(broker.subscriberCount(of: "t") == 2)
            #expect(broker.subscriberCount(of: "v") == 0)
            broker.missed(3, of: ["t", "unknown"])
            try loop.settle()
            #expect(subscriber.wasClosedBehind)
            try loop { [subscriber = Unchecked(subscriber)] in topics.end(of: subscriber.value) }
            broker.leave(recorder)
            broker.publish("3", to: "t")
            #expect(
                recorder.lines.withLock(\.self) == [
                    "t has 1", "published t", "published u", "t has 0",
                ])
        }
    }

    @Test("changes: first and last subscribers, and what is over before it was seen is left out")
    func changes() async throws {
        let broker = TopicBroker()
        let loop = try Loop()
        let thread = try loop.start()
        defer {
            loop.stop()
            thread.join()
        }
        let changes = broker.changes()
        try Self.play(RunningLoop(loop: loop), broker)
        var seen: [TopicChanges.Change] = []
        for await change in changes {
            seen.append(change)
            if seen.count == 2 { break }
        }
        #expect(seen.map(\.topic) == ["a", "c"] && seen.allSatisfy(\.hasSubscribers))
    }

    private static func play(_ loop: RunningLoop, _ broker: TopicBroker) throws {
        try loop {
            let topics = LoopTopics(broker, on: loop.loop, CompressionPool(CompressionSettings()))
            let subscribers = [FakeSubscriber(), FakeSubscriber()]
            _ = try topics.subscribe(subscribers[0], to: "a", nil)
            _ = try topics.subscribe(subscribers[0], to: "b", nil)
            _ = try topics.subscribe(subscribers[1], to: "a", nil)
            _ = topics.unsubscribe(subscribers[0], from: "b")
            _ = try topics.subscribe(subscribers[1], to: "c", nil)
            _ = topics.unsubscribe(subscribers[0], from: "a")
            topics.leave()
        }
    }
}
