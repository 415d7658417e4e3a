import CommandLineOptions
import WebSocketHost

extension Values {
    /// `any`, `same`, or a list of origins separated by commas.
    static func origins(_ text: String, _ option: String) throws(UsageError) -> AllowedOrigins {
        switch text.lowercased() {
        case "any", "*": return .any
        case "same": return .same
        default:
            let origins = text.split(separator: ",").map(String.init)
            for origin in origins where origin != "null" && !isOrigin(origin) {
                throw UsageError(
                    "\(option): '\(escaped(origin))' is no origin: write https://example.com, "
                        + "without a path, or 'same' or 'any'")
            }
            guard !origins.isEmpty else { throw UsageError("\(option): no origin given") }
            return .list(origins)
        }
    }

    /// scheme "://" host [":" port], RFC 6454 §6.2.
    private static func isOrigin(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0].count > 1 && parts[0].hasSuffix(":") && parts[1].isEmpty
            && !parts[2].isEmpty
    }
}
