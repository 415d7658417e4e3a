/// A program in a handlers directory: an executable file `…_wsh`, in any language.
///
/// | file                 | answers | runs                             | a message is          |
/// | -------------------- | ------- | -------------------------------- | --------------------- |
/// | `NAME_wsh`           | `/NAME` | for each connection              | a line                |
/// | `NAME_binary_wsh`    | `/NAME` | for each connection              | a length and bytes    |
/// | `NAME_bytes_wsh`     | `/NAME` | for each connection              | bytes as they come    |
/// | `NAME_shared_wsh`    | `/NAME` | once, while anybody is connected | a line                |
package struct ProgramFile: Sendable, Hashable {
    package enum Kind: String, CaseIterable, Sendable {
        case lines = ""
        case lengthPrefixed = "_binary"
        case bytes = "_bytes"
        case shared = "_shared"
    }

    /// Below the handlers directory, `sub/count_wsh`.
    package let path: String
    package let kind: Kind
    /// `/sub/count`
    package let route: String

    private static let suffix = "_wsh"

    /// - Returns: `nil` if the name is not one of a program.
    package init?(path: String) {
        guard path.utf8.suffix(4).elementsEqual(Self.suffix.utf8) else { return nil }
        // By bytes: what stands before "_" may make one character of both.
        let stem = path.utf8.dropLast(4)
        let kind =
            Kind.allCases.first { kind in
                let mark = kind.rawValue.utf8
                return kind != .lines && stem.suffix(mark.count).elementsEqual(mark)
            } ?? .lines
        self.path = path
        self.kind = kind
        route = "/" + String(Substring(stem.dropLast(kind.rawValue.utf8.count)))
    }
}
