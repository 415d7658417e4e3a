import HTTPProtocol

/// Thrown by `doExtraHandshake` to answer with something else than 101.
public enum HandshakeRejection: Error, Sendable, Hashable {
    /// - Parameter body: plain text; empty: the reason phrase.
    case response(Status, fields: Fields = Fields(), body: String = "")
    /// Closes TCP and sends nothing.
    case abort

    public init(_ status: Status, fields: Fields = Fields(), body: String = "") {
        self = .response(status, fields: fields, body: body)
    }

    /// - Parameters:
    ///   - location: the `Location` to go to.
    ///   - status: 302 by default.
    /// - Throws: if the location cannot stand in a field.
    public static func redirect(
        to location: String, _ status: Status = .found
    ) throws(FieldError) -> Self {
        var fields = Fields()
        try fields.append("Location", location)
        return .response(status, fields: fields)
    }
}
