import WebSocketConnection
import WebSocketProtocol

/// What is wrong with JSON that came, or with a value that is to be sent as JSON: where, what was
/// expected and what was found.
///
/// `.user.address[2].zip (byte 71): expected a string, found a number`
///
/// If it leaves a handler, the connection is closed with ``close``.
public struct JSONError: ClosingError, Hashable, CustomStringConvertible {
    public enum Problem: Sendable, Hashable {
        /// The message is no JSON (RFC 8259), or its bytes are no UTF-8.
        case syntax
        /// Arrays and objects lie more than ``JSONError/depthLimit`` deep in each other.
        case tooDeep
        /// An object has a key twice. RFC 8259 §4 leaves open which of the values counts.
        case duplicateKey
        /// It is JSON, but not what the type needs: another kind of value, a key that is missing,
        /// a number that does not fit, or what a type's own `init(from:)` refuses.
        case mismatch
        /// A value that was to be sent has no form in JSON, such as a number that is not finite.
        case notEncodable
    }

    /// 128: more than messages have, and far less than fills the stack of a thread with the calls
    /// that decode it.
    public static let depthLimit = 128

    public let problem: Problem
    /// `.user.address[2].zip`; `.` is the whole message. Keys of the client's are in it: write it
    /// with `escaped(_:)`, as the server's log does.
    public let path: String
    /// In bytes from the start of the message; `nil` for what is sent, or if a decoder of your own
    /// did not tell.
    public let offset: Int?
    public let expected: String
    /// Empty if that says nothing more.
    public let found: String

    public init(
        _ problem: Problem, path: String = ".", offset: Int? = nil, expected: String,
        found: String = ""
    ) {
        self.problem = problem
        self.path = path
        self.offset = offset
        self.expected = expected
        self.found = found
    }

    public var description: String {
        let place = offset.map { "\(path) (byte \($0))" } ?? path
        return "\(place): expected \(expected)" + (found.isEmpty ? "" : ", found \(found)")
    }

    /// The Close for the client, with the description as its reason, as far as that fits.
    ///
    /// | ``problem`` | code (RFC 6455 §7.4.1) |
    /// |---|---|
    /// | `syntax`, `tooDeep`, `duplicateKey` | 1007: the data are not what they should be |
    /// | `mismatch` | 1003: data of a type that the handler does not accept |
    /// | `notEncodable` | 1011, without a reason: the server's own fault |
    public var close: Close {
        switch problem {
        case .syntax, .tooDeep, .duplicateKey: Close(.invalidFramePayloadData, cutting: description)
        case .mismatch: Close(.unsupportedData, cutting: description)
        case .notEncodable: Close(.internalError)
        }
    }
}

// MARK: - From the errors of Codable

extension JSONError {
    /// What a decoder, or a type's own `init(from:)`, has thrown.
    init(_ error: DecodingError) {
        let context: DecodingError.Context
        switch error {
        case .typeMismatch(_, let about), .valueNotFound(_, let about), .dataCorrupted(let about):
            context = about
        case .keyNotFound(let key, let about):
            self =
                about.underlyingError as? JSONError
                ?? JSONError(
                    .mismatch, path: Self.path(about.codingPath + [key]), expected: "a value",
                    found: "nothing")
            return
        @unknown default:
            self.init(.mismatch, expected: "something else")
            return
        }
        if let own = context.underlyingError as? JSONError {
            self = own
        } else {
            self.init(
                .mismatch, path: Self.path(context.codingPath), expected: "another value",
                found: context.debugDescription)
        }
    }

    init(_ error: EncodingError) {
        guard case .invalidValue(let value, let context) = error else {
            self.init(.notEncodable, expected: "another value")
            return
        }
        self =
            context.underlyingError as? JSONError
            ?? JSONError(
                .notEncodable, path: Self.path(context.codingPath),
                expected: "a value that has a form in JSON", found: "\(value)")
    }

    static func path(_ keys: [any CodingKey]) -> String {
        let text = keys.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        return text.isEmpty ? "." : text
    }
}
