import HTTPProtocol

/// The negotiated parameters (RFC 7692 §7.1).
public struct DeflateParameters: Sendable, Hashable {
    /// Whether the server's messages refer to no earlier ones (§7.1.1.1).
    public var serverNoContextTakeover = false
    /// Whether the client's messages refer to no earlier ones (§7.1.1.2).
    public var clientNoContextTakeover = false
    /// 8…15: the base-2 logarithm of the window that the server compresses with (§7.1.2.1).
    public var serverMaxWindowBits: Int {
        get { Int(serverBits) }
        set { serverBits = UInt8(clamping: newValue) }
    }
    /// 8…15: the base-2 logarithm of the window that the client compresses with (§7.1.2.2).
    public var clientMaxWindowBits: Int {
        get { Int(clientBits) }
        set { clientBits = UInt8(clamping: newValue) }
    }
    private var serverBits: UInt8 = 15
    private var clientBits: UInt8 = 15

    public init() {}

    /// 8…15: the largest window that this side may compress with.
    public func deflateWindowBits(_ role: Role) -> Int {
        role == .server ? serverMaxWindowBits : clientMaxWindowBits
    }

    /// 8…15: the largest window that this side needs for what the peer sends.
    public func inflateWindowBits(_ role: Role) -> Int {
        role == .server ? clientMaxWindowBits : serverMaxWindowBits
    }

    /// Whether this side's messages may refer to its earlier ones.
    public func deflateKeepsContext(_ role: Role) -> Bool {
        !(role == .server ? serverNoContextTakeover : clientNoContextTakeover)
    }

    /// Whether the peer's messages may refer to its earlier ones.
    public func inflateKeepsContext(_ role: Role) -> Bool {
        !(role == .server ? clientNoContextTakeover : serverNoContextTakeover)
    }
}

/// The negotiation of permessage-deflate (RFC 7692 §5, §7.1), for either side.
public enum PermessageDeflate {
    public static let name = "permessage-deflate"

    /// Server: accepts the first offer that can be met, in the client's order of preference.
    ///
    /// §5.1: an offer with a parameter that is unknown, that comes twice or whose value is not
    /// allowed is declined, and the next one is tried.
    ///
    /// - Parameters:
    ///   - offers: all offers of the client; other extensions are ignored.
    ///   - settings: `mode` and, for `dedicated`, `windowBits` are used here.
    /// - Returns: `nil` if no offer can be accepted; messages are uncompressed then.
    public static func accept(
        _ offers: [ExtensionOffer], _ settings: CompressionSettings
    ) -> (answer: ExtensionOffer, parameters: DeflateParameters)? {
        guard settings.mode != .off else { return nil }
        for offer in offers {
            guard let terms = DeflateTerms(offer, isOffer: true) else { continue }
            let answer = settings.mode == .shared ? shared(terms) : dedicated(terms, settings)
            return (answer.element, answer.parameters)
        }
        return nil
    }

    /// Client: the offers, best first; none if compression is off.
    ///
    /// All of them offer `client_max_window_bits`, without which a server could not ask for a
    /// smaller window (§7.1.2.2).
    public static func offers(_ settings: CompressionSettings) -> [ExtensionOffer] {
        var terms = DeflateTerms()
        terms.clientMaxWindowBits = 15
        switch settings.mode {
        case .off:
            return []
        case .shared:
            terms.serverNoContextTakeover = true
            terms.clientNoContextTakeover = true
            return [terms.element]
        case .dedicated:
            let windowBits = settings.keptWindowBits
            guard windowBits < 15 else { return [terms.element] }
            terms.clientMaxWindowBits = windowBits
            // For a server that cannot choose its window: without context no window is kept.
            var fallback = terms
            fallback.serverNoContextTakeover = true
            terms.serverMaxWindowBits = windowBits
            return [terms.element, fallback.element]
        }
    }

    /// Client: checks the server's response against the offers.
    ///
    /// §5.1 and §7.1: the client MUST fail the connection for an answer with a parameter that is
    /// unknown, comes twice or whose value is not allowed, and for one that answers no offer.
    ///
    /// - Throws: ``HandshakeError/unofferedExtension(_:)`` or
    ///   ``HandshakeError/invalidExtensionAnswer(_:)``.
    public static func check(
        _ answer: ExtensionOffer, offered: [ExtensionOffer]
    ) throws(HandshakeError) -> DeflateParameters {
        guard answer.name == name, offered.contains(where: { $0.name == name }) else {
            throw .unofferedExtension(answer.name)
        }
        if let terms = DeflateTerms(answer, isOffer: false) {
            for offer in offered.compactMap({ DeflateTerms($0, isOffer: true) })
            where terms.answers(offer) {
                var parameters = terms.parameters
                // What the client announced about itself holds without a response (§7.1.1.2,
                // §7.1.2.2).
                if offer.clientNoContextTakeover { parameters.clientNoContextTakeover = true }
                parameters.clientMaxWindowBits = min(
                    parameters.clientMaxWindowBits, offer.clientMaxWindowBits ?? 15)
                return parameters
            }
        }
        throw .invalidExtensionAnswer(answer.description)
    }

    /// A server may ask for no context takeover in both directions whatever was offered (§7.1.1).
    private static func shared(_ offer: DeflateTerms) -> DeflateTerms {
        var answer = DeflateTerms()
        answer.serverNoContextTakeover = true
        answer.clientNoContextTakeover = true
        answer.serverMaxWindowBits = offer.serverMaxWindowBits
        return answer
    }

    private static func dedicated(
        _ offer: DeflateTerms, _ settings: CompressionSettings
    ) -> DeflateTerms {
        let windowBits = settings.keptWindowBits
        var answer = DeflateTerms()
        answer.serverNoContextTakeover = offer.serverNoContextTakeover
        answer.clientNoContextTakeover = offer.clientNoContextTakeover
        if offer.serverMaxWindowBits != nil || windowBits < 15 {
            answer.serverMaxWindowBits = min(offer.serverMaxWindowBits ?? 15, windowBits)
        }
        if let offeredBits = offer.clientMaxWindowBits {
            let bits = min(offeredBits, windowBits)
            answer.clientMaxWindowBits = bits < 15 ? bits : nil
        } else if windowBits < 15 {
            // §7.1.2.2 forbids asking for a window then, so no context is kept instead.
            answer.clientNoContextTakeover = true
        }
        return answer
    }
}

/// The parameters of one offer or response, each at most once (RFC 7692 §7.1).
private struct DeflateTerms {
    var serverNoContextTakeover = false
    var clientNoContextTakeover = false
    var serverMaxWindowBits: Int?
    /// 15 for an offer without a value, which allows any window (§7.1.2.2).
    var clientMaxWindowBits: Int?

    init() {}

    /// - Returns: `nil` if it is another extension or if a parameter is unknown, comes twice or has
    ///   a value that is not allowed.
    init?(_ element: ExtensionOffer, isOffer: Bool) {
        guard element.name == PermessageDeflate.name else { return nil }
        var seen: Set<String> = []
        for parameter in element.parameters {
            guard seen.insert(parameter.name).inserted,
                read(parameter, isOffer: isOffer)
            else { return nil }
        }
    }

    private mutating func read(_ parameter: ExtensionOffer.Parameter, isOffer: Bool) -> Bool {
        switch (parameter.name, parameter.value) {
        case ("server_no_context_takeover", nil):
            serverNoContextTakeover = true
        case ("client_no_context_takeover", nil):
            clientNoContextTakeover = true
        case ("server_max_window_bits", let value?):
            serverMaxWindowBits = Self.windowBits(value)
            return serverMaxWindowBits != nil
        case ("client_max_window_bits", let value?):
            clientMaxWindowBits = Self.windowBits(value)
            return clientMaxWindowBits != nil
        case ("client_max_window_bits", nil) where isOffer:
            clientMaxWindowBits = 15
        default:
            return false
        }
        return true
    }

    /// §7.1.2.1: "a decimal integer value without leading zeroes between 8 to 15, inclusive".
    private static func windowBits(_ value: String) -> Int? {
        (8...15).first { String($0) == value }
    }

    /// Whether these parameters are a valid response to the offer (§7.1).
    func answers(_ offer: DeflateTerms) -> Bool {
        if offer.serverNoContextTakeover && !serverNoContextTakeover { return false }
        if let offeredBits = offer.serverMaxWindowBits {
            guard let serverMaxWindowBits, serverMaxWindowBits <= offeredBits else { return false }
        }
        if let clientMaxWindowBits {
            guard let offeredBits = offer.clientMaxWindowBits else { return false }
            return clientMaxWindowBits <= offeredBits
        }
        return true
    }

    var parameters: DeflateParameters {
        var parameters = DeflateParameters()
        parameters.serverNoContextTakeover = serverNoContextTakeover
        parameters.clientNoContextTakeover = clientNoContextTakeover
        parameters.serverMaxWindowBits = serverMaxWindowBits ?? 15
        parameters.clientMaxWindowBits = clientMaxWindowBits ?? 15
        return parameters
    }

    /// The element of `Sec-WebSocket-Extensions`. `client_max_window_bits` of 15 is written without
    /// a value: only an offer has it, and there both mean the same.
    var element: ExtensionOffer {
        var element = ExtensionOffer(PermessageDeflate.name)
        if serverNoContextTakeover {
            element.parameters.append(.init("server_no_context_takeover"))
        }
        if clientNoContextTakeover {
            element.parameters.append(.init("client_no_context_takeover"))
        }
        if let serverMaxWindowBits {
            element.parameters.append(.init("server_max_window_bits", "\(serverMaxWindowBits)"))
        }
        if let clientMaxWindowBits {
            let value = clientMaxWindowBits < 15 ? "\(clientMaxWindowBits)" : nil
            element.parameters.append(.init("client_max_window_bits", value))
        }
        return element
    }
}
