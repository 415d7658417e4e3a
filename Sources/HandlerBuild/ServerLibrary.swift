/// The server as SwiftPM has built it, without handlers.
struct ServerLibrary: Equatable, Sendable {
    /// What it was made from, see ``Checkout/identity(of:)``.
    let identity: String
    /// Where `swift build --show-bin-path` says that products are.
    let folder: String
    /// See ``Toolchain/staticRuntime(_:log:)``.
    let runtime: String?
    /// What `pkg-config` says of the system's libraries.
    let compilerFlags: [String]
    let linkerFlags: [String]

    static let product = "StandaloneServer"
    static let archive = "libStandaloneServer.a"
    static let systemLibraries = ["openssl", "zlib", "libcrypt"]
    static let usualLinkerFlags = ["-lssl", "-lcrypto", "-lz", "-lcrypt"]

    var library: String { "\(folder)/\(Self.archive)" }

    /// Whether programs are linked with the runtime in them, by the linker that is quick with that.
    var linksRuntime: Bool { runtime.map { FileSystem.exists($0 + "/bin/ld.lld") } ?? false }

    init(
        identity: String, folder: String, runtime: String?, compilerFlags: [String],
        linkerFlags: [String]
    ) {
        self.identity = identity
        self.folder = folder
        self.runtime = runtime
        self.compilerFlags = compilerFlags
        self.linkerFlags = linkerFlags
    }

    // MARK: - As text: a line for each of the five

    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count >= 5 else { return nil }
        func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }
        self.init(
            identity: lines[0], folder: lines[1], runtime: lines[2].isEmpty ? nil : lines[2],
            compilerFlags: words(lines[3]), linkerFlags: words(lines[4]))
    }

    var text: String {
        let lines = [
            identity, folder, runtime ?? "", compilerFlags.joined(separator: " "),
            linkerFlags.joined(separator: " "),
        ]
        return lines.joined(separator: "\n") + "\n"
    }
}
