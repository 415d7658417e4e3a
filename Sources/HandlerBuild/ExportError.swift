/// Why the compiler could not compile ``RegistrySource/export`` beside a handler file: the file
/// exports no handler.
enum ExportError: Equatable {
    /// There is a `handler`; this is where.
    case notPublic(Diagnostic.Place?, details: [String])
    case otherType(String)
    case function
    case mainActor(Diagnostic.Place?, details: [String])
    case missing

    /// - Parameter error: what the compiler wrote about the export file.
    init(_ error: Diagnostic) {
        let note = error.notes.first { if case .author = $0.place { true } else { false } }
        let text = error.message
        if text.contains("is internal and cannot be referenced")
            || text.contains("'handler' is inaccessible due to")
        {
            self = .notPublic(note?.place, details: note?.details ?? [])
        } else if text.hasPrefix("main actor-isolated ") {
            self = .mainActor(note?.place, details: note?.details ?? [])
        } else if text.hasPrefix(Self.typeIntroduction) {
            let type = text.dropFirst(Self.typeIntroduction.count).prefix { $0 != "'" }
            self = .otherType(String(type))
        } else if text.hasPrefix("function produces expected type ") {
            self = .function
        } else {
            self = .missing
        }
    }

    private static let typeIntroduction = "cannot convert return expression of type '"

    /// Whether it is true whatever else is wrong with the file.
    var isCertain: Bool {
        switch self {
        case .notPublic, .mainActor: true
        case .otherType, .function, .missing: false
        }
    }

    /// - Parameter path: of the handler file.
    func diagnostic(_ path: String) -> Diagnostic {
        let needed = "'public let handler = WebSocketHandler { … }'"
        var place: Diagnostic.Place?
        var details: [String] = []
        let reason: String
        switch self {
        case .notPublic(let declaration, let lines):
            (place, details) = (declaration, lines)
            reason = "'handler' is not public, it needs 'public let handler'"
        case .mainActor(let declaration, let lines):
            (place, details) = (declaration, lines)
            reason = "'handler' is isolated to the main actor, where handlers do not run"
        case .otherType(let type): reason = "'handler' is of type '\(type)', it needs \(needed)"
        case .function: reason = "'handler' is a function, it needs \(needed)"
        case .missing: reason = "it needs \(needed)"
        }
        return Diagnostic(
            .error, at: place ?? .author(path, line: 1, column: 1),
            "the file exports no handler: \(reason)", details: details)
    }
}
