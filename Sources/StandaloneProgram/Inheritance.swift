import EventLoop
import Glibc
import Processes
import Supervisor
import WebSocketHost

/// What this process got from the one that started it, beside arguments and options: its role under
/// a supervisor, or sockets and the address of a service manager, such as systemd.
struct Inheritance: Sendable {
    /// `nil`: no supervisor started this process.
    let role: ProcessRole?
    /// Where it listens beside its options.
    let listeners: [ListenerSettings]
    /// Of ``listeners``, in their order.
    private let sockets: [ListeningSocket]
    /// Why the sockets that were passed cannot be used.
    let error: PassedSocketError?
    let manager: ServiceManager?

    /// Takes it over, so that no process gets it that this one starts. Once, before another thread
    /// or process begins.
    init() {
        role = ProcessRole(Environment.own())
        defer {
            for variable in PassedSockets.variables + ServiceManager.variables {
                unsetenv(variable)
            }
        }
        if let role {
            (listeners, sockets) = (Self.listeners(of: role), [])
            (error, manager) = (nil, nil)
            return
        }
        manager = ServiceManager(Environment.value)
        do throws(PassedSocketError) {
            let passed = try PassedSockets.take(Environment.value)
            listeners = passed.map {
                ListenerSettings(passed: $0.socket.address, PassedListener(name: $0.name))
            }
            sockets = passed.map(\.socket)
            error = nil
        } catch {
            (listeners, sockets) = ([], [])
            self.error = error
        }
    }

    /// Those that the supervisor got. Their sockets are its last ones.
    private static func listeners(of role: ProcessRole) -> [ListenerSettings] {
        let descriptors = role.listenerDescriptors.suffix(role.passedListeners.count)
        return zip(descriptors, role.passedListeners).compactMap { descriptor, passed in
            (try? ListeningSocket(adopting: descriptor)).map {
                ListenerSettings(passed: $0.address, passed)
            }
        }
    }

    /// The sockets, each with the place of its listener.
    func sockets(in configuration: Configuration) -> [ListeningSocket] {
        let first = configuration.listeners.count - sockets.count
        return sockets.enumerated().map { index, socket in
            var socket = socket
            socket.listenerIndex = first + index
            return socket
        }
    }

    /// For server processes of a supervisor.
    var passedListeners: [PassedListener] {
        listeners.map { listener in
            var passed: PassedListener = []
            if listener.isSecure { passed.insert(.secure) }
            if listener.usesProxyProtocol { passed.insert(.behindProxy) }
            return passed
        }
    }

    /// What somebody else keeps open has to be closed by hand.
    var descriptors: [Int32] { sockets.map(\.descriptor) }
}

extension PassedListener {
    /// - Parameter name: `FileDescriptorName` of a socket unit: words with commas between.
    init(name: String) {
        self = []
        let words = name.split(separator: ",")
        if words.contains("tls") { insert(.secure) }
        if words.contains("proxy-protocol") { insert(.behindProxy) }
    }
}

extension ListenerSettings {
    fileprivate init(passed address: SocketAddress, _ passed: PassedListener) {
        self.init(
            address.family == .unix
                ? .unix(path: address.host, mode: nil)
                : .internet(host: address.host, port: address.port),
            isSecure: passed.contains(.secure))
        usesProxyProtocol = passed.contains(.behindProxy)
        isPassed = true
        option = "LISTEN_FDS"
    }
}
