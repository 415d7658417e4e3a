import EventLoop
import Glibc
import Processes

/// A connection to the server, non-blocking.
struct PublishConnection: ~Copyable {
    private let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// For `poll`.
    var number: Int32 { descriptor.number }

    enum Received {
        /// So many bytes are in the buffer.
        case bytes(Int)
        case nothing
        /// Nothing more comes.
        case end
    }

    /// - Returns: how many bytes the socket took. 0 also if the connection is broken: reading shows
    ///   that, after what the server sent before.
    func send(_ bytes: [UInt8]) -> Int {
        while true {
            let count = Glibc.send(descriptor.number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            if count < 0 && errno == EINTR { continue }
            return max(0, count)
        }
    }

    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Received {
        while true {
            let count = recv(descriptor.number, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .nothing : .end
        }
    }
}

/// Where the server is.
struct PublishPlace {
    let port: UInt16
    /// Run directories to look in, one after the other; at least one.
    let folders: [String]

    /// - Throws: why no server is reached, for a person.
    func connect() throws(PublishConnectError) -> PublishConnection {
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
                return PublishConnection(try FileDescriptor.connected(to: path))
            } catch {
                if error.code == ENOENT || error.code == ECONNREFUSED { continue }
                reason = reason ?? "\(path): \(error)"
            }
        }
        throw PublishConnectError(reason: reason ?? missing)
    }

    /// With what else there is.
    private var missing: String {
        let ports = folders.flatMap(RunDirectory.ports).filter { $0 != port }
        let others =
            ports.isEmpty
            ? "" : "; there are sockets for port \(ports.map(String.init).joined(separator: ", "))"
        let places = folders.joined(separator: " or ")
        return "nobody listens on \(port).sock in \(places)\(others)"
    }
}

struct PublishConnectError: Error {
    let reason: String
}
