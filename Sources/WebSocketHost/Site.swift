import Synchronization

/// What is served beside handlers, and who is let in: the same for all loops.
final class Site: Sendable {
    let documentRoot: DocumentRoot?
    let listsDirectories: Bool
    let cgi: CGISettings
    let authentication: BasicAuthentication?
    /// Scripts under way, requests whose body is still being read included.
    private let scriptCount = Atomic<Int>(0)

    init(_ configuration: Configuration) {
        documentRoot = configuration.documentRoot
        listsDirectories = configuration.listsDirectories
        cgi = configuration.cgi
        authentication = configuration.basicAuthentication
    }

    /// Counts a script in; false if there are as many as may be.
    func beginScript() -> Bool {
        guard scriptCount.add(1, ordering: .relaxed).newValue <= cgi.processCountLimit else {
            endScript()
            return false
        }
        return true
    }

    func endScript() { scriptCount.subtract(1, ordering: .relaxed) }
}
