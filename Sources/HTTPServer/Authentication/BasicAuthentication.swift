import EventLoop
import HTTPProtocol
import Logging
import Synchronization

/// Asks every request for a name and a password (RFC 7617): pages, files, scripts and handshakes.
///
/// Over a connection that is not encrypted both can be read on the way.
public final class BasicAuthentication: Sendable {
    /// Decides about a name and a password; slow, on a thread of its own.
    typealias Decide = @Sendable (BasicCredentials) -> Bool

    private enum Source: Sendable {
        case one(user: String, digest: [UInt8])
        case many(Decide)
    }

    private let source: Source
    private let digests: Digests
    private let checks = Mutex(Checks())

    /// Passwords of a file: what was checked, and what is to be.
    private struct Checks {
        var admitted: Set<[UInt8]> = []
        var waiting: [Check] = []
        var lastTicket: Ticket = 0
        var threadCount = 0
    }

    private struct Check: Sendable {
        let candidate: Candidate
        let ticket: Ticket
        let onVerdict: @Sendable (Verdict) -> Void
    }

    /// Names a check that waits.
    typealias Ticket = UInt64

    /// Passwords that were right are not computed again: 1,024 of 32 bytes.
    private static let admittedCountLimit = 1_024
    /// Each keeps a processor busy.
    static let threadLimit = 2
    /// More get 503 and may try again: one client that guesses must not make all others wait.
    static let waitingCountLimit = 64

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
    public convenience init(file path: String) throws(PasswordFileError) {
        let file = try PasswordFile(path: path)
        try self.init { file.admits($0.user, $0.password) }
    }

    init(_ decide: @escaping Decide) throws(PasswordFileError) {
        digests = try Self.makeDigests()
        source = .many(decide)
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

    /// A name and a password that have to be computed.
    struct Candidate: Sendable {
        fileprivate let credentials: BasicCredentials
        fileprivate let digest: [UInt8]
    }

    /// What is known without computing a hash.
    enum Opinion: Sendable {
        case known(Verdict)
        /// For ``check(_:mayWait:onVerdict:)``.
        case unknown(Candidate)
    }

    func opinion(_ fields: Fields) -> Opinion {
        let values = fields.values(of: "Authorization")
        guard values.count == 1, let value = values.first,
            let credentials = BasicCredentials(authorization: value),
            let digest = digests.digest(credentials.user, credentials.password)
        else { return .known(.refused) }
        switch source {
        case .one(let user, let expected):
            let isRight = Digests.areEqual(digest, expected)
            return .known(isRight ? .admitted(user: user) : .refused)
        case .many:
            return checks.withLock { $0.admitted.contains(digest) }
                ? .known(.admitted(user: credentials.user))
                : .unknown(Candidate(credentials: credentials, digest: digest))
        }
    }
}

// MARK: - Slow checks

extension BasicAuthentication {
    /// How many wait for a thread.
    var waitingCount: Int { checks.withLock { $0.waiting.count } }

    /// Has a password computed on a thread of its own.
    ///
    /// - Parameters:
    ///   - mayWait: whether it may wait for others to be computed first.
    ///   - onVerdict: called once from any thread, unless ``cancel(_:)`` comes before.
    /// - Returns: `nil` if too many wait already: then it is not called.
    func check(
        _ candidate: Candidate, mayWait: Bool, onVerdict: @escaping @Sendable (Verdict) -> Void
    ) -> Ticket? {
        guard case .many(let decide) = source else { return nil }
        let (ticket, needsThread) = checks.withLock { checks -> (Ticket?, Bool) in
            let needsThread = checks.threadCount < Self.threadLimit
            let limit = mayWait ? Self.waitingCountLimit : 0
            guard needsThread || checks.waiting.count < limit else { return (nil, false) }
            checks.lastTicket += 1
            checks.waiting.append(
                Check(candidate: candidate, ticket: checks.lastTicket, onVerdict: onVerdict))
            if needsThread { checks.threadCount += 1 }
            return (checks.lastTicket, needsThread)
        }
        if needsThread { startThread(decide) }
        return ticket
    }

    /// Nobody waits for the verdict any more.
    ///
    /// - Returns: whether the check had not begun yet; it never will.
    @discardableResult
    func cancel(_ ticket: Ticket) -> Bool {
        checks.withLock { checks in
            guard let index = checks.waiting.firstIndex(where: { $0.ticket == ticket }) else {
                return false
            }
            checks.waiting.remove(at: index)
            return true
        }
    }

    private func startThread(_ decide: @escaping Decide) {
        do throws(SystemError) {
            _ = try LoopThread { [self] in work(decide) }
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

    /// Checks what waits, then ends. On a thread of its own.
    private func work(_ decide: Decide) {
        while true {
            let next = checks.withLock { checks -> Check? in
                guard checks.waiting.isEmpty else { return checks.waiting.removeFirst() }
                checks.threadCount -= 1
                return nil
            }
            guard let next else { return }
            let candidate = next.candidate
            let isAdmitted = decide(candidate.credentials)
            if isAdmitted { remember(candidate) }
            next.onVerdict(isAdmitted ? .admitted(user: candidate.credentials.user) : .refused)
        }
    }

    private func remember(_ candidate: Candidate) {
        checks.withLock { checks in
            if checks.admitted.count >= Self.admittedCountLimit { checks.admitted.removeAll() }
            checks.admitted.insert(candidate.digest)
        }
    }
}
