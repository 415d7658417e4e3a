import CommandLineOptions
import WebSocketHost

/// The options for what is served beside handlers, and for who is let in.
enum SiteOptions {
    static let all: [Option] = [
        Option(
            name: "document-root", letter: "d", value: "DIR",
            help:
                "serve the files below DIR, but for handlers' sources, dot-files and links that "
                + "lead out; "
                + "default: none"
        ) { settings, text, _ in settings.documentRoot = text },
        Option(name: "directory-listing", help: "list folders without an index.html") {
            settings, _, _ in settings.configuration.listsDirectories = true
        },
        Option(
            name: "cgi-paths", letter: "x", value: "PATHS",
            help:
                "folders below -d whose files are run as CGI scripts and not served: "
                + "/cgi-bin,/htbin; "
                + "default: none"
        ) { settings, text, option throws(UsageError) in
            settings.scriptPaths = try scriptPaths(text, option)
        },
        Option(
            name: "basic-auth",
            help: "ask for a name and a password (Basic), for pages, files, scripts and handshakes"
        ) { settings, _, _ in settings.asksForPassword = true },
        Option(
            name: "basic-auth-credential", value: "USER:PASSWORD",
            help: "the one to let in, default \(Settings.defaultCredential), as in pywebsocket3"
        ) { settings, text, _ in settings.credential = text }.byDefault(Settings.defaultCredential),
        Option(
            name: "basic-auth-file", value: "FILE",
            help: "those to let in: lines 'user:hash' with bcrypt (htpasswd -B) or SHA-crypt "
                + "(mkpasswd -m sha-512)"
        ) { settings, text, _ in settings.passwordFile = text },
    ]

    private static func scriptPaths(_ text: String, _ option: String) throws(UsageError) -> [String]
    {
        let paths = text.split(separator: ",").map { String($0) }
        for path in paths {
            let segments = path.split(separator: "/")
            // All of the root would leave no file to be served.
            guard !segments.isEmpty, !segments.contains(where: { $0.hasPrefix(".") }) else {
                throw UsageError(
                    "\(option): '\(escaped(path))' is no folder below the document root, such as "
                        + "/cgi-bin"
                )
            }
        }
        guard !paths.isEmpty else { throw UsageError("\(option): no folder given") }
        return paths
    }

    /// Options that mean nothing without another one. Those of pywebsocket3 are warned of only:
    /// there they are taken.
    static func check(_ settings: Settings) throws(UsageError) {
        if settings.documentRoot == nil && settings.configuration.listsDirectories {
            throw UsageError("--directory-listing: there is nothing to list: add -d DIR")
        }
        if settings.credential != nil && settings.passwordFile != nil {
            throw UsageError("--basic-auth-credential and --basic-auth-file: give one of them")
        }
        if settings.passwordFile != nil && !settings.asksForPassword {
            throw UsageError("--basic-auth-file: nobody is asked for a password: add --basic-auth")
        }
    }

    /// What is said at the start of options that have no effect.
    static func notes(_ settings: Settings) -> [String] {
        var notes: [String] = []
        if settings.documentRoot == nil && !settings.scriptPaths.isEmpty {
            notes.append(
                "-x, --cgi-paths: no scripts are run: they lie in the document root, add -d DIR")
        }
        if settings.credential != nil && !settings.asksForPassword {
            notes.append(
                "--basic-auth-credential: nobody is asked for a password: add --basic-auth")
        }
        return notes
    }
}
