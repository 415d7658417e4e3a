import EventLoop
import HTTPProtocol
import Logging
import Synchronization

/// Asks every request for a name and a password (RFC 7617): pages, files, scripts and handshakes.
///
/// Over a connection that is not encrypted both can be read on the way.
public final class BasicAuthentication: Sendable {
    private enum Source: Sendable {
        case one(user: String, digest: [UInt8])
        case file(PasswordFile)
    }

    private let source: Source
    private let digests: Digests
    private let checks = Mutex(Checks())

    /// Passwords of a file: what was checked, and what is to be.
    private struct Checks {
        var admitted: Set<[UInt8]> = []
        var waiting: [Check] = []
        var threadCount = 0
    }

    private struct Check: Sendable {
        let credentials: BasicCredentials
        let digest: [UInt8]
        let onVerdict: @Sendable (Verdict) -> Void
    }

    /// Passwords that were right are not computed again: 1,024 of 32 bytes.
    private static let admittedCountLimit = 1_024
    /// Each keeps a processor busy.
    private static let threadLimit = 2
    /// More get 503 and may try again: one client that guesses must not make all others wait.
    private static let waitingCountLimit = 64

    /// Lets in one user.
    ///
    /// - Parameter credential: `user:password`, neither with control characters.
    /// - Throws: if it is something else.
    public init(credential: String) throws(PasswordFileError) {
        guard let credentials = BasicCredentials(credential), !credentials.user.isEmpty,
            !credential.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else { throw PasswordFileError("'\(escaped(credential))' is not user:password") }
        let digests = try Self.makeDigests()
        guard let digest = digests.digest(credentials.user, credentials.password) else {
            throw PasswordFileError("HMAC-SHA-256 is not available")
        }
        self.digests = digests
        source = .one(user: credentials.user, digest: digest)
    }

    /// Lets in the users of a file of `user:hash` lines, hashed by bcrypt, SHA-crypt or yescrypt.
    ///
    /// It is read once.
    ///
    /// - Throws: if it cannot be read, or a line is something else.
    public init(file path: String) throws(PasswordFileError) {
        digests = try Self.makeDigests()
        source = .file(try PasswordFile(path: path))
    }

    private static func makeDigests() throws(PasswordFileError) -> Digests {
        guard let digests = Digests() else {
            throw PasswordFileError("random bytes are not available")
        }
        return digests
    }

    enum Verdict: Sendable {
        case admitted(user: String)
        case refused
        /// Too many are being checked.
        case busy
    }

    /// - Parameter onVerdict: called from any thread, if the result is `nil`.
    /// - Returns: the verdict; `nil` if it takes a while.
    func check(
        _ fields: Fields, onVerdict: @escaping @Sendable (Verdict) -> Void
    ) -> Verdict? {
        let values = fields.values(of: "Authorization")
        guard values.count == 1, let value = values.first,
            let credentials = BasicCredentials(authorization: value),
            let digest = digests.digest(credentials.user, credentials.password)
        else { return .refused }
        switch source {
        case .one(let user, let expected):
            return Digests.areEqual(digest, expected) ? .admitted(user: user) : .refused
        case .file(let file):
            let check = Check(credentials: credentials, digest: digest, onVerdict: onVerdict)
            return enqueue(check, file)
        }
    }

    private func enqueue(_ check: Check, _ file: PasswordFile) -> Verdict? {
        let (verdict, needsThread) = checks.withLock { checks -> (Verdict?, Bool) in
            if checks.admitted.contains(check.digest) {
                return (.admitted(user: check.credentials.user), false)
            }
            guard checks.waiting.count < Self.waitingCountLimit else { return (.busy, false) }
            checks.waiting.append(check)
            guard checks.threadCount < Self.threadLimit else { return (nil, false) }
            checks.threadCount += 1
            return (nil, true)
        }
        if needsThread {
            do throws(SystemError) {
                _ = try LoopThread { [self] in work(file) }
            } catch {
                // Perhaps no other thread is left to take what waits.
                let waiting = checks.withLock { checks in
                    checks.threadCount -= 1
                    defer { if checks.threadCount == 0 { checks.waiting = [] } }
                    return checks.threadCount == 0 ? checks.waiting : []
                }
                for check in waiting { check.onVerdict(.busy) }
            }
        }
        return verdict
    }

    /// Checks what waits, then ends. On a thread of its own.
    private func work(_ file: PasswordFile) {
        while true {
            let next = checks.withLock { checks -> Check? in
                guard checks.waiting.isEmpty else { return checks.waiting.removeFirst() }
                checks.threadCount -= 1
                return nil
            }
            guard let next else { return }
            let user = next.credentials.user
            let isAdmitted = file.admits(user, next.credentials.password)
            if isAdmitted {
                checks.withLock { checks in
                    if checks.admitted.count >= Self.admittedCountLimit {
                        checks.admitted.removeAll()
                    }
                    checks.admitted.insert(next.digest)
                }
            }
            next.onVerdict(isAdmitted ? .admitted(user: user) : .refused)
        }
    }
}
