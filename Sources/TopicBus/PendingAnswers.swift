import EventLoop

/// Questions to one other process, until each is answered or its time is over.
struct PendingAnswers {
    private struct Pending {
        var bytes: [UInt8] = []
        let timer: Timer
        let then: (String?) -> Void
    }

    private let loop: Loop
    private let byteLimit: Int
    private var pending: [UInt32: Pending] = [:]
    private var lastNumber: UInt32 = 0

    init(on loop: Loop, byteLimit: Int) {
        self.loop = loop
        self.byteLimit = byteLimit
    }

    var count: Int { pending.count }

    /// - Parameters:
    ///   - onTimeout: gets the number, for ``end(_:)``.
    ///   - then: called once with the answer; `nil`: there is none.
    /// - Returns: the question's number.
    mutating func add(
        timeout: Duration, onTimeout: @escaping (UInt32) -> Void,
        then: @escaping (String?) -> Void
    ) -> UInt32 {
        lastNumber &+= 1
        let number = lastNumber
        let timer = loop.makeTimer { onTimeout(number) }
        pending[number] = Pending(timer: timer, then: then)
        loop.schedule(timer, at: loop.currentTime + timeout)
        return number
    }

    /// - Returns: what is to be called, once the answer is complete or cannot be any more. A piece
    ///   for nobody came too late.
    mutating func take(
        _ piece: [UInt8], isLast: Bool, of number: UInt32
    ) -> (() -> Void)? {
        guard pending[number] != nil else { return nil }
        pending[number]?.bytes += piece
        let byteCount = pending[number]?.bytes.count ?? 0
        guard isLast || byteCount > byteLimit else { return nil }
        return end(number, isAnswered: byteCount <= byteLimit)
    }

    /// - Returns: what is to be called.
    mutating func end(_ number: UInt32, isAnswered: Bool = false) -> (() -> Void)? {
        guard let ended = pending.removeValue(forKey: number) else { return nil }
        loop.cancel(ended.timer)
        let answer = isAnswered ? String(validating: ended.bytes, as: UTF8.self) : nil
        return { ended.then(answer) }
    }

    /// - Returns: what is to be called.
    mutating func endAll() -> [() -> Void] { pending.keys.sorted().compactMap { end($0) } }
}
