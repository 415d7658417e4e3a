import EventLoop
import Glibc

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
                if listener.isPassed { continue }
                for var socket in try open(listener, configuration.backlog) {
                    socket.listenerIndex = index
                    sockets.append(socket)
                }
            }
        } catch {
            for socket in sockets { socket.end() }
            throw error
        }
        return sockets
    }

    /// Opens one listener's sockets: several where a host has several addresses.
    static func open(
        _ listener: ListenerSettings, _ backlog: Int
    ) throws(ListenError) -> [ListeningSocket] {
        switch listener.address {
        case .internet(let host, let port):
            try open(host, port, listener, backlog)
        case .unix(let path, let mode):
            [try open(path, mode, listener.option, backlog)]
        }
    }

    private static func open(
        _ path: String, _ mode: UInt32?, _ option: String, _ backlog: Int
    ) throws(ListenError) -> ListeningSocket {
        let address: SocketAddress
        do throws(SystemError) {
            address = try SocketAddress(path: path)
        } catch {
            throw .system(error)
        }
        do throws(SystemError) {
            return try ListeningSocket(at: address, backlog: backlog, mode: mode)
        } catch {
            throw ListenError(error, at: address, option: option)
        }
    }

    /// Opens a socket for each address of the host, all on the same port.
    private static func open(
        _ host: String, _ port: UInt16, _ listener: ListenerSettings, _ backlog: Int
    ) throws(ListenError) -> [ListeningSocket] {
        let addresses: [SocketAddress]
        do throws(ResolveError) {
            addresses = try SocketAddress.resolve(host: host, port: port)
        } catch {
            throw .unknownHost(error, option: listener.hostOption)
        }
        for attempt in 1...attemptLimit {
            do throws(ListenError) {
                return try open(addresses, listener.option, backlog)
            } catch {
                guard case .addressInUse = error, port == 0, attempt < attemptLimit
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
                let described = ListenError(error, at: wanted, option: option)
                lastError = described
                if isMissing && addresses.count > 1 { continue }
                for socket in sockets { socket.close() }
                throw described
            }
        }
        if sockets.isEmpty, let lastError { throw lastError }
        return sockets
    }
}

extension ListenerSettings {
    /// Opens its sockets: several where a host has several addresses.
    package func open(backlog: Int) throws(ListenError) -> [ListeningSocket] {
        try ListeningSockets.open(self, backlog)
    }
}
