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
    private let hashes: [ExactText: PasswordHash]
    /// The one that takes longest: what the password of an unknown user is held against, so that
    /// nobody learns from the time who is known.
    let slowest: PasswordHash

    /// 1 MiB: some 10,000 users.
    private static let byteLimit = 1 << 20

    init(path: String) throws(PasswordFileError) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try Self.read(path)
        } catch {
            throw PasswordFileError("\(escaped(path)): \(error)")
        }
        var hashes: [ExactText: PasswordHash] = [:]
        var slowest: PasswordHash?
        let lines = bytes.split(omittingEmptySubsequences: false) { $0 == 0x0A }
        for (index, line) in lines.enumerated() {
            let place = "\(escaped(path)):\(index + 1)"
            guard let (user, hash) = try Self.entry(line, place) else { continue }
            guard hashes.updateValue(hash, forKey: ExactText(user)) == nil else {
                throw PasswordFileError("\(place): \(escaped(user)) is there twice")
            }
            if hash.cost > slowest?.cost ?? 0 { slowest = hash }
        }
        guard let slowest else { throw PasswordFileError("\(escaped(path)): no user in it") }
        self.hashes = hashes
        self.slowest = slowest
    }

    /// - Returns: `nil` for an empty line and for a comment.
    private static func entry(
        _ line: ArraySlice<UInt8>, _ place: String
    ) throws(PasswordFileError) -> (user: String, hash: PasswordHash)? {
        var line = line.drop { $0 == 0x20 || $0 == 0x09 }
        if line.last == 0x0D { line = line.dropLast() }
        if line.isEmpty || line.first == UInt8(ascii: "#") { return nil }
        guard let text = String(validating: line, as: UTF8.self) else {
            throw PasswordFileError("\(place): not UTF-8")
        }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), colon > text.startIndex
        else { throw PasswordFileError("\(place): not 'user:hash'") }
        let user = String(text[..<colon])
        guard let hash = PasswordHash(String(text[text.utf8.index(after: colon)...])) else {
            throw PasswordFileError(
                "\(place): the hash of \(escaped(user)) is not bcrypt (htpasswd -B), SHA-crypt "
                    + "(mkpasswd -m sha-512) or yescrypt")
        }
        return (user, hash)
    }

    /// Whether the password is the user's. Slow on purpose: up to a second or two, not for a loop's
    /// thread.
    ///
    /// A refusal takes as long as the slowest hash of the file at least, whoever the user is.
    func admits(_ user: String, _ password: String) -> Bool {
        guard let hash = hashes[ExactText(user)] else {
            _ = slowest.isOf(password)
            return false
        }
        if hash.isOf(password) { return true }
        if hash.cost < slowest.cost { _ = slowest.isOf(password) }
        return false
    }

    private static func read(_ path: String) throws(SystemError) -> [UInt8] {
        let file = try OpenFile(path: path)
        guard file.kind == .regular else { throw SystemError("open", code: EINVAL) }
        guard file.byteCount <= byteLimit else { throw SystemError("read", code: EFBIG) }
        var bytes = [UInt8](repeating: 0, count: file.byteCount)
        let count = bytes.withUnsafeMutableBytes { file.read(into: $0, at: 0) }
        guard let count else { throw SystemError("read") }
        return Array(bytes.prefix(count))
    }
}
