import EventLoop

/// Numbers of subscribers that another process has not been told yet, the latest of each topic.
struct CountChanges: Sendable {
    /// | state | begins when |
    /// |---|---|
    /// | `listed` | it is made, or all are told anew |
    /// | `tooMany` | the list passes its limit: all have to be told anew |
    private enum State {
        case listed([ExactText: Int])
        case tooMany
    }

    private var state = State.listed([:])
    private let limit: Int

    /// 16,384 topics. As long as nothing keeps them from being told, a turn's are far fewer.
    static let defaultLimit = 16_384

    init(limit: Int = defaultLimit) { self.limit = limit }

    /// All of them, to be told anew. They may be as many as there are topics, and as many changes.
    init(all counts: [ExactText: Int]) {
        limit = max(Self.defaultLimit, counts.count * 2)
        state = .listed(counts)
    }

    var isEmpty: Bool {
        if case .listed(let counts) = state { counts.isEmpty } else { false }
    }
    var areTooMany: Bool {
        if case .tooMany = state { true } else { false }
    }

    mutating func note(_ topic: ExactText, _ count: Int) {
        guard case .listed(var counts) = state else { return }
        state = .tooMany  // or the dictionary would be copied
        counts[topic] = count
        if counts.count <= limit { state = .listed(counts) }
    }

    mutating func add(_ others: CountChanges) {
        guard case .listed(let counts) = others.state else { return state = .tooMany }
        for (topic, count) in counts { note(topic, count) }
    }

    /// Removes some of them, at most ``portionLimit``.
    mutating func takePortion() -> [(topic: ExactText, count: Int)] {
        guard case .listed(var counts) = state else { return [] }
        state = .tooMany
        defer { state = .listed(counts) }
        let portion = counts.prefix(Self.portionLimit).map { ($0.key, $0.value) }
        for (topic, _) in portion { counts[topic] = nil }
        return portion
    }

    /// 512 topics: looking for the first entry of a dictionary takes longer the more have been
    /// removed.
    static let portionLimit = 512
}
