import EventLoop
import Glibc
import TestSupport
import Testing

@testable import Processes

/// The descriptors have numbers of their own, so the tests come one after the other.
@Suite("Sockets that a service manager passes", .serialized)
struct PassedSocketsTests {
    /// As high as this process may go: lower ones are those that other tests get meanwhile.
    private static let first: Int32 = {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int32(min(limit.rlim_cur, 1 << 20)) - 64
    }()

    private func take(
        _ count: String?, pid: String? = "7", names: String? = nil
    ) throws(PassedSocketError) -> [PassedSockets.Socket] {
        let variables = ["LISTEN_PID": pid, "LISTEN_FDS": count, "LISTEN_FDNAMES": names]
        return try PassedSockets.take({ variables[$0] ?? nil }, pid: 7, first: Self.first)
    }

    /// Puts duplicates where they are looked for.
    private func pass(_ descriptors: Int32..., body: () throws -> Void) rethrows {
        for (index, descriptor) in descriptors.enumerated() {
            #expect(dup2(descriptor, Self.first + Int32(index)) >= 0)
        }
        defer { for index in descriptors.indices { close(Self.first + Int32(index)) } }
        try body()
    }

    private func listening(_ address: SocketAddress) throws -> ListeningSocket {
        try ListeningSocket(at: address, backlog: 4)
    }

    @Test("are taken over in their order, with their names")
    func taken() throws {
        let tcp = try listening(SocketAddress.resolve(host: "127.0.0.1", port: 0)[0])
        let unix = try listening(SocketAddress(path: TemporaryFiles.path(".sock")))
        defer {
            tcp.close()
            unix.end()
        }
        _ = fcntl(tcp.descriptor, F_SETFL, fcntl(tcp.descriptor, F_GETFL) & ~O_NONBLOCK)
        try pass(tcp.descriptor, unix.descriptor) {
            let sockets = try take("2", names: "web:local")
            #expect(sockets.map(\.name) == ["web", "local"])
            #expect(sockets.map(\.socket.address) == [tcp.address, unix.address])
            #expect(sockets.map(\.socket.descriptor) == [Self.first, Self.first + 1])
            for socket in sockets {
                #expect(fcntl(socket.socket.descriptor, F_GETFD) & FD_CLOEXEC != 0)
                #expect(fcntl(socket.socket.descriptor, F_GETFL) & O_NONBLOCK != 0)
                #expect(socket.socket.file == nil)
            }
            #expect(try take("1").map(\.name) == [""])
            #expect(try take("2", names: "web").map(\.name) == ["web", ""])
        }
    }

    @Test("those of another process, or none, are no error")
    func notOurs() throws {
        #expect(try take("2", pid: "8").isEmpty)
        #expect(try take("2", pid: nil).isEmpty)
        #expect(try take("2", pid: "").isEmpty)
        #expect(try take("2", pid: "07").isEmpty)
        #expect(try take(nil).isEmpty)
        #expect(try take("0").isEmpty)
    }

    @Test("what is said of them may be wrong")
    func wrong() throws {
        for text in ["", "many", "-1", "1 ", "99999999999"] {
            #expect(throws: PassedSocketError.notACount(text)) { try take(text) }
        }
        #expect(throws: PassedSocketError.tooMany("65")) { try take("65") }
        #expect(throws: PassedSocketError.notOpen(Self.first)) { try take("1") }
        let listener = try listening(SocketAddress.resolve(host: "127.0.0.1", port: 0)[0])
        defer { listener.close() }
        pass(listener.descriptor) {
            #expect(throws: PassedSocketError.notOpen(Self.first + 1)) { try take("2") }
        }
        let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        pass(listener.descriptor, file) {
            #expect(throws: PassedSocketError.notASocket(Self.first + 1)) { try take("2") }
        }
        for (kind, error) in [
            (SOCK_DGRAM, PassedSocketError.notForStreams(Self.first)),
            (SOCK_STREAM, .notListening(Self.first)), (SOCK_SEQPACKET, .notForStreams(Self.first)),
        ] {
            let number = socket(AF_UNIX, Int32(kind.rawValue), 0)
            defer { close(number) }
            pass(number) { #expect(throws: error) { try take("1") } }
        }
    }
}
