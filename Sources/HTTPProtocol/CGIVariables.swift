/// What a request's header is to a program (RFC 3875 §4.1.18).
package enum CGIVariables {
    /// What another variable has, or belongs to the connection.
    package static let ofContentAndConnection: Set<String> = [
        "content-length", "content-type", "connection", "keep-alive", "te", "trailer",
        "transfer-encoding", "upgrade", "expect",
    ]
    /// Passwords and what stands for them: for the server that asked for them.
    package static let ofCredentials: Set<String> = ["authorization", "proxy-authorization"]

    /// `HTTP_` and the field's name in capitals, with its value.
    ///
    /// Always left out are: `Proxy`, which would be taken for the setting `HTTP_PROXY`
    /// (CVE-2016-5385); and names with other characters than letters, digits and hyphens, since
    /// `X_A` and `X-A` would become the same.
    ///
    /// - Parameter hidden: names in small letters.
    package static func ofFields(
        _ fields: Fields, without hidden: Set<String>
    ) -> [(name: String, value: String)] {
        var seen: Set<String> = ["proxy"]
        return fields.compactMap { field in
            let name = field.name.lowercased()
            guard !hidden.contains(name), name.utf8.allSatisfy(isPlain), seen.insert(name).inserted,
                let value = value(of: name, fields)
            else { return nil }
            let variable = String(name.uppercased().map { $0 == "-" ? "_" : $0 })
            return ("HTTP_" + variable, value)
        }
    }

    private static func value(of name: String, _ fields: Fields) -> String? {
        // RFC 6265 §5.4 allows one line; two are joined as HTTP/2 does.
        name == "cookie" ? fields.values(of: name).joined(separator: "; ") : fields[name]
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"):
            true
        default:
            false
        }
    }
}
