/// What a built program needs on the machine where it runs.
package struct ProgramNeeds: Equatable, Sendable {
    /// Shared libraries, as the program names them: `libssl.so.3`.
    package let libraries: [String]
    /// `2.34`; `nil`: no certain version.
    package let glibcVersion: String?

    /// - Parameter program: the file's bytes.
    /// - Returns: `nil` if that is not a dynamically linked ELF file.
    package init?(_ program: [UInt8]) {
        guard let needs = try? ELFNeeds(program) else { return nil }
        self.init(libraries: needs.libraries, symbolVersions: needs.symbolVersions)
    }

    init(libraries: [String], symbolVersions: Set<String>) {
        self.libraries = libraries
        let versions = symbolVersions.compactMap { version -> [Int]? in
            guard version.hasPrefix("GLIBC_") else { return nil }
            let parts = version.dropFirst("GLIBC_".count).split(separator: ".").map { Int($0) }
            return parts.contains(nil) ? nil : parts.compactMap(\.self)
        }
        glibcVersion = versions.max { $0.lexicographicallyPrecedes($1) }
            .map { $0.map(String.init).joined(separator: ".") }
    }

    /// For Debian 12, without those that every installation has; sorted.
    package var packages: [String] {
        Set(libraries.compactMap { Self.packages[$0] }).sorted()
    }

    /// Libraries that are in no package of ``packages``.
    private var others: [String] {
        libraries.filter { library in
            Self.packages[library] == nil && !Self.alwaysThere.contains { library.hasPrefix($0) }
        }
    }

    /// A sentence or two, in one line.
    package var text: String {
        var text = "it needs Linux with glibc"
        if let glibcVersion { text += " \(glibcVersion) or later" }
        if !packages.isEmpty {
            text += " and these packages (Debian 12): \(packages.joined(separator: " "))"
        }
        if !others.isEmpty { text += "; also \(others.joined(separator: ", "))" }
        return text
    }

    /// Parts of glibc.
    private static let alwaysThere = [
        "libc.so.", "libm.so.", "libdl.so.", "libpthread.so.", "librt.so.", "libresolv.so.",
        "libutil.so.", "ld-linux",
    ]

    private static let packages = [
        "libssl.so.3": "libssl3", "libcrypto.so.3": "libssl3", "libz.so.1": "zlib1g",
        "libcrypt.so.1": "libcrypt1", "libstdc++.so.6": "libstdc++6",
        "libgcc_s.so.1": "libgcc-s1", "libcurl.so.4": "libcurl4", "libxml2.so.2": "libxml2",
    ]
}
