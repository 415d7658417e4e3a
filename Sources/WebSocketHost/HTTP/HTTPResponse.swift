import HTTPProtocol
import HTTPServer

/// What the hook `http` of a handler answers.
///
/// The server adds `Date`, `Content-Length` and `Connection`, and leaves out what a handler sets of
/// these: they say where the next answer on the connection begins. An answer to `HEAD` is sent
/// without its body, and with its length (RFC 9110 §9.3.2).
public struct HTTPResponse: Sendable, Hashable {
    /// 200…999.
    public var status: Status
    /// Without a `Content-Type`, a body has `application/octet-stream`.
    public var fields: Fields
    /// Not sent with 204 and 304, which have none.
    public var body: [UInt8]

    public init(_ status: Status = .ok, fields: Fields = Fields(), body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    private init(_ status: Status, _ type: String, _ body: [UInt8]) {
        self.init(status, body: body)
        fields.add("Content-Type", type)
    }

    /// Plain text, as UTF-8.
    public static func text(_ text: String, _ status: Status = .ok) -> Self {
        Self(status, "text/plain; charset=utf-8", Array(text.utf8))
    }

    /// A page, as UTF-8.
    public static func html(_ text: String, _ status: Status = .ok) -> Self {
        Self(status, "text/html; charset=utf-8", Array(text.utf8))
    }

    /// Text that is JSON already.
    public static func json(_ text: String, _ status: Status = .ok) -> Self {
        Self(status, "application/json", Array(text.utf8))
    }

    /// - Parameter type: the `Content-Type`; one that cannot stand in a field is left out.
    public static func bytes(
        _ bytes: [UInt8], type: String = "application/octet-stream", _ status: Status = .ok
    ) -> Self {
        Self(status, type, bytes)
    }

    /// 405 with the methods that are allowed (RFC 9110 §15.5.6), as in
    /// `.methodNotAllowed("GET", "POST")`.
    public static func methodNotAllowed(_ allowed: String...) -> Self {
        var response = text("Only \(allowed.joined(separator: ", ")).\n", .methodNotAllowed)
        response.fields.add("Allow", allowed.joined(separator: ", "))
        return response
    }

    /// `nil` for a status that is no answer (RFC 9110 §15.2).
    var answer: Response? {
        guard status.code >= 200 else { return nil }
        return Response(status, handlerFields: fields, body: body)
    }
}
