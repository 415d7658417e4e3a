import CCrypt
import EventLoop
import Glibc
import Logging

/// Why a file of passwords cannot be used; the description is one line for a person.
public struct PasswordFileError: Error, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// A file of `user:hash` lines as htpasswd writes them.
struct PasswordFile: Sendable {
    private let hashes: [String: String]
    /// What a password of an unknown user is held against, so that it takes as long.
    private let decoy: String

    /// 1 MiB: some 10,000 users.
    private static let byteLimit = 1 << 20
    /// What crypt(5) still calls good: bcrypt, SHA-crypt with 256 and 512 bits, yescrypt.
    private static let prefixes = ["$2b$", "$2y$", "$2a$", "$5$", "$6$", "$y$"]

    init(path: String) throws(PasswordFileError) {
        let text: String
        do throws(SystemError) {
            text = try Self.read(path)
        } catch {
            throw PasswordFileError("\(escaped(path)): \(error)")
        }
        var hashes: [String: String] = [:]
        var first: String?
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let line = line.drop(while: \.isWhitespace)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let place = "\(escaped(path)):\(index + 1)"
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw PasswordFileError("\(place): not 'user:hash'")
            }
            let (user, hash) = (String(parts[0]), String(parts[1]))
            guard Self.prefixes.contains(where: hash.hasPrefix), Self.isComplete(hash) else {
                throw PasswordFileError(
                    "\(place): the hash of \(escaped(user)) is not bcrypt (htpasswd -B), SHA-crypt "
                        + "(mkpasswd -m sha-512) or yescrypt")
            }
            guard hashes.updateValue(hash, forKey: user) == nil else {
                throw PasswordFileError("\(place): \(escaped(user)) is there twice")
            }
            first = first ?? hash
        }
        guard let first else { throw PasswordFileError("\(escaped(path)): no user in it") }
        self.hashes = hashes
        decoy = first
    }

    /// Whether the password is the user's. Slow on purpose: up to a second, not for a loop's
    /// thread.
    func admits(_ user: String, _ password: String) -> Bool {
        let hash = hashes[user]
        let computed = Self.hash(password, like: hash ?? decoy)
        guard let hash, let computed else { return false }
        return Digests.areEqual(Array(computed.utf8), Array(hash.utf8))
    }

    /// crypt(3); `nil` if the setting is not understood, or the password is longer than 512 bytes.
    private static func hash(_ password: String, like setting: String) -> String? {
        // 32 KiB, which is why this is not on the stack.
        let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        defer {
            explicit_bzero(data, MemoryLayout<crypt_data>.size)
            data.deallocate()
        }
        memset(data, 0, MemoryLayout<crypt_data>.size)
        guard let result = crypt_r(password, setting, data) else { return nil }
        let text = String(cString: result)
        return text.hasPrefix("*") ? nil : text  // crypt(5)'s mark of failure
    }

    /// Whether it looks whole: to find out for certain would take seconds for many users.
    private static func isComplete(_ hash: String) -> Bool {
        let parts = hash.split(separator: "$")
        guard crypt_checksalt(hash) != CRYPT_SALT_INVALID, let last = parts.last else {
            return false
        }
        switch parts.first {
        case "5": return last.utf8.count == 43
        case "6": return last.utf8.count == 86
        case "y": return parts.count == 4 && last.utf8.count == 43
        default:
            guard hash.utf8.count == 60, parts.count == 3, let cost = Int(parts[1]) else {
                return false
            }
            return (4...31).contains(cost)
        }
    }

    private static func read(_ path: String) throws(SystemError) -> String {
        let file = try OpenFile(path: path)
        guard file.kind == .regular else { throw SystemError("open", code: EINVAL) }
        guard file.byteCount <= byteLimit else { throw SystemError("read", code: EFBIG) }
        var bytes = [UInt8](repeating: 0, count: file.byteCount)
        let count = bytes.withUnsafeMutableBytes { file.read(into: $0, at: 0) }
        guard let count else { throw SystemError("read") }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
