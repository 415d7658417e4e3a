import HTTPServer
import Topics

/// The responders of a server. All but the upgrade are shared by the loops.
///
/// They are asked in this order, and the first that does not pass answers:
///
/// | place              | who stands there                     | sees                      |
/// | ------------------ | ------------------------------------ | ------------------------- |
/// | `client`           | who asks, behind a trusted proxy     | all requests              |
/// | `limits`           | no client that is over a limit       | all handshakes            |
/// | `open`             | what anybody may ask, such as probes | all requests              |
/// | `authentication`   | who may ask for anything else        | all others                |
/// | `target`           | whether this server is meant         | requests of users         |
/// | `base`             | whether it is below `--base-path`    | those for this server     |
/// | the upgrade        | handlers                             | those below the base path |
/// | `scripts`, `files` | the document root                    | those for no handler      |
/// | `indexPage`        | the page at `/`                      | what is left              |
struct Responders: Sendable {
    /// Asked before a name and a password are. A request's target may have no valid form there,
    /// which is an empty path.
    var open: [any Responder & Sendable] = []
    private let client: ClientResponder?
    private let authentication: AuthenticationResponder?
    private let target: TargetResponder
    private let base: BasePathResponder?
    private let scripts: ScriptsResponder?
    private let files: FilesResponder?
    private let indexPage: any Responder & Sendable
    private let ownHosts: OwnHosts?

    /// - Parameters:
    ///   - topics: those that the index page shows.
    ///   - ownHosts: those that the index page answers to; `nil`: it is not shown.
    ///   - changes: the version that it shows, if it follows ``ChangeFeed``.
    init(
        _ configuration: Configuration, _ routes: Routes, _ topics: TopicBroker,
        ownHosts: OwnHosts?, changes: String? = nil
    ) {
        self.ownHosts = ownHosts
        client = ClientResponder(configuration.proxies)
        authentication = configuration.basicAuthentication.map { AuthenticationResponder($0) }
        target = TargetResponder(
            host: configuration.validationHost, port: configuration.validationPort)
        base = configuration.basePath.map { BasePathResponder($0) }
        let root = configuration.documentRoot
        scripts = root.flatMap { ScriptsResponder($0, configuration.cgi) }
        files = root.map { root in
            FilesResponder(
                root, listsFolders: configuration.listsDirectories, listsRoot: routes.isEmpty)
        }
        if let ownHosts {
            indexPage = IndexPageResponder(
                routes, topics, base: configuration.basePath, ownHosts: ownHosts,
                changes: changes)
        } else {
            indexPage = NoIndexPageResponder()
        }
    }

    /// In the order in which they are asked; the table above.
    func list(for connections: Connections) -> [any Responder] {
        let all: [(any Responder)?] = [
            authentication,
            target,
            base,
            UpgradeResponder(connections, ownHosts),
            scripts,
            files,
            indexPage,
        ]
        let limits = connections.limiter.map { LimitsResponder($0) }
        let first: [(any Responder)?] = [client, limits]
        return first.compactMap(\.self) + open + all.compactMap(\.self)
    }
}
