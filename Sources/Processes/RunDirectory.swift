import EventLoop
import Glibc

/// The folder in which servers have the Unix-domain sockets that are for their own user alone.
///
/// Whoever could write to it could put a socket of his own there, and read what is meant for the
/// server. So nothing is done in a folder that belongs to another user, that others may write to,
/// or that is a link.
package enum RunDirectory {
    /// Where a server makes its socket unless it is told otherwise:
    /// `$XDG_RUNTIME_DIR/websockethost` if that variable names a folder of the user's own, else one
    /// below the temporary directory.
    ///
    /// - Parameter variable: a variable of the environment.
    package static func ofServer(_ variable: (String) -> String?) -> String {
        runtimeFolder(variable("XDG_RUNTIME_DIR")) ?? temporaryFolder(variable("TMPDIR"))
    }

    /// Where servers of this user may have made theirs, the likeliest place first: one that a login
    /// session started has variables that another program's environment lacks.
    package static func ofServers(_ variable: (String) -> String?) -> [String] {
        let places = [
            runtimeFolder(variable("XDG_RUNTIME_DIR")), runtimeFolder("/run/user/\(geteuid())"),
            temporaryFolder(variable("TMPDIR")), temporaryFolder(nil),
        ]
        var folders: [String] = []
        for case let folder? in places where !folders.contains(where: { $0.isExactly(folder) }) {
            folders.append(folder)
        }
        return folders
    }

    /// `nil`: not the user's own, as after `sudo` or `su`, or not there.
    private static func runtimeFolder(_ base: String?) -> String? {
        guard let base, base.utf8.first == UInt8(ascii: "/") else { return nil }
        var status = stat()
        guard stat(base, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
            status.st_uid == geteuid()
        else { return nil }
        return "\(base)/websockethost"
    }

    private static func temporaryFolder(_ base: String?) -> String {
        let isUsable = base?.utf8.first == UInt8(ascii: "/")
        return "\(isUsable ? base ?? "/tmp" : "/tmp")/websockethost-\(geteuid())"
    }

    /// The socket of the server on a port.
    package static func socketPath(in folder: String, port: UInt16) -> String {
        "\(folder)/\(port).sock"
    }

    /// The ports whose servers have, or had, a socket in the folder, in ascending order.
    package static func ports(in folder: String) -> [UInt16] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var ports: [UInt16] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(".sock"), let port = UInt16(name.dropLast(5)) else { continue }
            ports.append(port)
        }
        return ports.sorted()
    }

    /// Makes the folder with mode 0700 if it is not there, and opens it.
    package static func prepare(_ folder: String) throws(RunDirectoryError) -> FileDescriptor {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw .system(folder, SystemError("mkdir"))
        }
        return try open(folder, owners: [geteuid()])
    }

    /// Opens the folder, for a program that wants to talk to the servers in it.
    package static func find(_ folder: String) throws(RunDirectoryError) -> FileDescriptor {
        // The superuser may look after everybody's servers, and has everybody's rights anyway.
        try open(folder, owners: geteuid() == 0 ? nil : [0, geteuid()])
    }

    /// - Parameter owners: `nil`: anybody.
    private static func open(
        _ folder: String, owners: [uid_t]?
    ) throws(RunDirectoryError) -> FileDescriptor {
        let number = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard number >= 0 else {
            // open(2): what it says of a link depends on O_DIRECTORY.
            if errno == ELOOP || errno == ENOTDIR { throw .notAFolder(folder) }
            throw .system(folder, SystemError("open"))
        }
        let descriptor = FileDescriptor(number)
        var status = stat()
        guard fstat(number, &status) == 0 else { throw .system(folder, SystemError("fstat")) }
        if let owners, !owners.contains(status.st_uid) { throw .foreign(folder) }
        guard status.st_mode & 0o022 == 0 else { throw .writable(folder) }
        return descriptor
    }
}

/// Why a folder is not used for the sockets of a user's servers.
package enum RunDirectoryError: Error, Equatable, CustomStringConvertible {
    case notAFolder(String)
    case foreign(String)
    case writable(String)
    case system(String, SystemError)

    package var description: String {
        switch self {
        case .notAFolder(let folder): "\(folder) is no folder, or a link"
        case .foreign(let folder): "\(folder) belongs to another user"
        case .writable(let folder): "\(folder) can be written to by other users"
        case .system(let folder, let error): "\(folder): \(error)"
        }
    }
}
