import EventLoop
import Glibc

/// The listening sockets that a service manager opened for this process and passed to it: those of
/// a systemd unit of type `socket`. The protocol is that of sd_listen_fds(3): `LISTEN_PID` is this
/// process, and the sockets are `LISTEN_FDS` descriptors from 3 on, with `LISTEN_FDNAMES` between
/// colons.
package enum PassedSockets {
    package static let variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]

    /// As many as a server may have listeners.
    package static let countLimit = 64
    /// `SD_LISTEN_FDS_START`
    package static let firstDescriptor: Int32 = 3

    /// One of them.
    package struct Socket: Sendable {
        package var socket: ListeningSocket
        /// `FileDescriptorName` of its unit; empty: it has none.
        package var name: String
    }

    /// Takes them over, so that no other process that this one starts does. Once, before another
    /// thread or process begins.
    ///
    /// - Parameters:
    ///   - variables: of the environment, by name.
    ///   - pid: this process.
    ///   - first: the number of the first one.
    /// - Returns: empty: none was passed, or they are meant for another process.
    /// - Throws: what is wrong with one of them.
    package static func take(
        _ variables: (String) -> String?, pid: pid_t = getpid(),
        first: Int32 = firstDescriptor
    ) throws(PassedSocketError) -> [Socket] {
        // Another process's: this one inherited the variables, and not the sockets.
        guard let owner = variables("LISTEN_PID"), owner == "\(pid)",
            let text = variables("LISTEN_FDS")
        else { return [] }
        guard let count = Int32(text), count >= 0 else { throw .notACount(text) }
        guard count <= countLimit else { throw .tooMany(text) }
        let names = (variables("LISTEN_FDNAMES") ?? "").split(
            separator: ":", omittingEmptySubsequences: false)
        var sockets: [Socket] = []
        for index in 0..<count {
            let descriptor = first + index
            let name = names.indices.contains(Int(index)) ? String(names[Int(index)]) : ""
            try prepare(descriptor)
            do throws(SystemError) {
                sockets.append(
                    Socket(socket: try ListeningSocket(adopting: descriptor), name: name))
            } catch {
                throw .notForStreams(descriptor)
            }
        }
        return sockets
    }

    /// Sees that it is what a server can listen on, and makes it what a loop can use.
    private static func prepare(_ descriptor: Int32) throws(PassedSocketError) {
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0 else { throw .notOpen(descriptor) }
        guard let kind = option(SO_TYPE, of: descriptor) else { throw .notASocket(descriptor) }
        guard kind == Int32(SOCK_STREAM.rawValue) else { throw .notForStreams(descriptor) }
        guard option(SO_ACCEPTCONN, of: descriptor) == 1 else { throw .notListening(descriptor) }
        // systemd leaves them blocking unless it is told otherwise.
        guard fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0,
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
        else { throw .notOpen(descriptor) }
    }

    private static func option(_ option: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var byteCount = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, option, &value, &byteCount) == 0 else {
            return nil
        }
        return value
    }
}

/// Why a server does not listen on what was passed to it.
package enum PassedSocketError: Error, Equatable, CustomStringConvertible {
    case notACount(String)
    case tooMany(String)
    case notOpen(Int32)
    case notASocket(Int32)
    case notForStreams(Int32)
    case notListening(Int32)

    package var description: String {
        switch self {
        case .notACount(let text): "LISTEN_FDS is '\(text)', which is no count of sockets"
        case .tooMany(let text):
            "LISTEN_FDS is \(text): at most \(PassedSockets.countLimit) sockets are taken"
        case .notOpen(let descriptor):
            "LISTEN_FDS names descriptor \(descriptor), which is not open"
        case .notASocket(let descriptor):
            "descriptor \(descriptor) of LISTEN_FDS is no socket"
        case .notForStreams(let descriptor):
            "descriptor \(descriptor) of LISTEN_FDS is neither TCP nor a Unix-domain stream: the "
                + "socket unit needs ListenStream="
        case .notListening(let descriptor):
            "descriptor \(descriptor) of LISTEN_FDS does not listen: the socket unit needs "
                + "Accept=no"
        }
    }
}
