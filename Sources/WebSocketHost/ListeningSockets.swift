import EventLoop
import Glibc

/// Why a server cannot listen.
public enum ListenError: Error, Sendable, CustomStringConvertible {
    case unknownHost(ResolveError)
    case addressInUse(SocketAddress)
    case notPermitted(SocketAddress)
    case failed(SocketAddress, SystemError)
    case system(SystemError)
    /// A file of ``Configuration/tls`` cannot be used.
    case tls(TLSFileError)
    /// ``Server/start()`` was called before, or ``Server/stop()`` was.
    case alreadyStarted

    public var description: String {
        switch self {
        case .unknownHost(let error):
            "\(error) (-H)"
        case .addressInUse(let address) where address.family == .unix:
            "another process listens on \(address)"
        case .addressInUse(let address):
            "port \(address.port) on \(address.host) is in use (-p); "
                + "`ss -ltnp 'sport = :\(address.port)'` shows the program, -p 0 takes a free one"
        case .notPermitted(let address):
            "port \(address.port) needs more rights than this process has (-p); "
                + "ports from 1024 do not"
        case .failed(let address, let error):
            "cannot listen on \(address): \(error)"
        case .system(let error):
            "\(error)"
        case .tls(let error):
            "\(error)"
        case .alreadyStarted:
            "a server can be started only once, and not after it was stopped"
        }
    }
}

enum ListeningSockets {
    /// Ports to try when the kernel chose one for the first address and another holds it on the
    /// second.
    private static let attemptLimit = 16

    /// Opens a socket for each address of the host, all on the same port.
    static func open(_ configuration: Configuration) throws(ListenError) -> [ListeningSocket] {
        let addresses: [SocketAddress]
        do throws(ResolveError) {
            addresses = try SocketAddress.resolve(
                host: configuration.host, port: configuration.port)
        } catch {
            throw .unknownHost(error)
        }
        for attempt in 1...attemptLimit {
            do throws(ListenError) {
                return try open(addresses, configuration.backlog)
            } catch {
                guard case .addressInUse = error, configuration.port == 0, attempt < attemptLimit
                else { throw error }
            }
        }
        return []
    }

    private static func open(
        _ addresses: [SocketAddress], _ backlog: Int
    ) throws(ListenError) -> [ListeningSocket] {
        var sockets: [ListeningSocket] = []
        var lastError: ListenError?
        for address in addresses {
            let port = address.port == 0 ? sockets.first?.address.port ?? 0 : address.port
            let wanted = address.with(port: port)
            do throws(SystemError) {
                sockets.append(try ListeningSocket(at: wanted, backlog: backlog))
            } catch {
                // A machine without IPv6 (or IPv4) still has the other.
                let isMissing = [EADDRNOTAVAIL, EAFNOSUPPORT, EPROTONOSUPPORT].contains(error.code)
                lastError = described(error, wanted)
                if isMissing && addresses.count > 1 { continue }
                for socket in sockets { socket.close() }
                throw described(error, wanted)
            }
        }
        if sockets.isEmpty, let lastError { throw lastError }
        return sockets
    }

    private static func described(_ error: SystemError, _ address: SocketAddress) -> ListenError {
        switch error.code {
        case EADDRINUSE: .addressInUse(address)
        case EACCES where address.family != .unix, EPERM where address.family != .unix:
            .notPermitted(address)
        default: .failed(address, error)
        }
    }
}
