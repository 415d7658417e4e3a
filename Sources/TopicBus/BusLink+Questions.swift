import EventLoop

// What one process asks another, beside topics: its text goes over the same link, and so does the
// answer, in pieces.

extension BusLink {
    /// Asks the other process.
    ///
    /// - Parameter then: called once, within ``BusSettings/questionTimeout``; `nil`: there is no
    ///   answer.
    func ask(_ question: String, then: @escaping (String?) -> Void) {
        guard isOpen, answers.count < bus.settings.questionLimit else { return then(nil) }
        let number = answers.add(
            timeout: bus.settings.questionTimeout,
            onTimeout: { [weak self] in self?.answers.end($0)?() }, then: then)
        write(.question(number: number, question))
    }

    /// The other process asks.
    func received(question: String, _ number: UInt32) {
        bus.onQuestion(question) { [weak self] in self?.answer(number, Array($0.utf8)) }
    }

    /// Not to a process that does not read: it does not wait any more.
    private func answer(_ number: UInt32, _ bytes: [UInt8]) {
        guard isOpen, stream.queuedByteCount <= bus.settings.queueByteLimit else { return }
        var rest = bytes[...]
        repeat {
            let piece = rest.prefix(Self.answerPieceByteCount)
            rest = rest.dropFirst(piece.count)
            write(.answer(number: number, isLast: rest.isEmpty, Array(piece)))
        } while !rest.isEmpty
    }

    /// 64 KiB.
    private static let answerPieceByteCount = 65_536
}

// MARK: - The bus

extension TopicBus {
    /// The processes that can be asked.
    package var askable: [UInt64] { links.compactMap(\.openProcess) }

    /// Asks another process what its ``onQuestion`` answers. On the loop's thread.
    ///
    /// - Parameter then: called once, on the loop's thread; `nil`: no answer came in time.
    package func ask(
        _ process: UInt64, _ question: String, then: @escaping (_ answer: String?) -> Void
    ) {
        guard let link = links.first(where: { $0.openProcess == process }) else { return then(nil) }
        link.ask(question, then: then)
    }
}
