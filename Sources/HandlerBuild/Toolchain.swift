import EventLoop
import Glibc

/// The Swift compiler that `PATH` leads to.
struct Toolchain: Sendable {
    /// `swiftc`, as found.
    let compiler: String
    /// `swift`, beside it.
    let swift: String
    /// Tells this compiler from another one.
    let identity: String

    /// - Throws: if there is no compiler.
    init(_ runner: CommandRunner, log: String) throws(BuildError) {
        let path = runner.environment.last { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? ""
        guard let compiler = Self.find("swiftc", path), let swift = Self.find("swift", path),
            let real = FileSystem.realPath(compiler)
        else {
            throw BuildError(
                "no Swift compiler in PATH: install Swift 6.2 or later, "
                    + "https://www.swift.org/install/linux")
        }
        (self.compiler, self.swift) = (compiler, swift)
        let name = real.split(separator: "/").last ?? ""
        if ["swiftc", "swift-driver", "swift-frontend"].contains(name) {
            identity = "\(real) \(FileSystem.stamp(real) ?? "")"
        } else {  // a program that chooses one; to ask it takes a tenth of a second
            _ = try runner.run(Command(arguments: [compiler, "--version"], log: log))
            identity = FileSystem.text(log) ?? ""
        }
    }

    private static func find(_ name: String, _ path: Substring) -> String? {
        path.split(separator: ":").map { "\($0)/\(name)" }.first {
            FileSystem.isFile($0) && access($0, X_OK) == 0
        }
    }

    /// Where the toolchain is, if it has Swift's runtime in the form that can be linked into a
    /// program; that is where such a program finds `swift-backtrace`.
    func staticRuntime(_ runner: CommandRunner, log: String) throws(BuildError) -> String? {
        _ = try runner.run(Command(arguments: [compiler, "-print-target-info"], log: log))
        let suffix = "/lib/swift"
        guard let info = FileSystem.text(log),
            let path = Self.value(of: "runtimeResourcePath", in: info), path.hasSuffix(suffix),
            FileSystem.isFolder(path + "_static")
        else { return nil }
        return String(path.dropLast(suffix.count))
    }

    /// Of a key in a JSON text, in which the key is once; without escapes.
    static func value(of key: String, in json: String) -> String? {
        guard let range = json.firstRange(of: "\"\(key)\"") else { return nil }
        let parts = json[range.upperBound...].split(
            separator: "\"", maxSplits: 2, omittingEmptySubsequences: false)
        return parts.count == 3 ? String(parts[1]) : nil
    }
}
