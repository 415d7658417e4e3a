import Processes
import Subprocesses
import Synchronization
import WebSocketHost
import WebSocketProtocol

/// A program that runs once for all connections of a path, while there are any.
///
/// | phase      | event                                             | next       |
/// | ---------- | ------------------------------------------------- | ---------- |
/// | `idle`     | the first connection has come: it is started      | `starting` |
/// | `starting` | it was told of all connections                    | `running`  |
/// | any        | it has failed, or the last connection has left    | `idle`     |
/// | any        | it has ended with exit code 0                     | `done`     |
/// | `done`     | the last connection has left                      | `idle`     |
final class SharedProgram: Sendable {
    private enum Phase {
        case idle
        case starting
        case running(Subprocess)
        case done
    }

    private struct Member {
        let socket: WebSocket
        /// Whether the program that runs knows it.
        var isAnnounced = false
    }

    private typealias Waiters = [UInt64: CheckedContinuation<Subprocess?, Never>]

    private struct State {
        var phase = Phase.idle
        var members: [UInt64: Member] = [:]
        /// Connections with a line for a program that does not run yet, by their numbers.
        var waiters: Waiters = [:]
    }

    private let program: ProgramCommand
    /// What it writes is published there. Every process has its own program, and so its own topic.
    private let topic: String
    private let state = Mutex(State())

    init(_ program: ProgramCommand) {
        self.program = program
        topic = "\(program.path) #\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    }

    // MARK: - The program

    /// It ended with another exit code than 0, or was ended by others.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs it while there are connections. A failure is thrown, so that it is started again after
    /// a pause: as all `whileServing`, after 1 s at first and 60 s at most.
    func serve(_ serving: Serving) async throws {
        try await serving.whileSubscribed(to: topic) { [self] in
            let status = try await run(serving)
            guard status?.isSuccess ?? true else {
                throw Failure(description: "the program ended with \(status.map { "\($0)" } ?? "")")
            }
            await closeAll()
        }
    }

    private func run(_ serving: Serving) async throws -> ExitStatus? {
        defer { ended() }
        let limits = program.settings.subprocess
        return try await withSubprocess(
            program.command(ProgramEnvironment(route: serving.route)),
            try SubprocessLimit.ofProcess.takePlace(), limits,
            onErrorLine: { serving.log(.warning, "stderr: \($0)") }
        ) { process in
            try await withThrowingTaskGroup(of: Void.self) { [self] group in
                // Beside its output: it may write much before it reads.
                group.addTask { [self] in try await announceMembers(to: process) }
                while let line = try await process.nextLine() {
                    serving.publish(line.text, to: topic)
                }
                group.cancelAll()
            }
            return try await process.exitStatus(within: limits.stopTimeout)
        }
    }

    private func announceMembers(to process: Subprocess) async throws {
        while let news = takeNews(for: process) {
            for socket in news { try await process.write(Self.opening(socket)) }
        }
    }

    /// - Returns: connections that it does not know; `nil`: from now on they announce themselves.
    private func takeNews(for process: Subprocess) -> [WebSocket]? {
        let (news, waiters) = state.withLock { state -> ([WebSocket], Waiters) in
            let news = state.members.values.filter { !$0.isAnnounced }.map(\.socket)
            for socket in news { state.members[socket.id]?.isAnnounced = true }
            state.phase = news.isEmpty ? .running(process) : .starting
            guard news.isEmpty else { return (news, [:]) }
            defer { state.waiters = [:] }
            return (news, state.waiters)
        }
        for waiter in waiters.values { waiter.resume(returning: process) }
        return news.isEmpty ? nil : news.sorted { $0.id < $1.id }
    }

    private func ended() {
        state.withLock { state in
            state.phase = .idle
            for id in state.members.keys { state.members[id]?.isAnnounced = false }
        }
    }

    private func closeAll() async {
        let (sockets, waiters) = state.withLock { state -> ([WebSocket], Waiters) in
            if !state.members.isEmpty { state.phase = .done }
            defer { state.waiters = [:] }
            return (state.members.values.map(\.socket), state.waiters)
        }
        for waiter in waiters.values { waiter.resume(returning: nil) }
        for socket in sockets { _ = try? await socket.close(waitsForAnswer: false) }
    }

    // MARK: - Connections

    /// A connection, from its beginning to its end.
    func serve(_ socket: WebSocket) async throws {
        switch join(socket) {
        case .done: return
        case .idle, .starting: break
        case .running(let process): try? await process.write(Self.opening(socket))
        }
        do {
            try await relay(socket)
        } catch {
            await leaveAndTell(socket)
            throw error
        }
        await leaveAndTell(socket)
    }

    private func relay(_ socket: WebSocket) async throws {
        try await socket.subscribe(to: topic)
        while let message = try? await socket.receive() {
            guard case .text(let text) = message else {
                try await socket.close(.unsupportedData, reason: "text messages only")
                return
            }
            guard await write(Self.lines(text, from: socket), for: socket) else { return }
        }
    }

    private func leaveAndTell(_ socket: WebSocket) async {
        guard let process = leave(socket) else { return }
        let line = "\(socket.id) close\n"
        do throws(SubprocessError) {
            try await process.write(line)
        } catch .cancelled {
            // The program reads slowly, and the connection has ended long ago: nobody waits.
            Task { try? await process.write(line) }
        } catch {
            // It reads no more.
        }
    }

    private func join(_ socket: WebSocket) -> Phase {
        state.withLock { state in
            if case .done = state.phase { return .done }
            var member = Member(socket: socket)
            if case .running = state.phase { member.isAnnounced = true }
            state.members[socket.id] = member
            return state.phase
        }
    }

    /// - Returns: the program, if it knows the connection.
    private func leave(_ socket: WebSocket) -> Subprocess? {
        state.withLock { state in
            guard let member = state.members.removeValue(forKey: socket.id) else { return nil }
            if state.members.isEmpty, case .done = state.phase { state.phase = .idle }
            guard member.isAnnounced, case .running(let process) = state.phase else { return nil }
            return process
        }
    }

    /// Writes once the program runs: if one ends first, to the next one. What one does not take
    /// that has closed its input, and goes on, is dropped.
    ///
    /// - Returns: false if it has ended for all, or the task was cancelled.
    private func write(_ lines: String, for socket: WebSocket) async -> Bool {
        var ended: Subprocess?
        while let process = await running(for: socket, after: ended) {
            do throws(SubprocessError) {
                try await process.write(lines)
                return true
            } catch {
                let wait = program.settings.subprocess.stopTimeout
                guard (try? await process.exitStatus(within: wait)) != nil else {
                    return !Task.isCancelled
                }
                ended = process
            }
        }
        return false
    }

    /// The program, once it runs.
    ///
    /// - Parameter ended: not this one.
    /// - Returns: `nil` if it has ended for all, or the task was cancelled.
    private func running(for socket: WebSocket, after ended: Subprocess?) async -> Subprocess? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now: Subprocess?? = state.withLock { state in
                    switch state.phase {
                    case .running(let process) where process != ended: return process
                    case .done: return .some(nil)
                    case .idle, .starting, .running:
                        if Task.isCancelled { return .some(nil) }
                        state.waiters[socket.id] = continuation
                        return nil
                    }
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: socket.id) }
            waiter?.resume(returning: nil)
        }
    }

    // MARK: - Lines

    private static func opening(_ socket: WebSocket) -> String {
        "\(socket.id) open \(socket.request.remoteAddress)\n"
    }

    /// A line of its own for each line of the text, in all ways in which programs end lines: no
    /// client can speak for another one. A shell ends them at LF, Node.js at U+2028 too, Python's
    /// `splitlines` at the separators of ASCII too.
    static func lines(_ text: String, number: UInt64) -> String {
        text.split(omittingEmptySubsequences: false) { $0.isNewline || separators.contains($0) }
            .map { "\(number) text \($0)\n" }.joined()
    }

    /// File, group and record separator. With what `isNewline` is true for they are all of Python.
    private static let separators: Set<Character> = ["\u{1C}", "\u{1D}", "\u{1E}"]

    private static func lines(_ text: String, from socket: WebSocket) -> String {
        lines(text, number: socket.id)
    }
}

extension WebSocketHandler {
    /// A handler that runs a program once, while anybody is connected: each line that it writes is
    /// sent to all.
    ///
    /// Its input has a line for each thing that happens to a connection, which has a number: `7
    /// open 127.0.0.1:50000`, `7 text hello`, `7 close`. A text of several lines is as many lines,
    /// each with the number. It is told of those that are there already when it starts.
    ///
    /// Each server process of a supervisor has its own. If it ends with exit code 0, all
    /// connections are closed with 1000; if it fails, it is started again after 1 s, later after up
    /// to 60 s, and what clients send meanwhile waits. It is ended when the last one has left. It
    /// is not held back by clients that read slowly.
    ///
    /// - Parameters:
    ///   - path: of the program's file, absolute.
    ///   - settings: ``ProgramSettings/framing`` has to be ``ProgramFraming/lines``.
    ///   - slowSubscribers: what happens to clients that read slowly; `nil`:
    ///     ``TopicSettings/slowSubscribers``.
    public static func sharedProgram(
        _ path: String, _ arguments: [String] = [],
        settings: ProgramSettings = ProgramSettings(), allowedOrigins: AllowedOrigins? = nil,
        slowSubscribers: SlowSubscriberPolicy? = nil
    ) -> WebSocketHandler {
        let program = ProgramCommand(path: path, arguments: arguments, settings: settings)
        let shared = SharedProgram(program)
        return WebSocketHandler(
            allowedOrigins: allowedOrigins, slowSubscribers: slowSubscribers,
            whileServing: { serving in try await shared.serve(serving) },
            doExtraHandshake: { request in try program.check(request) },
            transferData: { socket in try await shared.serve(socket) })
    }
}
