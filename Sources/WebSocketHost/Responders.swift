import HTTPServer

/// The responders of a server. All but the upgrade are shared by the loops.
struct Responders: Sendable {
    private let authentication: AuthenticationResponder?
    private let target: TargetResponder
    private let scripts: ScriptsResponder?
    private let files: FilesResponder?
    private let indexPage: IndexPageResponder

    /// - Parameter changes: the version that the index page shows, if it follows ``ChangeFeed``.
    init(_ configuration: Configuration, _ routes: Routes, changes: String? = nil) {
        authentication = configuration.basicAuthentication.map { AuthenticationResponder($0) }
        target = TargetResponder(
            host: configuration.validationHost, port: configuration.validationPort)
        let root = configuration.documentRoot
        scripts = root.flatMap { ScriptsResponder($0, configuration.cgi) }
        files = root.map { root in
            FilesResponder(
                root, listsFolders: configuration.listsDirectories, listsRoot: routes.isEmpty)
        }
        indexPage = IndexPageResponder(routes, changes: changes)
    }

    /// In the order in which they are asked: the first that does not pass answers.
    func list(for connections: Connections) -> [any Responder] {
        let all: [(any Responder)?] = [
            authentication,
            target,
            UpgradeResponder(connections),
            scripts,
            files,
            indexPage,
        ]
        return all.compactMap(\.self)
    }
}
