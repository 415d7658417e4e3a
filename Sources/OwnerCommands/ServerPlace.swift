import CommandLineOptions
import EventLoop
import Glibc
import HTTPProtocol
import Logging
import Processes

/// Where the owner of a server asks it.
enum ServerPlace: Equatable, Sendable {
    /// At the socket for a port, in one of these run directories: the first that has it; at least
    /// one.
    case runDirectories([String], port: UInt16)
    /// `--admin-listen` of the server.
    case address(AdminAddress)

    /// For a person.
    var name: String {
        switch self {
        case .runDirectories(_, let port): "the server on port \(port)"
        case .address(let address): "the server at \(address)"
        }
    }

    /// What to do if nobody is there.
    var advice: String {
        switch self {
        case .runDirectories(_, let port):
            "Start one (./standalone.sh -p \(port)), or name another (-p PORT, "
                + "--run-directory DIR, --server ADDRESS)."
        case .address:
            "Start it with --admin-listen, or name another (--server ADDRESS, -p PORT)."
        }
    }

    /// - Throws: why no server is reached, for a person.
    func connect() throws(ConnectFailure) -> OwnerConnection {
        switch self {
        case .runDirectories(let folders, let port): try Self.connect(folders, port)
        case .address(let address): try Self.connect(address)
        }
    }

    private static func connect(_ address: AdminAddress) throws(ConnectFailure) -> OwnerConnection {
        switch address {
        case .internet(let host, let port): return try connect(host, port)
        case .unix(let path):
            do throws(SystemError) {
                return OwnerConnection(try .connected(to: path))
            } catch {
                throw ConnectFailure(reason: "\(error)")
            }
        }
    }

    /// From connecting to an address until the next one is tried.
    private static let connectTimeout: Duration = .seconds(5)

    private static func connect(
        _ host: String, _ port: UInt16
    ) throws(ConnectFailure) -> OwnerConnection {
        let addresses: [SocketAddress]
        do throws(ResolveError) {
            addresses = try SocketAddress.resolve(host: host, port: port)
        } catch {
            throw ConnectFailure(reason: "\(error)")
        }
        var reason = ""
        for address in addresses {
            do throws(SystemError) {
                return OwnerConnection(try .connected(to: address, timeout: connectTimeout))
            } catch {
                reason = "\(address): \(error)"
            }
        }
        throw ConnectFailure(reason: reason)
    }

    private static func connect(
        _ folders: [String], _ port: UInt16
    ) throws(ConnectFailure) -> OwnerConnection {
        var reason: String?
        for folder in folders {
            let path = RunDirectory.socketPath(in: folder, port: port)
            do throws(RunDirectoryError) {
                _ = try RunDirectory.find(folder)
            } catch {
                if case .system(_, let error) = error, error.code == ENOENT { continue }
                reason = reason ?? "\(error)"
                continue
            }
            do throws(SystemError) {
                return OwnerConnection(try .connected(to: path))
            } catch {
                if error.code == ENOENT || error.code == ECONNREFUSED { continue }
                reason = reason ?? "\(path): \(error)"
            }
        }
        throw ConnectFailure(reason: reason ?? missing(folders, port))
    }

    /// With what else there is.
    private static func missing(_ folders: [String], _ port: UInt16) -> String {
        let ports = folders.flatMap(RunDirectory.ports).filter { $0 != port }
        let others =
            ports.isEmpty
            ? "" : "; there are sockets for port \(ports.map(String.init).joined(separator: ", "))"
        let places = folders.joined(separator: " or ")
        return "nobody listens on \(port).sock in \(places)\(others)"
    }
}

/// Why no server is reached.
struct ConnectFailure: Error { let reason: String }

/// What `--server` names: `http://127.0.0.1:9999`, `127.0.0.1:9999` or `unix:/run/admin.sock`.
enum AdminAddress: Equatable, Sendable, CustomStringConvertible {
    case internet(host: String, port: UInt16)
    case unix(path: String)

    /// - Returns: `nil` for anything else.
    init?(_ text: String) {
        let scheme = "http://"
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard !path.isEmpty else { return nil }
            self = .unix(path: path)
            return
        }
        var rest = text.hasPrefix(scheme) ? Substring(text.dropFirst(scheme.count)) : text[...]
        if rest.hasSuffix("/") { rest.removeLast() }
        guard let authority = Authority(String(rest)), let port = authority.port,
            let port = UInt16(exactly: port), port > 0, !authority.host.isEmpty
        else { return nil }
        let isBracketed = authority.host.hasPrefix("[") && authority.host.hasSuffix("]")
        let host = isBracketed ? String(authority.host.dropFirst().dropLast()) : authority.host
        self = .internet(host: host, port: port)
    }

    var description: String {
        switch self {
        case .internet(let host, let port):
            "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
