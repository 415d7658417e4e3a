import EventLoop

/// The other server processes of the same supervisor, on the control loop's thread.
package protocol OtherProcesses: AnyObject {
    /// Those that can be asked.
    var numbers: [UInt64] { get }
    /// Asks one what ``Server/answer(question:then:)`` answers there.
    ///
    /// - Parameter then: called once, within ``AdminSettings/processTimeout``; `nil`: no answer.
    func ask(_ process: UInt64, _ question: String, then: @escaping (_ answer: String?) -> Void)
}

/// Which of several processes a server is.
package struct ServerIdentity: Sendable {
    /// Of the program.
    package var version: String
    /// That of the process; 1 if there is but one.
    package var processNumber: UInt64
    /// When the server began, which may be an earlier process.
    package var began: MonotonicTime

    package init(version: String = "", processNumber: UInt64 = 1, began: MonotonicTime) {
        self.version = version
        self.processNumber = processNumber
        self.began = began
    }
}

/// What the process that the owner asks asks the others, as text between them.
///
/// | question | answer |
/// |---|---|
/// | `connections` QUERY | ``ConnectionListing`` |
/// | `kick` NUMBER CODE REASON | ``KickOutcome`` |
/// | `status` | ``ProcessStatus`` |
enum ProcessQuestion: Hashable, Sendable {
    case connections(query: String)
    case kick(number: UInt64, code: UInt16, reason: String)
    case status

    var text: String {
        switch self {
        case .connections(let query): "connections\t\(query)"
        case .kick(let number, let code, let reason): "kick\t\(number)\t\(code)\t\(reason)"
        case .status: "status"
        }
    }

    /// - Returns: `nil` for an unknown one: the other process may have another version.
    init?(_ text: String) {
        let words = text.split(separator: "\t", maxSplits: 3, omittingEmptySubsequences: false)
        switch (words[0], words.count) {
        case ("connections", 2): self = .connections(query: String(words[1]))
        case ("kick", 4):
            guard let number = UInt64(words[1]), let code = UInt16(words[2]) else { return nil }
            self = .kick(number: number, code: code, reason: String(words[3]))
        case ("status", 1): self = .status
        default: return nil
        }
    }
}

/// What came of the wish to close a connection.
enum KickOutcome: Hashable, Sendable {
    case closing
    case unknown
    /// It may be on one of these loops, which are blocked.
    case missing(String)

    var text: String {
        switch self {
        case .closing: "closing"
        case .unknown: "unknown"
        case .missing(let names): "missing\t\(names)"
        }
    }

    init?(text: String) {
        let words = text.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
        switch (words[0], words.count) {
        case ("closing", 1): self = .closing
        case ("unknown", 1): self = .unknown
        case ("missing", 2): self = .missing(String(words[1]))
        default: return nil
        }
    }
}
