import EventLoop
import WebSocketConnection
import WebSocketProtocol

// The connections of this process, for its owner. On the control loop's thread.

extension Server {
    /// Lists those of all loops.
    func listOwnConnections(
        _ query: ConnectionQuery, then: @escaping (ConnectionListing) -> Void
    ) {
        let workers = allWorkers
        let process = identity.processNumber
        let gathering = Gathering<ConnectionListing>(
            from: loopNames, on: control.loop, timeout: configuration.admin.loopTimeout
        ) { parts, missing in
            var all = ConnectionListing()
            for part in parts { all.add(part, limit: query.limit) }
            all.missing = missing
            then(all)
        }
        for (index, worker) in workers.enumerated() {
            let found = FoundConnections(query, process: process)
            worker.visitConnections({ found.add($0) }) { [control] in
                control.loop.submit { gathering.give(found.listing, from: index) }
            }
        }
    }

    /// Sends a Close to one.
    func kickOwn(_ number: UInt64, _ close: Close, then: @escaping (KickOutcome) -> Void) {
        let gathering = Gathering<Bool>(
            from: loopNames, on: control.loop, timeout: configuration.admin.loopTimeout
        ) { parts, missing in
            if parts.contains(true) { return then(.closing) }
            then(missing.isEmpty ? .unknown : .missing(missing.joined(separator: ", ")))
        }
        for (index, worker) in allWorkers.enumerated() {
            let isFound = FoundMark()
            worker.visitConnections({ connection in
                guard connection.number == number else { return true }
                connection.sendClose(close)
                isFound.value = true
                return false
            }) { [control] in
                control.loop.submit {
                    gathering.give(isFound.value, from: index)
                    if isFound.value { gathering.end() }
                }
            }
        }
    }

    private var loopNames: [String] {
        allWorkers.indices.map {
            "event loop \($0) of server process \(identity.processNumber), which is blocked"
        }
    }

    /// What another process asks: a ``ProcessQuestion``.
    ///
    /// - Parameter then: called once, within ``AdminSettings/loopTimeout``; empty: it is not
    ///   understood.
    package func answer(question: String, then: @escaping (_ answer: String) -> Void) {
        switch ProcessQuestion(question) {
        case .connections(let text):
            guard let query = try? ConnectionQuery(text) else { return then("") }
            listOwnConnections(query) { then($0.text) }
        case .kick(let number, let code, let reason):
            let close = Close(CloseCode(rawValue: code), reason: reason)
            guard close.isSendable else { return then("") }
            kickOwn(number, close) { then($0.text) }
        case .status: then(ownStatus.text)
        case nil: then("")
        }
    }
}

/// Set on one thread, read on the next.
///
/// `@unchecked Sendable`: it belongs to one thread at a time, which hands it over to the next.
private final class FoundMark: @unchecked Sendable { var value = false }

/// What was found on one loop.
///
/// `@unchecked Sendable`: it belongs to one thread at a time, which hands it over to the next.
private final class FoundConnections: @unchecked Sendable {
    private(set) var listing = ConnectionListing()
    private let query: ConnectionQuery
    private let process: UInt64
    private var byteCount = 0
    /// One that was visited twice is listed once.
    private var numbers: Set<UInt64> = []

    init(_ query: ConnectionQuery, process: UInt64) {
        self.query = query
        self.process = process
    }

    /// - Returns: false once it is full.
    func add(_ connection: Connection) -> Bool {
        guard query.matches(connection), numbers.insert(connection.number).inserted else {
            return true
        }
        guard listing.entries.count < query.limit, byteCount < ConnectionListing.byteLimit else {
            listing.isCut = true
            return false
        }
        let entry = connection.summary.json(process: process)
        byteCount += entry.utf8.count
        listing.entries.append(entry)
        return true
    }
}

// MARK: - Of all processes

extension Server {
    /// Lists those of all processes.
    ///
    /// - Parameter text: the query, for other processes.
    func listConnections(
        _ query: ConnectionQuery, _ text: String, then: @escaping (ConnectionListing) -> Void
    ) {
        askAll(
            .connections(query: text), own: { self.listOwnConnections(query, then: $0) },
            other: { ConnectionListing(text: $0) }
        ) { parts, missing in
            var all = ConnectionListing()
            for part in parts { all.add(part, limit: query.limit) }
            all.missing += missing
            then(all)
        }
    }

    /// Sends a Close to a connection of any process.
    func kick(
        _ number: UInt64, ofProcess process: UInt64, _ close: Close,
        then: @escaping (KickOutcome) -> Void
    ) {
        if process == identity.processNumber { return kickOwn(number, close, then: then) }
        guard let others = control.others, others.numbers.contains(process) else {
            return then(.unknown)
        }
        let question = ProcessQuestion.kick(
            number: number, code: close.code?.rawValue ?? 0, reason: close.reason)
        others.ask(process, question.text) { answer in
            then(
                answer.flatMap { KickOutcome(text: $0) } ?? .missing(Self.processName(process)))
        }
    }

    /// Asks this process and the others.
    func askAll<Part>(
        _ question: ProcessQuestion, own: (@escaping (Part) -> Void) -> Void,
        other: @escaping (String) -> Part?,
        then: @escaping (_ parts: [Part], _ missing: [String]) -> Void
    ) {
        let others = control.others?.numbers ?? []
        let gathering = Gathering<Part>(
            from: ([identity.processNumber] + others).map(Self.processName), on: control.loop,
            timeout: configuration.admin.processTimeout, onEnd: then)
        own { gathering.give($0, from: 0) }
        for (index, process) in others.enumerated() {
            control.others?.ask(process, question.text) { answer in
                gathering.give(answer.flatMap(other), from: index + 1)
            }
        }
    }

    private static func processName(_ number: UInt64) -> String {
        "server process \(number), which does not answer"
    }
}
