import CCrypt
import Glibc

/// A hash of crypt(5), of the kinds that it calls good: bcrypt, SHA-crypt with 256 and 512 bits,
/// yescrypt.
struct PasswordHash: Sendable {
    let text: String
    /// About how long one like it takes to compute, in nanoseconds: to compare it with others.
    let cost: Double

    private enum Kind {
        case bcrypt, sha256, sha512, yescrypt
    }

    private static let prefixes: [(String, Kind)] = [
        ("$2b$", .bcrypt), ("$2y$", .bcrypt), ("$2a$", .bcrypt), ("$5$", .sha256),
        ("$6$", .sha512), ("$y$", .yescrypt),
    ]

    /// - Returns: `nil` if it is of another kind, or does not look whole: to find out for certain
    ///   would take seconds for many users.
    init?(_ text: String) {
        guard
            let kind = Self.prefixes.first(where: { text.utf8.starts(with: $0.0.utf8) })?.1,
            crypt_checksalt(text) != CRYPT_SALT_INVALID
        else { return nil }
        // Without the empty one before the first "$".
        let parts = text.utf8.split(separator: UInt8(ascii: "$")).map { Array($0) }
        guard parts.count >= 2, let last = parts.last else { return nil }
        switch kind {
        case .sha256: guard last.count == 43 else { return nil }
        case .sha512: guard last.count == 86 else { return nil }
        case .yescrypt: guard parts.count == 4, last.count == 43 else { return nil }
        case .bcrypt:
            guard text.utf8.count == 60, parts.count == 3,
                let cost = Self.number(parts[1]), (4...31).contains(cost)
            else { return nil }
        }
        self.text = text
        cost = Self.cost(kind, parameters: parts[1])
    }

    /// Measured for each kind on one processor core of 2.5 GHz.
    ///
    /// - Parameter parameters: what stands behind the kind: bcrypt's base-2 logarithm of the
    ///   rounds, SHA-crypt's `rounds=` or its salt, yescrypt's letters for its options, for the
    ///   logarithm of N, and for r.
    private static func cost(_ kind: Kind, parameters: [UInt8]) -> Double {
        switch kind {
        case .bcrypt: return exp2(Double(number(parameters) ?? 0)) * 70_000
        case .sha256, .sha512:
            let given = "rounds=".utf8
            let rounds = parameters.starts(with: given) ? parameters.dropFirst(given.count) : []
            return Double(number(rounds) ?? 5_000) * 500
        case .yescrypt:
            let values = parameters.dropFirst().prefix(2).compactMap(Self.value(ofLetter:))
            guard values.count == 2 else { return 20_000_000 }
            return exp2(Double(values[0] + 1)) * Double(values[1] + 1) * 160
        }
    }

    private static func number(_ digits: some Collection<UInt8>) -> Int? {
        Int(String(decoding: digits, as: UTF8.self))
    }

    /// crypt(5): `./0-9A-Za-z` are the digits of base 64.
    private static func value(ofLetter letter: UInt8) -> Int? {
        Array("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
            .firstIndex(of: letter)
    }

    /// Whether it is the password's. Slow on purpose: up to a second, not for a loop's thread.
    ///
    /// - Parameter password: longer ones than 512 bytes are never right.
    func isOf(_ password: String) -> Bool {
        // 32 KiB, which is why this is not on the stack.
        let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        defer {
            explicit_bzero(data, MemoryLayout<crypt_data>.size)
            data.deallocate()
        }
        memset(data, 0, MemoryLayout<crypt_data>.size)
        guard let result = crypt_r(password, text, data) else { return false }
        let computed = String(cString: result)
        // crypt(5): a "*" in front is its mark of failure.
        return computed.utf8.first != UInt8(ascii: "*")
            && Digests.areEqual(Array(computed.utf8), Array(text.utf8))
    }
}
