import EventLoop
import LoopTesting
import Synchronization
import TestSupport
import Testing
import WebSocketProtocol

@testable import Topics

/// A connection that is sent to may tell of its end, or that it can take more, before the call
/// returns: its stream was flushed, and failed or drained.
@Suite("What a subscriber tells while it is sent to")
struct ReentrancyTests {
    @Test("a queue that drains while what waits is sent: nothing twice, nothing lost")
    func drainsInside() throws {
        try withTopics { loop, broker, topics in
            let subscriber = FakeSubscriber(.own, mark: 20)
            try loop { [subscriber = Unchecked(subscriber)] in
                let subscriber = subscriber.value
                _ = try topics.subscribe(subscriber, to: "t", nil)
                subscriber.pauseReading()
                for number in 10..<30 { broker.publish("\(number)", to: "t") }
                subscriber.onSend = {
                    subscriber.drain()
                    topics.pause(of: subscriber)
                }
                subscriber.writeOwn("own", topics)
                subscriber.onSend = {}
                subscriber.resumeReading(topics)
                broker.publish("last", to: "t")
            }
            #expect(subscriber.texts == (10..<30).map { "\($0)" } + ["own", "last"])
            #expect(broker.counters.delivered == 21)
        }
    }

    @Test("one that ends while it is sent to: the others get all in order")
    func endsInside() throws {
        try withTopics { loop, broker, topics in
            let ending = FakeSubscriber(.own, mark: .max)
            let other = FakeSubscriber(.own, mark: .max)
            try loop { [ending = Unchecked(ending), other = Unchecked(other)] in
                // Sent to from the last one to the first one.
                _ = try topics.subscribe(other.value, to: "t", nil)
                _ = try topics.subscribe(ending.value, to: "t", nil)
                ending.value.onSend = { [unowned ending = ending.value] in
                    ending.onSend = {}
                    ending.takesMessages = false
                    Self.onOtherThread { broker.publish("2", to: "t") }
                    topics.end(of: ending)
                }
                broker.publish("1", to: "t")
            }
            try loop.settle()
            #expect(other.texts == ["1", "2"])
            #expect(broker.localSubscriberCount(of: "t") == 1)
            #expect(ending.firstSubscription == nil)
        }
    }

    @Test("one that ends while it unsubscribes is counted off once: the others still get messages")
    func endsUnsubscribing() throws {
        try withTopics { loop, broker, topics in
            let ending = FakeSubscriber(.own, mark: 20)
            let other = FakeSubscriber(.own, mark: .max)
            try loop { [ending = Unchecked(ending), other = Unchecked(other)] in
                let ending = ending.value
                _ = try topics.subscribe(other.value, to: "t", nil)
                _ = try topics.subscribe(ending, to: "t", nil)
                ending.pauseReading()
                for _ in 0..<20 { broker.publish("before", to: "t") }
                ending.onSend = {
                    ending.onSend = {}
                    ending.takesMessages = false
                    topics.end(of: ending)
                }
                _ = topics.unsubscribe(ending, from: "t")
            }
            try loop.settle()
            #expect(broker.localSubscriberCount(of: "t") == 1)
            broker.publish("after", to: "t")
            try loop.settle()
            #expect(other.texts.last == "after")
        }
    }

    @Test("one that ends while it subscribes is no subscriber")
    func endsSubscribing() throws {
        try withTopics { loop, broker, topics in
            let subscriber = FakeSubscriber(.own, mark: .max)
            try loop { [subscriber = Unchecked(subscriber)] in
                let subscriber = subscriber.value
                _ = try topics.subscribe(subscriber, to: "first", nil)
                subscriber.onSend = {
                    subscriber.onSend = {}
                    subscriber.takesMessages = false
                    topics.end(of: subscriber)
                }
                Self.onOtherThread { broker.publish("due", to: "first") }
                _ = try topics.subscribe(subscriber, to: "second", nil)
            }
            try loop.settle()
            #expect(broker.summaries.isEmpty)
            #expect(subscriber.firstSubscription == nil)
        }
    }

    @Test("a publisher's subscriptions are looked at on its own loop alone")
    func publisherOfAnotherLoop() throws {
        try withTopics { first, broker, firstTopics in
            try withLoop { second in
                let secondTopics = try second {
                    Unchecked(
                        LoopTopics(
                            broker, on: second.loop, CompressionPool(CompressionSettings())))
                }.value
                let publisher = FakeSubscriber(mark: .max)
                let other = FakeSubscriber(mark: .max)
                publisher.loop = first.loop
                other.loop = second.loop
                try second { [other = Unchecked(other)] in
                    _ = try secondTopics.subscribe(other.value, to: "t", nil)
                }
                let foreignLooks = Atomic<Int>(0)
                try first { [publisher = Unchecked(publisher)] in
                    _ = try firstTopics.subscribe(publisher.value, to: "t", nil)
                    publisher.value.onLook = { [loop = first.loop] in
                        if !loop.isCurrent { foreignLooks.add(1, ordering: .relaxed) }
                    }
                    _ = broker.publish(
                        Publication(topic: "t", message: .text("x")), except: publisher.value)
                }
                try first.settle()
                try second.settle()
                publisher.onLook = {}
                #expect(foreignLooks.load(ordering: .relaxed) == 0)
                #expect(publisher.texts.isEmpty && other.texts == ["x"])
                try second { secondTopics.leave() }
            }
        }
    }

    @Test("one to which nothing can be sent is not closed for what it missed")
    func missedBehindClose() throws {
        try withTopics { loop, broker, topics in
            let subscriber = FakeSubscriber()
            try loop { [subscriber = Unchecked(subscriber)] in
                _ = try topics.subscribe(subscriber.value, to: "t", .close)
                subscriber.value.takesMessages = false
                broker.missed(1, of: nil)
            }
            #expect(!subscriber.wasClosedBehind && broker.counters.closed == 1)
        }
    }

    @Test("a message of another process that is over the limit here is told as missed")
    func tooLongFromAnotherProcess() throws {
        var settings = TopicSettings()
        settings.messageByteLimit = 3
        try withTopics(settings) { loop, broker, topics in
            let closing = FakeSubscriber()
            let skipping = FakeSubscriber()
            try loop { [closing = Unchecked(closing), skipping = Unchecked(skipping)] in
                _ = try topics.subscribe(closing.value, to: "t", .close)
                _ = try topics.subscribe(skipping.value, to: "t", .skipNewest)
            }
            broker.deliver(Publication(topic: "t", message: .text("long")))
            try loop.settle()
            broker.deliver(Publication(topic: "t", message: .text("ok")))
            try loop.settle()
            #expect(closing.wasClosedBehind && !skipping.wasClosedBehind)
            #expect(broker.counters.skipped == 1 && skipping.texts == ["ok"])
        }
    }

    @Test("slow ones that catch up in any order are no longer slow")
    func catchUpInAnyOrder() throws {
        try withTopics { loop, broker, topics in
            let subscribers = (0..<5).map { _ in FakeSubscriber(mark: 4) }
            try loop { [subscribers = Unchecked(subscribers)] in
                let subscribers = subscribers.value
                for subscriber in subscribers {
                    subscriber.pauseReading()
                    _ = try topics.subscribe(subscriber, to: "t", nil)
                }
                broker.publish("first", to: "t")
                topics.sendWaiting(to: subscribers[0])
            }
            try loop.settle()
            try loop { [subscribers = Unchecked(subscribers)] in
                for index in [2, 0, 4, 1] { subscribers.value[index].resumeReading(topics) }
                broker.publish("second", to: "t")
            }
            try loop.settle()
            for index in [0, 1, 2, 4] { #expect(subscribers[index].sendCount == 2) }
            #expect(subscribers[3].sendCount == 1)
            try loop { [subscribers = Unchecked(subscribers)] in
                subscribers.value[3].resumeReading(topics)
            }
            for subscriber in subscribers { #expect(subscriber.texts == ["first", "second"]) }
        }
    }

    private static func onOtherThread(_ work: @escaping @Sendable () -> Void) {
        if let thread = try? LoopThread(work) { thread.join() }
    }
}
