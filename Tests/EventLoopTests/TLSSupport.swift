import Foundation
import TestSupport
import Testing

@testable import EventLoop

/// Certificates of these tests, made once, with their files in a folder of their own.
struct TestCertificates: Sendable {
    let folder: URL
    let localhost, other, alice, expired: SelfSignedCertificate

    static let shared = Result { try TestCertificates() }

    private init() throws {
        folder = URL(filePath: try TemporaryFiles.makeFolder("-tls"))
        localhost = try SelfSignedCertificate(names: ["localhost", "127.0.0.1", "::1"])
        other = try SelfSignedCertificate(names: ["other.example", "*.wild.example"])
        alice = try SelfSignedCertificate(names: ["alice", "192.0.2.7"])
        expired = try SelfSignedCertificate(names: ["localhost"], validFor: .seconds(-60))
        for (name, made) in [
            ("localhost", localhost), ("other", other), ("alice", alice), ("expired", expired),
        ] {
            try write(made.certificatePEM, "\(name).pem")
            try write(made.privateKeyPEM, "\(name).key")
        }
        try write("no PEM\n", "text")
        try write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "broken.pem")
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    func write(_ text: String, _ name: String) throws {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }

    /// What a client that trusts this file is configured with.
    func trusting(_ name: String) -> TLSClientConfiguration {
        var configuration = TLSClientConfiguration()
        configuration.trust = .file(path(name))
        return configuration
    }
}

/// A client's and a server's session, whose bytes the test carries from one to the other.
final class TLSPair {
    let client, server: TLSSession
    /// The test's ends of what the two send into.
    private let clientWire, serverWire: Int32
    private let descriptors: [Int32]
    private(set) var failures: [String: TLSError] = [:]
    private(set) var opened: [String: [UInt8]] = ["client": [], "server": []]
    private(set) var ends: Set<String> = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)

    init(_ client: TLSClient, _ server: TLSServer, host: String = "localhost") throws {
        self.client = try client.makeSession(host: host)
        self.server = try server.makeSession(at: .current())
        let (a, b) = (try Self.socketPair(), try Self.socketPair())
        descriptors = a + b
        self.client.attach(a[0])
        self.server.attach(b[0])
        (clientWire, serverWire) = (a[1], b[1])
    }

    deinit {
        buffer.deallocate()
        for fd in descriptors { close(fd) }
    }

    private static func socketPair() throws -> [Int32] {
        var pair: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        try check("socketpair") { socketpair(AF_UNIX, kind, 0, &pair) }
        return pair
    }

    /// What one of them has sent and nobody has taken yet.
    func sent(by session: TLSSession) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        let wire = session === client ? clientWire : serverWire
        while true {
            let count = recv(wire, &piece, piece.count, 0)
            if count > 0 {
                bytes += piece[..<count]
            } else if !session.hasRest || (try? session.sendRest()) == nil {
                return bytes
            }
        }
    }

    /// Gives bytes to one of them, as one piece.
    func give(_ bytes: some Collection<UInt8>, to session: TLSSession) {
        let name = session === client ? "client" : "server"
        guard failures[name] == nil else { return }
        Array(bytes).withUnsafeBytes { bytes in
            session.take(bytes) {
                if !session.isEstablished {
                    switch session.shakeHands() {
                    case .waiting: return
                    case .failed(let error): failures[name] = error
                    case .done: break
                    }
                }
                guard session.isEstablished else { return }
                let result = session.open(into: buffer)
                opened[name]?.append(contentsOf: buffer[..<result.byteCount])
                if result.isEnd { ends.insert(name) }
                failures[name] = result.failure
            }
        }
    }

    /// Carries bytes until nobody sends more, in pieces.
    ///
    /// - Parameter cut: the lengths of the first pieces of each flight; the last one repeats.
    func carry(in pieces: [Int] = [.max]) {
        if !client.isEstablished { give([], to: client) }
        while true {
            let (up, down) = (sent(by: client), sent(by: server))
            if up.isEmpty && down.isEmpty { return }
            for (bytes, receiver) in [(up, server), (down, client)] {
                var rest = bytes[...]
                var lengths = pieces[...]
                while !rest.isEmpty {
                    let length = lengths.count > 1 ? lengths.removeFirst() : lengths.first ?? .max
                    give(rest.prefix(length), to: receiver)
                    rest = rest.dropFirst(length)
                }
            }
        }
    }

    func send(_ bytes: [UInt8], from session: TLSSession, piece: Int = .max) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let result = rest.withUnsafeBytes { session.seal(.init(rebasing: $0.prefix(piece))) }
            switch result {
            case .sent(let count): rest = rest.dropFirst(count)
            case .blocked: carry()
            case .failed(let error):
                failures[session === client ? "client" : "server"] = error
                return
            }
        }
        carry()
    }

    var isEstablished: Bool { client.isEstablished && server.isEstablished && failures.isEmpty }
}

extension TLSServer {
    convenience init(_ identities: TLSConfiguration.Identity...) throws {
        try self.init(TLSConfiguration(identities))
    }
}
