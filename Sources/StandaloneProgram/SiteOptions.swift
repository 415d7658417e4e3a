import CommandLineOptions
import WebSocketHost

/// The options for files, scripts and passwords.
enum SiteOptions {
    static let all: [ServerOption] = [
        ServerOption(
            name: "document-root", letter: "d", value: "DIR",
            help:
                "serve the files below DIR, except handler sources, dot-files other than "
                + "/.well-known, and links that lead out of it; default: none"
        ) { settings, text, _ in settings.documentRoot = text },
        ServerOption(name: "directory-listing", help: "list folders without an index.html") {
            settings, _, _ in settings.configuration.listsDirectories = true
        },
        ServerOption(
            name: "cgi-paths", letter: "x", value: "PATHS",
            help:
                "folders below -d, such as /cgi-bin,/htbin, whose files are run as CGI scripts "
                + "and not served; default: none"
        ) { settings, text, option throws(UsageError) in
            settings.scriptPaths = try scriptPaths(text, option)
        },
        ServerOption(
            name: "basic-auth",
            help: "require a user and password (Basic) for pages, files, scripts and handshakes"
        ) { settings, _, _ in settings.asksForPassword = true },
        ServerOption(
            name: "basic-auth-credential", value: "USER:PASSWORD",
            help:
                "the user to accept, default \(ServerSettings.defaultCredential) (pywebsocket3's)"
        ) { settings, text, _ in settings.credential = text }.byDefault(
            ServerSettings.defaultCredential),
        ServerOption(
            name: "basic-auth-file", value: "FILE",
            help: "the users to accept: lines 'user:hash' with bcrypt (htpasswd -B) or SHA-crypt "
                + "(mkpasswd -m sha-512)"
        ) { settings, text, _ in settings.passwordFile = text },
    ]

    private static func scriptPaths(_ text: String, _ option: String) throws(UsageError) -> [String]
    {
        let paths = text.split(separator: ",").map { String($0) }
        for path in paths {
            let segments = path.utf8.split(separator: UInt8(ascii: "/"))
            // The whole root as script folder would leave no file to serve.
            guard !segments.isEmpty, !segments.contains(where: { $0.first == UInt8(ascii: ".") })
            else {
                throw UsageError(
                    "\(option): '\(escaped(path))' is not a folder below the document root, such "
                        + "as /cgi-bin"
                )
            }
        }
        guard !paths.isEmpty else { throw UsageError("\(option): no folder given") }
        return paths
    }

    /// Rejects options that have no effect without another one. Those of pywebsocket3, which
    /// accepts them, only get a warning (``notes(_:)``).
    static func check(_ settings: ServerSettings) throws(UsageError) {
        if settings.documentRoot == nil && settings.configuration.listsDirectories {
            throw UsageError("--directory-listing needs a document root: add -d DIR")
        }
        if settings.credential != nil && settings.passwordFile != nil {
            throw UsageError("--basic-auth-credential and --basic-auth-file exclude each other")
        }
        if settings.passwordFile != nil && !settings.asksForPassword {
            throw UsageError("--basic-auth-file has no effect alone: add --basic-auth")
        }
    }

    /// Warnings about options that have no effect.
    static func notes(_ settings: ServerSettings) -> [String] {
        var notes: [String] = []
        if settings.documentRoot == nil && !settings.scriptPaths.isEmpty {
            notes.append(
                "-x, --cgi-paths has no effect without a document root: add -d DIR")
        }
        if settings.credential != nil && !settings.asksForPassword {
            notes.append(
                "--basic-auth-credential has no effect alone: add --basic-auth")
        }
        return notes
    }
}
