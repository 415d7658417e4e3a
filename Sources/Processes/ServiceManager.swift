import EventLoop
import Glibc

/// The service manager that started this process, such as systemd, and its wish to be told how the
/// service is: the protocol of sd_notify(3), one datagram each to the socket in `NOTIFY_SOCKET`.
package final class ServiceManager: Sendable {
    package static let variables = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]

    private let descriptor: FileDescriptor
    /// How long it waits for ``ServiceNotice/watchdog`` until it takes the service for hung; `nil`:
    /// it does not look.
    package let watchdogTimeout: Duration?

    /// A manager that does not read is not waited for longer than that.
    private static let sendTimeoutMilliseconds = 500

    /// - Parameters:
    ///   - variables: of the environment, by name.
    ///   - pid: this process; the watchdog may be meant for another one.
    /// - Returns: `nil`: there is none, or it cannot be reached.
    package init?(_ variables: (String) -> String?, pid: pid_t = getpid()) {
        guard let name = variables("NOTIFY_SOCKET"), let connected = Self.connected(to: name)
        else { return nil }
        descriptor = connected
        let isForUs = variables("WATCHDOG_PID").map { $0 == "\(pid)" } ?? true
        let microseconds = variables("WATCHDOG_USEC").flatMap { Int64($0) } ?? 0
        watchdogTimeout =
            isForUs && microseconds > 0
            ? .microseconds(min(microseconds, Self.watchdogMicrosecondLimit)) : nil
    }

    /// A day.
    private static let watchdogMicrosecondLimit: Int64 = 86_400_000_000

    /// - Parameter name: a path, or an abstract name behind `@`.
    private static func connected(to name: String) -> FileDescriptor? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        let isAbstract = bytes.first == UInt8(ascii: "@")
        guard isAbstract || bytes.first == UInt8(ascii: "/") else { return nil }
        if isAbstract { bytes[0] = 0 }
        let hasRoom = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard bytes.count < room.count else { return false }
            room.copyBytes(from: bytes)
            return true
        }
        guard hasRoom else { return nil }
        let pathOffset =
            MemoryLayout<sockaddr_un>.size - MemoryLayout.size(ofValue: address.sun_path)
        let byteCount = pathOffset + bytes.count + (isAbstract ? 0 : 1)
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let number = socket(AF_UNIX, kind, 0)
        guard number >= 0 else { return nil }
        let descriptor = FileDescriptor(number)
        var timeout = timeval(tv_sec: 0, tv_usec: suseconds_t(sendTimeoutMilliseconds * 1_000))
        setsockopt(
            number, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(byteCount))
            }
        }
        guard result == 0 else { return nil }
        return descriptor
    }

    /// Sends them in one datagram. A manager that is gone is no error.
    package func tell(_ notices: [ServiceNotice]) {
        guard !notices.isEmpty else { return }
        let text = notices.map(\.text).joined(separator: "\n")
        _ = text.withCString { send(descriptor.number, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
    }
}

/// What a service manager is told.
package enum ServiceNotice: Equatable, Sendable {
    /// It serves.
    case ready
    /// It takes over a new version, or another process, and says ``ready`` when that is done.
    case reloading(at: MonotonicTime)
    case stopping
    /// It is not hung.
    case watchdog
    /// For people.
    case status(String)

    var text: String {
        switch self {
        case .ready: "READY=1"
        case .reloading(let time):
            "RELOADING=1\nMONOTONIC_USEC=\(time.nanoseconds / 1_000)"
        case .stopping: "STOPPING=1"
        case .watchdog: "WATCHDOG=1"
        case .status(let text):
            "STATUS=\(text.split(whereSeparator: \.isNewline).joined(separator: " "))"
        }
    }
}
