/// How handler files are compiled, and linked with the server: all of it is said here.
struct CompilerOptions: Sendable {
    /// Whether the program has to run where there is no Swift.
    let isStandalone: Bool
    let mode: Checkout.Mode
    let moduleCache: String
    let server: ServerLibrary
    /// The folders with a `module.modulemap`, for what the server's modules import.
    let moduleMaps: [String]

    init(_ checkout: Checkout, _ server: ServerLibrary, isStandalone: Bool) {
        self.isStandalone = isStandalone
        self.server = server
        mode = checkout.mode
        moduleCache = checkout.moduleCache
        let sources = checkout.path + "/Sources"
        moduleMaps = ((try? FileSystem.entries(of: sources)) ?? [])
            .map { "\(sources)/\(String(decoding: $0.name, as: UTF8.self))/module.modulemap" }
            .filter(FileSystem.isFile).sorted()
    }

    /// For all modules: handlers, helper code and the list.
    var common: [String] {
        // With -g and -Onone the compiler makes a second object file beside the one that we name,
        // of the same name, and traps. A backtrace needs no more than these.
        let code =
            mode == .release ? ["-O", "-g"] : ["-Onone", "-enable-testing", "-gdwarf-types"]
        // Handlers with Foundation have to be compiled for a program that contains it.
        return code + (isStandalone ? ["-static-stdlib"] : []) + [
            "-swift-version", "6", "-enable-upcoming-feature",
            "NonisolatedNonsendingByDefault", "-module-cache-path", moduleCache,
            "-I", server.folder + "/Modules",
        ] + moduleMaps.flatMap { ["-Xcc", "-fmodule-map-file=\($0)"] } + server.compilerFlags
    }

    /// For handlers and helper code. An `@main` gets a name that nobody calls.
    var handler: [String] {
        common + [
            "-parse-as-library", "-Xfrontend", "-entry-point-function-name", "-Xfrontend",
            Self.entryPoint,
        ]
    }

    static let entryPoint = "handler_file_main"

    /// With Swift's runtime in the program: handshakes are a twentieth faster.
    var staticLink: [String] {
        // The linker is quickest when it does not look for texts that are there twice.
        ["-static-stdlib", "-use-ld=lld", "-Xlinker", "-O0"] + library
    }

    var dynamicLink: [String] { library }

    /// All of the library: some of it is only found by the runtime, which no symbol shows.
    private var library: [String] {
        ["--whole-archive", server.library, "--no-whole-archive"].flatMap { ["-Xlinker", $0] }
            + server.linkerFlags
    }
}
