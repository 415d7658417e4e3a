import EventLoop
import Synchronization
import Testing

@testable import Topics

@Suite("First and last subscribers of topics", .timeLimit(.minutes(5)))
struct TopicChangesTests {
    private typealias Change = TopicChanges.Change

    private static func source(of topic: String? = nil) -> ChangeSource {
        ChangeSource(.thisProcess, of: topic.map { ExactText($0) })
    }

    @Test("changes come in their order, those of a topic alternate")
    func order() async {
        let source = Self.source()
        for (topic, isFirst) in [("a", true), ("b", true), ("c", true), ("b", false)] {
            source.put(ExactText(topic), hasSubscribers: isFirst, in: .thisProcess)
        }
        #expect(await source.next() == Change(topic: "a", hasSubscribers: true))
        source.put(ExactText("a"), hasSubscribers: false, in: .thisProcess)
        // b came and went.
        #expect(await source.next() == Change(topic: "c", hasSubscribers: true))
        #expect(await source.next() == Change(topic: "a", hasSubscribers: false))
    }

    @Test("what comes and goes many times is one change at most")
    func manyChanges() async {
        let source = Self.source()
        for number in 0..<10_001 {
            source.put(ExactText("a"), hasSubscribers: number % 2 == 0, in: .thisProcess)
            if number == 5_000 {
                source.put(ExactText("b"), hasSubscribers: true, in: .thisProcess)
            }
        }
        let changes = [await source.next(), await source.next()].compactMap(\.self)
        #expect(Set(changes.map(\.topic)) == ["a", "b"])
        #expect(changes.map(\.hasSubscribers) == [true, true])
    }

    @Test("a change wakes the task that waits")
    func wakes() async {
        let source = Self.source()
        let wait = Task { await source.next() }
        while source.waiterCount == 0 { await Task.yield() }
        source.put(ExactText("a"), hasSubscribers: true, in: .thisProcess)
        #expect(await wait.value == Change(topic: "a", hasSubscribers: true))
    }

    @Test("only the topic and the scope that were asked for")
    func filter() async {
        let source = Self.source(of: "a")
        source.put(ExactText("b"), hasSubscribers: true, in: .thisProcess)
        source.put(ExactText("a"), hasSubscribers: true, in: .allProcesses)
        source.put(ExactText("a"), hasSubscribers: true, in: .thisProcess)
        source.finish()
        #expect(source.waiterCount == 0)
        #expect(await source.next() == nil)
    }

    @Test("a second iteration goes on where the first one stopped")
    func secondIteration() async {
        let broker = TopicBroker()
        let changes = broker.changes(in: .allProcesses)
        for topic in ["a", "b"] { broker.setCount(1, of: topic, at: 7) }
        for await change in changes {
            #expect(change.topic == "a")
            break
        }
        for await change in changes {
            #expect(change.topic == "b")
            break
        }
        let wait = Task {
            for await change in changes { return change as Change? }
            return nil
        }
        broker.removeOrigin(7)
        #expect(await wait.value?.hasSubscribers == false)
    }

    @Test("a cancelled task does not wait, cancelled before or while it does")
    func cancellation() async {
        let source = Self.source()
        let early = Task {
            while !Task.isCancelled { await Task.yield() }
            return await source.next()
        }
        early.cancel()
        #expect(await early.value == nil)
        let late = Task { await source.next() }
        while source.waiterCount == 0 { await Task.yield() }
        late.cancel()
        #expect(await late.value == nil)
        // It has taken nothing from others.
        source.put(ExactText("a"), hasSubscribers: true, in: .thisProcess)
        #expect(await source.next() == Change(topic: "a", hasSubscribers: true))
    }

    @Test("a wait that is cancelled and a change at the same time lose nothing")
    func race() async {
        let source = Self.source()
        for _ in 0..<500 {
            let wait = Task { await source.next() }
            async let change: Void = source.put(
                ExactText("a"), hasSubscribers: true, in: .thisProcess)
            wait.cancel()
            await change
            let taken = await wait.value
            #expect(taken?.hasSubscribers != false)
            if taken == nil { #expect(await source.next()?.hasSubscribers == true) }
            source.put(ExactText("a"), hasSubscribers: false, in: .thisProcess)
            #expect(await source.next()?.hasSubscribers == false)
        }
    }

    @Test("subscribers of other processes count where that was asked for, present ones first")
    func processes() async {
        let broker = TopicBroker()
        broker.setCount(2, of: "a", at: 1)
        broker.setCount(1, of: "b", at: 1)
        let all = broker.changes(of: "a", in: .allProcesses)
        let own = broker.changes()
        #expect(await all.next() == Change(topic: "a", hasSubscribers: true))
        broker.setCount(1, of: "a", at: 2)
        broker.removeOrigin(1)
        broker.setCount(0, of: "a", at: 2)
        #expect(await all.next() == Change(topic: "a", hasSubscribers: false))
        let wait = Task { await own.next() }
        wait.cancel()
        #expect(await wait.value == nil)
    }

    @Test("the broker forgets those that nobody asks any more, and its end ends waits")
    func ends() async {
        var broker: TopicBroker? = TopicBroker()
        do { _ = broker?.changes() }
        #expect(broker?.state.withLock { $0.watchers.count } == 0)
        let changes = broker?.changes()
        #expect(broker?.state.withLock { $0.watchers.count } == 1)
        let wait = Task { await changes?.next() }
        broker = nil
        #expect(await wait.value == nil)
    }
}
