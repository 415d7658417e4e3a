import EventLoop
import HTTPProtocol

/// What one proxy added to a request.
struct ForwardedHop: Sendable, Hashable {
    /// Who asked it; `nil` for `unknown` and all that is no address.
    var address: SocketAddress?
    var isSecure: Bool?
    var authority: String?

    /// In the order in which they were added.
    static func xForwarded(_ fields: Fields) -> [ForwardedHop] {
        let addresses = elements("X-Forwarded-For", fields)
        let schemes = elements("X-Forwarded-Proto", fields)
        let authorities = elements("X-Forwarded-Host", fields)
        return addresses.indices.map { index in
            ForwardedHop(
                address: address(addresses[index]),
                isSecure: element(schemes, index, of: addresses.count).flatMap(isSecure),
                authority: element(authorities, index, of: addresses.count).flatMap(authority))
        }
    }

    /// The element that belongs to an address, where proxies added one for each; otherwise the
    /// last one, which the nearest proxy wrote.
    private static func element(_ elements: [String], _ index: Int, of count: Int) -> String? {
        elements.count == count ? elements[index] : elements.last
    }

    private static func elements(_ name: String, _ fields: Fields) -> [String] {
        fields[name].flatMap(HeaderGrammar.elements(of:)) ?? []
    }

    /// RFC 7239 §4: `Forwarded = 1#forwarded-element`, `forwarded-element = [ forwarded-pair ] *(
    /// ";" [ forwarded-pair ] )`. A field that does not follow the grammar says nothing.
    static func forwarded(_ fields: Fields) -> [ForwardedHop] {
        var hops: [ForwardedHop] = []
        for element in elements("Forwarded", fields) {
            // The first pair stands where other fields have a name.
            guard let read = HeaderGrammar.parameterizedElements(of: "for;" + element)?.first else {
                return []
            }
            func value(_ name: String) -> String? {
                let all = read.parameters.filter {
                    HeaderGrammar.equalsIgnoringCase($0.name, name)
                }
                // "Each parameter MUST NOT occur more than once per field-value."
                return all.count == 1 ? all[0].value : nil
            }
            hops.append(
                ForwardedHop(
                    address: value("for").flatMap(address),
                    isSecure: value("proto").flatMap(isSecure),
                    authority: value("host").flatMap(authority)))
        }
        return hops
    }

    // MARK: - Values

    /// `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80`, and as some proxies write
    /// it `2001:db8::1`.
    static func address(_ text: String) -> SocketAddress? {
        if let address = SocketAddress(number: text, port: 0) { return address }
        if text.hasPrefix("[") {
            guard let end = text.lastIndex(of: "]"),
                let port = port(text[text.index(after: end)...])
            else { return nil }
            let number = text[..<end].dropFirst()
            // What stands in brackets is IPv6.
            return number.contains(":") ? SocketAddress(number: String(number), port: port) : nil
        }
        guard let colon = text.lastIndex(of: ":"), let port = port(text[colon...]),
            !text[..<colon].contains(":")
        else { return nil }
        return SocketAddress(number: String(text[..<colon]), port: port)
    }

    /// Of `:80`; 0 for nothing at all, and for a name that hides it (RFC 7239 §6.2: `_port`).
    private static func port(_ text: Substring) -> UInt16? {
        if text.isEmpty { return 0 }
        guard text.first == ":" else { return nil }
        let name = text.dropFirst()
        if name.first == "_" {
            return name.count > 1 && HeaderGrammar.isToken(String(name)) ? 0 : nil
        }
        return name.utf8.isDecimal ? UInt16(name) : nil
    }

    private static func isSecure(_ scheme: String) -> Bool? {
        switch scheme.lowercased() {
        case "https", "wss": true
        case "http", "ws": false
        default: nil
        }
    }

    private static func authority(_ text: String) -> String? { Authority(text) == nil ? nil : text }
}
