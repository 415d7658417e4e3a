import EventLoop
import TestSupport
import Testing
import WebSocketProtocol

@testable import Topics

@Suite("What waits for a slow subscriber")
struct BacklogTests {
    /// A message that comes: its text, its key, the policy of its subscription, at which second.
    struct Coming: Sendable {
        let text: String
        var key: String?
        let policy: SlowSubscriberPolicy
        var second: Int64 = 0
    }

    struct Expected: Sendable {
        let waiting: [String]
        let outcomes: [Backlog.Outcome]
    }

    typealias Table = Row<[Coming], Expected>

    private static func all(
        _ texts: [String], _ policy: SlowSubscriberPolicy, second: Int64 = 0
    ) -> [Coming] {
        texts.map { Coming(text: $0, policy: policy, second: second) }
    }

    private static let waits = Backlog.Outcome.waits(skippedCount: 0)

    /// Each message has 10 bytes; 30 fit, and 10 s is the longest that one may wait.
    @Test(
        "each policy",
        arguments: [
            Table(
                "close: until it is full", all(["a", "b", "c", "d"], .close),
                Expected(waiting: ["a", "b", "c"], outcomes: [waits, waits, waits, .close])),
            Table(
                "close: until the oldest is too old",
                all(["a"], .close) + all(["b"], .close, second: 9)
                    + all(["c"], .close, second: 10),
                Expected(waiting: ["a", "b"], outcomes: [waits, waits, .close])),
            Table(
                "skip-newest", all(["a", "b", "c", "d"], .skipNewest),
                Expected(
                    waiting: ["a", "b", "c"],
                    outcomes: [waits, waits, waits, .skipped(skippedCount: 0)])),
            Table(
                "skip-newest: while the oldest is too old",
                all(["a"], .skipNewest) + all(["b"], .skipNewest, second: 11),
                Expected(waiting: ["a"], outcomes: [waits, .skipped(skippedCount: 0)])),
            Table(
                "skip-oldest", all(["a", "b", "c", "d"], .skipOldest),
                Expected(
                    waiting: ["b", "c", "d"],
                    outcomes: [waits, waits, waits, .waits(skippedCount: 1)])),
            Table(
                "skip-oldest: those that are too old",
                all(["a", "b"], .skipOldest) + all(["c"], .skipOldest, second: 10),
                Expected(waiting: ["c"], outcomes: [waits, waits, .waits(skippedCount: 2)])),
            Table(
                "skip-oldest leaves out nothing of others",
                all(["a", "b", "c"], .close) + all(["d"], .skipOldest),
                Expected(
                    waiting: ["a", "b", "c"],
                    outcomes: [waits, waits, waits, .skipped(skippedCount: 0)])),
            Table(
                "skip-oldest steps over others",
                all(["a"], .close)
                    + all(["b", "c", "d"], .skipOldest),
                Expected(
                    waiting: ["a", "c", "d"],
                    outcomes: [waits, waits, waits, .waits(skippedCount: 1)])),
            Table(
                "latest: one of each key, the newest last",
                [
                    Coming(text: "a1", key: "a", policy: .latest),
                    Coming(text: "b1", key: "b", policy: .latest),
                    Coming(text: "a2", key: "a", policy: .latest),
                    Coming(text: "a3", key: "a", policy: .latest),
                ],
                Expected(
                    waiting: ["b1", "a3"],
                    outcomes: [waits, waits, .waits(skippedCount: 1), .waits(skippedCount: 1)])),
            Table(
                "latest: without a key, one of the topic",
                all(["a", "b"], .latest) + [Coming(text: "k", key: "", policy: .latest)],
                Expected(
                    waiting: ["b", "k"], outcomes: [waits, .waits(skippedCount: 1), waits])),
            Table(
                "latest: too many keys, the oldest go",
                ["a", "b", "c", "d"].map { Coming(text: $0, key: $0, policy: .latest) },
                Expected(
                    waiting: ["b", "c", "d"],
                    outcomes: [waits, waits, waits, .waits(skippedCount: 1)])),
        ])
    func policies(_ row: Table) {
        var backlog = Backlog()
        var outcomes: [Backlog.Outcome] = []
        for coming in row.input { outcomes.append(add(coming, to: &backlog)) }
        #expect(outcomes == row.expected.outcomes)
        #expect(backlog.count == row.expected.waiting.count)
        #expect(backlog.byteCount == 10 * row.expected.waiting.count)
        #expect(takeAll(&backlog) == row.expected.waiting)
        #expect(backlog.isEmpty && backlog.byteCount == 0)
    }

    @Test("one message always has room") func tooLong() {
        var backlog = Backlog()
        let long = Publication(topic: "t", message: .text("long"))
        let outcome = backlog.add(
            long, .close, byteCount: 1_000, at: MonotonicTime(nanoseconds: 0), otherByteCount: 0,
            byteLimit: 30, timeout: .seconds(10))
        #expect(outcome == Self.waits)
    }

    @Test("so many messages wait at most, however small") func many() {
        var backlog = Backlog()
        let message = Publication(topic: "t", message: .text(""))
        func add() -> Backlog.Outcome {
            backlog.add(
                message, .skipNewest, byteCount: 2, at: MonotonicTime(nanoseconds: 0),
                otherByteCount: 0, byteLimit: 1 << 20, timeout: .seconds(10))
        }
        for _ in 0..<Backlog.countLimit { #expect(add() == Self.waits) }
        #expect(add() == .skipped(skippedCount: 0))
    }

    @Test("what was queued before counts") func others() {
        var backlog = Backlog()
        let message = Publication(topic: "t", message: .text("a"))
        let outcome = backlog.add(
            message, .skipNewest, byteCount: 10, at: MonotonicTime(nanoseconds: 0),
            otherByteCount: 21, byteLimit: 30, timeout: .seconds(10))
        #expect(outcome == .skipped(skippedCount: 0))
    }

    @Test("long use: the same as a list of a few lines", arguments: 0..<50 as Range<UInt64>)
    func random(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var backlog = Backlog()
        var model: [(text: String, key: String)] = []
        for number in 0..<500 {
            if Int.random(in: 0..<3, using: &random) == 0 {
                #expect(first(&backlog) == model.first?.text)
                backlog.removeFirst()
                if !model.isEmpty { model.removeFirst() }
                continue
            }
            let key = "\(Int.random(in: 0..<5, using: &random))"
            _ = add(Coming(text: "\(number)", key: key, policy: .latest), to: &backlog)
            model.removeAll { $0.key == key }
            model.append(("\(number)", key))
            if model.count > 3 { model.removeFirst() }
            #expect(backlog.count == model.count)
        }
        #expect(takeAll(&backlog) == model.map(\.text))
    }

    @Test("a key that comes often behind a message that stays takes the room of one")
    func replacedBehindAnother() {
        var backlog = Backlog()
        _ = add(Coming(text: "stays", key: "a", policy: .latest), to: &backlog)
        for number in 0..<10_000 {
            _ = add(Coming(text: "\(number)", key: "b", policy: .latest), to: &backlog)
        }
        #expect(backlog.placeCount <= 2 * backlog.count + Backlog.emptyPlaceLimit + 1)
        #expect(takeAll(&backlog) == ["stays", "9999"])
    }

    private func add(_ coming: Coming, to backlog: inout Backlog) -> Backlog.Outcome {
        backlog.add(
            Publication(topic: "t", message: .text(coming.text), key: coming.key), coming.policy,
            byteCount: 10, at: MonotonicTime(nanoseconds: coming.second * 1_000_000_000),
            otherByteCount: 0, byteLimit: 30, timeout: .seconds(10))
    }

    private func first(_ backlog: inout Backlog) -> String? {
        guard case .text(let text) = backlog.first?.publication.message else { return nil }
        return text
    }

    private func takeAll(_ backlog: inout Backlog) -> [String] {
        var texts: [String] = []
        while let text = first(&backlog) {
            texts.append(text)
            backlog.removeFirst()
        }
        return texts
    }
}
