import EventLoop
import Glibc
import HTTPProtocol

struct AdminAnswer: Equatable {
    let status: Int
    let fields: Fields
    let body: String

    init(_ status: Int, _ body: String, _ fields: Fields = Fields()) {
        self.status = status
        self.body = body
        self.fields = fields
    }

    static func == (first: Self, second: Self) -> Bool {
        first.status == second.status && first.body == second.body
    }
}

/// A blocking HTTP client on a Unix-domain socket.
///
/// `@unchecked Sendable`: one thread sends and another one receives.
final class AdminClient: @unchecked Sendable {
    private let descriptor: FileDescriptor
    private var parser = ResponseHeadParser()
    private var input: [UInt8] = []

    private static let patienceMilliseconds: Int32 = 120_000

    init(_ path: String) throws { descriptor = try FileDescriptor.connected(to: path) }

    func send(_ text: String) throws { try send(bytes: Array(text.utf8)) }

    func send(bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EAGAIN { try wait(for: POLLOUT) }
            if count < 0 && errno != EAGAIN { throw SystemError("send") }
            rest = rest.dropFirst(max(0, count))
        }
    }

    private func wait(for events: Int32) throws {
        var entry = pollfd(fd: descriptor.number, events: Int16(events), revents: 0)
        guard poll(&entry, 1, Self.patienceMilliseconds) > 0 else { throw TestClientError.ended }
    }

    /// - Returns: false at the end.
    private func readSome() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        try wait(for: POLLIN)
        let count = recv(descriptor.number, &buffer, buffer.count, 0)
        guard count >= 0 || errno == ECONNRESET else { throw SystemError("recv") }
        input += buffer.prefix(max(0, count))
        return count > 0
    }

    func answer() throws -> AdminAnswer {
        while true {
            if input.isEmpty, try !readSome() { throw TestClientError.ended }
            let progress = try input.withUnsafeBytes { try parser.parse($0) }
            guard case .complete(let head, let byteCount) = progress else {
                input = []
                continue
            }
            input.removeFirst(byteCount)
            let length = head.fields["Content-Length"].flatMap { Int($0) } ?? 0
            while input.count < length { guard try readSome() else { throw TestClientError.ended } }
            let body = String(decoding: input.prefix(length), as: UTF8.self)
            input.removeFirst(length)
            return AdminAnswer(head.status.code, body, head.fields)
        }
    }

    func ends() throws -> Bool { try input.isEmpty && !readSome() }

    /// Until the other side has taken all that was sent, or has accepted the connection at least.
    func waitUntilRead() throws {
        var unread: Int32 = 1
        for _ in 0..<10_000 {
            guard ioctl(descriptor.number, UInt(TIOCOUTQ), &unread) == 0 else {
                throw SystemError("ioctl")
            }
            if unread == 0 { return }
            usleep(1_000)
        }
        throw TestClientError.ended
    }
}
