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
            for origin in origins
            where origin != "null" && !AllowedOrigins.isOrigin(origin) {
                throw UsageError(
                    "\(option): '\(escaped(origin))' is not an origin: write https://example.com, "
                        + "without a path, or 'same' or 'any'")
            }
            guard !origins.isEmpty else { throw UsageError("\(option): no origin given") }
            return .list(origins)
        }
    }
}
