import EventLoop
import HTTPProtocol
import Synchronization
import WebSocketProtocol

/// Sends the result of the author's last change to open index pages, while files are watched.
///
/// A page gets text messages: a line with the version that is served here, then the compiler's
/// message, which is empty if all files compile. A Close comes when another process serves: the
/// page connects to that one, sees another version than its own, and reloads.
final class ChangeFeed: Sendable {
    /// No handler file can have it: names that begin with a dot are not looked at.
    static let path = "/.websockethost/changes"

    /// Another one for each process.
    let version = String(MonotonicTime.current().nanoseconds, radix: 36)

    private struct State {
        var failure = ""
        var isFinished = false
        var pages: [Int: AsyncStream<String>.Continuation] = [:]
        var lastPage = 0
    }
    private let state = Mutex(State())

    /// The page's own origin only: the messages have lines of the author's files.
    func handler(_ ownHosts: OwnHosts) -> WebSocketHandler {
        WebSocketHandler(
            allowedOrigins: .same,
            doExtraHandshake: { request in
                let authority =
                    RequestTarget(request.target)?.authority ?? request.fields["Host"]
                guard ownHosts.contain(authority, localAddress: request.localAddress) else {
                    throw HandshakeRejection(.misdirectedRequest, body: OwnHosts.refusal)
                }
            },
            transferData: { [self] socket in
                let (texts, page) = join()
                defer { leave(page) }
                for await text in texts { try await socket.send(text) }
                try await socket.close(.serviceRestart)
            })
    }

    private func join() -> (texts: AsyncStream<String>, page: Int) {
        // The latest state is all that matters to a page that is slow.
        let (texts, continuation) = AsyncStream<String>.makeStream(
            bufferingPolicy: .bufferingNewest(1))
        let page = state.withLock { state in
            continuation.yield("\(version)\n\(state.failure)")
            if state.isFinished { continuation.finish() }
            state.lastPage += 1
            state.pages[state.lastPage] = continuation
            return state.lastPage
        }
        return (texts, page)
    }

    private func leave(_ page: Int) { state.withLock { _ = $0.pages.removeValue(forKey: page) } }

    /// - Parameter failure: the compiler's message; empty: all files compile.
    func show(failure: String) {
        state.withLock { state in
            state.failure = failure
            for page in state.pages.values { page.yield("\(version)\n\(failure)") }
        }
    }

    /// Another process serves from now on.
    func finish() {
        state.withLock { state in
            state.isFinished = true
            for page in state.pages.values { page.finish() }
        }
    }
}
