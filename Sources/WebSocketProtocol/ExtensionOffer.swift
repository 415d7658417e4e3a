import HTTPProtocol

/// One element of `Sec-WebSocket-Extensions`: what a client offers, or what a server accepted.
///
/// RFC 6455 §9.1: `extension = extension-token *( ";" extension-param )`.
public struct ExtensionOffer: Sendable, Hashable, CustomStringConvertible {
    /// `key=value`, or a key alone.
    public typealias Parameter = HTTPProtocol.Parameter

    /// `permessage-deflate`; case matters, as in the reference.
    public var name: String
    /// In order; the same name may come twice, which an extension should refuse.
    public var parameters: [Parameter]

    /// - Parameters:
    ///   - name: a token.
    ///   - parameters: their names and values are tokens. They are not checked, so that a test of a
    ///     client can send wrong ones; `Fields` still refuses line ends.
    public init(_ name: String, parameters: [Parameter] = []) {
        self.name = name
        self.parameters = parameters
    }

    /// `permessage-deflate; client_max_window_bits=10`.
    public var description: String {
        parameters.reduce(name) { text, parameter in
            "\(text); \(parameter.name)" + (parameter.value.map { "=\($0)" } ?? "")
        }
    }

    /// The extensions in one value of the field.
    ///
    /// RFC 6455 §9.1: "When using the quoted-string syntax variant, the value after quoted-string
    /// unescaping MUST conform to the 'token' ABNF."
    ///
    /// - Returns: `nil` if the value does not follow the grammar or names no extension.
    public static func parse(_ value: String) -> [ExtensionOffer]? {
        var offers: [ExtensionOffer] = []
        let isWellFormed = HeaderGrammar.forEachParameterizedElement(of: value) {
            name, parameters in
            offers.append(ExtensionOffer(name, parameters: parameters))
            return parameters.allSatisfy(hasTokenValue)
        }
        return isWellFormed && !offers.isEmpty ? offers : nil
    }

    /// The value of a field that names all of them, in order.
    public static func serialize(_ extensions: [ExtensionOffer]) -> String {
        extensions.map(\.description).joined(separator: ", ")
    }

    private static func hasTokenValue(_ parameter: Parameter) -> Bool {
        parameter.value.map { HeaderGrammar.isToken($0) } ?? true
    }
}
