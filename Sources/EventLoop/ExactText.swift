import Glibc

/// Text that is equal to other text if all bytes are: a path, a name of a file or a user, a route.
///
/// Two texts are equal to Swift, and one key of a dictionary, if Unicode calls them canonically
/// equivalent: "é" is one scalar or two, and U+212B is "Å". To the kernel, to HTTP and to a list of
/// passwords these are different names, and who mixes them up opens, serves or admits what he did
/// not check. `hasPrefix`, `hasSuffix` and `split` by characters have the same trap: a combining
/// mark behind a slash makes another character of it.
package struct ExactText: Sendable, Hashable, ExpressibleByStringLiteral {
    package let text: String

    package init(_ text: String) { self.text = text }

    package init(stringLiteral text: String) { self.text = text }

    package static func == (first: Self, second: Self) -> Bool {
        // Every request looks for its route: `elementsEqual` takes some 700 instructions for that.
        var (first, second) = (first.text, second.text)
        return first.withUTF8 { first in
            second.withUTF8 { second in
                guard first.count == second.count else { return false }
                guard let start = first.baseAddress, let other = second.baseAddress else {
                    return true
                }
                return memcmp(start, other, first.count) == 0
            }
        }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(text.utf8.count)
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension StringProtocol {
    /// Whether all bytes are equal; see ``ExactText``.
    package func isExactly(_ other: some StringProtocol) -> Bool {
        utf8.elementsEqual(other.utf8)
    }

    /// `hasPrefix`, by bytes; see ``ExactText``.
    package func beginsExactly(with prefix: some StringProtocol) -> Bool {
        utf8.starts(with: prefix.utf8)
    }

    /// `hasSuffix`, by bytes; see ``ExactText``.
    package func endsExactly(with suffix: some StringProtocol) -> Bool {
        utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }
}
