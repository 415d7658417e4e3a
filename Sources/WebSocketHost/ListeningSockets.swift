import EventLoop
import Glibc

/// Why a server cannot listen.
public enum ListenError: Error, Sendable, CustomStringConvertible {
    case unknownHost(ResolveError)
    /// - Parameter option: the program's option for the port.
    case addressInUse(SocketAddress, option: String)
    case notPermitted(SocketAddress, option: String)
    case failed(SocketAddress, SystemError)
    case system(SystemError)
    /// A file of ``Configuration/tls`` cannot be used.
    case tls(TLSFileError)
    /// A listener is to speak TLS, and ``Configuration/tls`` is `nil`.
    case certificateMissing
    /// ``Server/start()`` was called before, or ``Server/stop()`` was.
    case alreadyStarted

    public var description: String {
        switch self {
        case .unknownHost(let error):
            "\(error) (-H)"
        case .addressInUse(let address, _) where address.family == .unix:
            "another process listens on \(address)"
        case .addressInUse(let address, let option):
            "port \(address.port) on \(address.host) is in use (\(option)); "
                + "`ss -ltnp 'sport = :\(address.port)'` shows the program, \(option) 0 takes a "
                + "free one"
        case .notPermitted(let address, let option):
            "port \(address.port) needs more rights than this process has (\(option)); "
                + "ports from 1024 do not"
        case .failed(let address, let error):
            "cannot listen on \(address): \(error)"
        case .system(let error):
            "\(error)"
        case .tls(let error):
            "\(error)"
        case .certificateMissing:
            "a listener speaks TLS, and there is no certificate for it"
        case .alreadyStarted:
            "a server can be started only once, and not after it was stopped"
        }
    }
}

enum ListeningSockets {
    /// Ports to try when the kernel chose one for the first address and another holds it on the
    /// second.
    private static let attemptLimit = 16

    /// Opens the sockets of all listeners, in their order.
    static func open(_ configuration: Configuration) throws(ListenError) -> [ListeningSocket] {
        var sockets: [ListeningSocket] = []
        do throws(ListenError) {
            for (index, listener) in configuration.allListeners.enumerated() {
                if listener.isSecure && configuration.tls == nil { throw .certificateMissing }
                for var socket in try open(listener, configuration.backlog) {
                    socket.listenerIndex = index
                    sockets.append(socket)
                }
            }
        } catch {
            for socket in sockets { socket.close() }
            throw error
        }
        return sockets
    }

    /// Opens a socket for each address of the host, all on the same port.
    private static func open(
        _ listener: ListenerSettings, _ backlog: Int
    ) throws(ListenError) -> [ListeningSocket] {
        let addresses: [SocketAddress]
        do throws(ResolveError) {
            addresses = try SocketAddress.resolve(host: listener.host, port: listener.port)
        } catch {
            throw .unknownHost(error)
        }
        for attempt in 1...attemptLimit {
            do throws(ListenError) {
                return try open(addresses, listener.portOption, backlog)
            } catch {
                guard case .addressInUse = error, listener.port == 0, attempt < attemptLimit
                else { throw error }
            }
        }
        return []
    }

    private static func open(
        _ addresses: [SocketAddress], _ option: String, _ backlog: Int
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
                lastError = described(error, wanted, option)
                if isMissing && addresses.count > 1 { continue }
                for socket in sockets { socket.close() }
                throw described(error, wanted, option)
            }
        }
        if sockets.isEmpty, let lastError { throw lastError }
        return sockets
    }

    private static func described(
        _ error: SystemError, _ address: SocketAddress, _ option: String
    ) -> ListenError {
        switch error.code {
        case EADDRINUSE: .addressInUse(address, option: option)
        case EACCES where address.family != .unix, EPERM where address.family != .unix:
            .notPermitted(address, option: option)
        default: .failed(address, error)
        }
    }
}
