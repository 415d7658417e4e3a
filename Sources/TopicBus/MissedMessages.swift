import EventLoop

/// Publications that were left out because another process does not read, or this one's loop does
/// not come round: how many, and of which topics as long as these are few.
struct MissedMessages: Hashable, Sendable {
    private(set) var count = 0
    /// `nil`: more than ``topicLimit``.
    private var names: Set<ExactText>? = []

    /// 64 topics are named; beyond that the subscribers of every topic may have missed something.
    static let topicLimit = 64

    var isEmpty: Bool { count == 0 }
    var topics: [ExactText]? { names.map(Array.init) }

    mutating func add(_ topic: ExactText) {
        count += 1
        names?.insert(topic)
        forgetIfTooMany()
    }

    mutating func add(_ others: MissedMessages) {
        count += others.count
        guard let theirs = others.names else { return names = nil }
        names?.formUnion(theirs)
        forgetIfTooMany()
    }

    private mutating func forgetIfTooMany() {
        if (names?.count ?? 0) > Self.topicLimit { names = nil }
    }
}
