import HTTPProtocol
import HTTPServer

/// Thrown by `doExtraHandshake` to answer with something else than 101, and by `http` to
/// answer from within.
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

    /// `nil`: there is none.
    var answer: Response? {
        guard case .response(let status, let fields, let body) = self else { return nil }
        let text = body.isEmpty ? status.reasonPhrase : body
        return Response(
            status, handlerFields: fields, body: Array((text + "\n").utf8),
            type: "text/plain; charset=utf-8")
    }
}

extension Exchange {
    /// Answers as the rejection says, or closes the connection.
    func respond(_ rejection: HandshakeRejection, to request: Request) {
        if let answer = rejection.answer { return respond(answer, to: request) }
        logRefusal(HandshakeRefusal("closed without an answer"), of: request, nil)
        if request.isUpgrade { owner.onRefusedUpgrade(request, nil) }
        close()
    }
}
