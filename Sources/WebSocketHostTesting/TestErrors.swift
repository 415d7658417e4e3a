import HTTPProtocol
import WebSocketHost

/// A handshake that was not answered with 101.
public enum TestRejection: Error, Sendable, Hashable, CustomStringConvertible {
    /// - Parameter body: as text; the server's line end included.
    case response(Status, fields: Fields, body: String)
    /// TCP was closed and nothing was sent.
    case aborted

    /// `nil` if nothing was sent.
    public var status: Status? {
        if case .response(let status, _, _) = self { status } else { nil }
    }

    /// Empty if nothing was sent.
    public var fields: Fields {
        if case .response(_, let fields, _) = self { fields } else { Fields() }
    }

    /// Empty if nothing was sent.
    public var body: String {
        if case .response(_, _, let body) = self { body } else { "" }
    }

    public var description: String {
        switch self {
        case .response(let status, _, let body):
            "the handshake was answered with \(status.code): \(escaped(body))"
        case .aborted: "the handshake was not answered: TCP was closed"
        }
    }
}

/// What was expected, and what happened instead.
public struct TestFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// A sentence: `expected a message, but the server closed with 1011 "…"`.
    public let reason: String
    /// Where the test expected it: `MyTests/ChatTests.swift:12`.
    public let place: String

    public var description: String { "\(place): \(reason)" }
}

/// A line of a test.
struct TestPlace: Sendable {
    let fileID: String
    let line: Int

    func failure(_ reason: String) -> TestFailure {
        TestFailure(reason: reason, place: "\(fileID):\(line)")
    }
}
