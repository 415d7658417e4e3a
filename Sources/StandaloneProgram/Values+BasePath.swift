import CommandLineOptions
import HTTPProtocol
import WebSocketHost

extension Values {
    /// `nil`: `/`, which is the same as none.
    static func basePath(_ text: String, _ option: String) throws(UsageError) -> BasePath? {
        if text == "/" { return nil }
        guard let base = BasePath(text) else {
            throw UsageError(
                "\(option): '\(escaped(text, limit: 200))' is not a path such as /chat or /a/b: "
                    + "not encoded, without ?, # and empty parts, at most \(BasePath.byteLimit) "
                    + "bytes")
        }
        return base
    }
}
