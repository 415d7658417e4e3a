import EventLoop
import LoopTesting
import TestSupport
import Testing
import WebSocketProtocol

@testable import Topics

@Suite("Publishing on one loop")
struct PublishingTests {
    @Test("one send for all that is published in a turn, but not to the publisher")
    func batch() throws {
        try withTopics { loop, broker, topics in
            let subscribers = try loop {
                let subscribers = (0..<3).map { _ in FakeSubscriber() }
                for one in subscribers { try #expect(topics.subscribe(one, to: "t", nil)) }
                try #expect(!topics.subscribe(subscribers[0], to: "t", nil))
                return Unchecked(subscribers)
            }.value
            try loop {
                for text in ["a", "b", "c"] {
                    let counts = broker.publish(text, to: "t")
                    #expect(counts.receivers == 3 && counts.skipped == 0 && counts.closed == 0)
                }
                let own = Publication(topic: "t", message: .text("d"))
                #expect(broker.publish(own, except: subscribers[1]).receivers == 2)
                broker.publish("e", to: "t")
            }
            try loop.settle()
            #expect(subscribers[0].texts == ["a", "b", "c", "d", "e"])
            #expect(subscribers[1].texts == ["a", "b", "c", "e"])
            #expect(subscribers.map(\.sendCount) == [1, 2, 1])
            #expect(broker.counters.published == 5 && broker.counters.delivered == 14)
        }
    }

    @Test("a subscriber of several topics gets everything in one order")
    func order() throws {
        try withTopics { loop, broker, topics in
            let both = FakeSubscriber()
            let one = FakeSubscriber()
            try loop { [both = Unchecked(both), one = Unchecked(one)] in
                for topic in ["a", "b"] { _ = try topics.subscribe(both.value, to: topic, nil) }
                _ = try topics.subscribe(one.value, to: "b", nil)
                for number in 0..<20 {
                    broker.publish("\(number)", to: number % 3 == 0 ? "a" : "b")
                }
            }
            try loop.settle()
            #expect(both.texts == (0..<20).map { "\($0)" })
            #expect(one.texts == (0..<20).filter { $0 % 3 != 0 }.map { "\($0)" })
        }
    }

    @Test("what the subscriber sends itself keeps its place")
    func ownMessages() throws {
        try withTopics { loop, broker, topics in
            let subscriber = FakeSubscriber()
            try loop { [subscriber = Unchecked(subscriber)] in
                _ = try topics.subscribe(subscriber.value, to: "t", nil)
                broker.publish("1", to: "t")
                subscriber.value.writeOwn("2", topics)
                broker.publish("3", to: "t")
                broker.publish("4", to: "t")
                subscriber.value.writeOwn("5", topics)
            }
            try loop.settle()
            #expect(subscriber.texts == ["1", "2", "3", "4", "5"])
        }
    }

    @Test("what came before unsubscribe is delivered, and nothing behind it")
    func unsubscribe() throws {
        try withTopics { loop, broker, topics in
            let subscriber = FakeSubscriber()
            try loop { [subscriber = Unchecked(subscriber)] in
                _ = try topics.subscribe(subscriber.value, to: "t", nil)
                broker.publish("1", to: "t")
                #expect(topics.unsubscribe(subscriber.value, from: "t"))
                #expect(!topics.unsubscribe(subscriber.value, from: "t"))
                #expect(broker.publish("2", to: "t").receivers == 0)
                _ = try topics.subscribe(subscriber.value, to: "t", nil)
                broker.publish("3", to: "t")
            }
            try loop.settle()
            #expect(subscriber.texts == ["1", "3"])
            try loop { [subscriber = Unchecked(subscriber)] in
                topics.end(of: subscriber.value)
            }
            #expect(broker.summaries.isEmpty)
        }
    }

    @Test("nothing comes between the pieces of a message")
    func pieces() throws {
        try withTopics { loop, broker, topics in
            let subscriber = FakeSubscriber()
            try loop { [subscriber = Unchecked(subscriber)] in
                _ = try topics.subscribe(subscriber.value, to: "t", nil)
                broker.publish("1", to: "t")
                topics.sendWaiting(to: subscriber.value)
                subscriber.value.isInsideSentMessage = true
                broker.publish("2", to: "t")
                topics.sendWaiting(to: subscriber.value)
            }
            try loop.settle()
            #expect(subscriber.texts == ["1"])
            try loop { [subscriber = Unchecked(subscriber)] in
                broker.publish("3", to: "t")
                subscriber.value.isInsideSentMessage = false
                topics.pause(of: subscriber.value)
                broker.publish("4", to: "t")
            }
            try loop.settle()
            #expect(subscriber.texts == ["1", "2", "3", "4"])
        }
    }

    @Test(
        "long messages and short ones, in their order",
        arguments: [[10, 20_000, 10, 10, 70_000, 70_000, 10], Array(repeating: 1_000, count: 200)])
    func long(_ byteCounts: [Int]) throws {
        try withTopics { loop, broker, topics in
            let subscriber = FakeSubscriber(mark: .max)
            let publisher = FakeSubscriber(mark: .max)
            let texts = byteCounts.enumerated().map { String(repeating: "\($0 % 10)", count: $1) }
            try loop { [subscriber = Unchecked(subscriber), publisher = Unchecked(publisher)] in
                for one in [subscriber.value, publisher.value] {
                    _ = try topics.subscribe(one, to: "t", nil)
                }
                for (number, text) in texts.enumerated() {
                    let publication = Publication(topic: "t", message: .text(text))
                    let isOwn = number % 2 == 0
                    _ = broker.publish(publication, except: isOwn ? publisher.value : nil)
                }
            }
            try loop.settle()
            #expect(subscriber.received.elementsEqual(texts.flatMap { Message.text($0).frame }))
            let others = texts.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
            #expect(publisher.received.elementsEqual(others.flatMap { Message.text($0).frame }))
        }
    }

    @Test("compressed once for all with the same window, plain below the threshold")
    func compressed() throws {
        try withTopics { loop, broker, topics in
            let forms: [WireForm] = [
                .plain, .compressed(windowBits: 15), .compressed(windowBits: 15),
                .compressed(windowBits: 10), .own,
            ]
            let text = String(repeating: "many times ", count: 200)
            let subscribers = try loop {
                let subscribers = forms.map { FakeSubscriber($0, mark: .max) }
                for one in subscribers { _ = try topics.subscribe(one, to: "t", nil) }
                let counts = broker.publish(text, to: "t")
                #expect(counts.receivers == 5)
                broker.publish("short", to: "t")
                return Unchecked(subscribers)
            }.value
            try loop.settle()
            let short = Message.text("short").frame
            for one in [subscribers[0], subscribers[4]] {
                #expect(one.received == Message.text(text).frame + short)
            }
            #expect(subscribers[1].received == subscribers[2].received)
            for one in subscribers[1...3] {
                #expect(one.received.count < 200 && one.received.first == 0xC1)
                #expect(Array(one.received.suffix(short.count)) == short)
            }
        }
    }

    typealias Refusal = Row<(String, Message), TopicError>

    @Test(
        "what is refused",
        arguments: [
            Refusal("no name", ("", .text("a")), .emptyName),
            Refusal(
                "a long name", (String(repeating: "é", count: 128), .text("a")),
                .nameTooLong(byteCount: 256, byteLimit: 255)),
            Refusal(
                "a long message", ("t", .binary([UInt8](repeating: 0, count: (1 << 20) + 1))),
                .messageTooLong(byteCount: (1 << 20) + 1, byteLimit: 1 << 20)),
        ])
    func refused(_ row: Refusal) throws {
        let broker = TopicBroker()
        let counts = broker.publish(row.input.1, to: row.input.0)
        #expect(counts.refusal == row.expected && counts.receivers == 0)
        #expect(broker.counters.published == 0)
    }

    @Test("a connection has 128 subscriptions at most, and names are compared as bytes")
    func limits() throws {
        try withTopics { loop, broker, topics in
            try loop {
                let subscriber = FakeSubscriber()
                _ = try topics.subscribe(subscriber, to: "\u{E9}", nil)
                // The same letter, of two scalars.
                try #expect(topics.subscribe(subscriber, to: "e\u{301}", nil))
                #expect(broker.localSubscriberCount(of: "\u{E9}") == 1)
                for number in 2..<128 { _ = try topics.subscribe(subscriber, to: "\(number)", nil) }
                #expect(throws: TopicError.tooManySubscriptions(limit: 128)) {
                    try topics.subscribe(subscriber, to: "one more", nil)
                }
                #expect(topics.unsubscribe(subscriber, from: "7"))
                try #expect(topics.subscribe(subscriber, to: "one more", nil))
                topics.end(of: subscriber)
                #expect(broker.summaries.isEmpty)
            }
        }
    }
}
