import COpenSSL
import Foundation
import Testing

@testable import EventLoop

extension EventLoopTests {
    /// RFC 8446, RFC 5246 by OpenSSL: what is ours is the way in and out.
    @Suite("TLS session")
    struct TLSSessionTests {
        let certificates: TestCertificates
        let server: TLSServer
        let client: TLSClient

        init() throws {
            certificates = try TestCertificates.shared.get()
            server = try TLSServer(.selfSigned(certificates.localhost))
            client = try TLSClient(certificates.trusting("localhost.pem"))
        }

        @Test(
            "handshake and messages, whole and in pieces",
            arguments: [[Int.max], [1], [5, 1], [2, 7, 300]])
        func pieces(_ pieces: [Int]) throws {
            let pair = try TLSPair(client, server)
            pair.carry(in: pieces)
            #expect(pair.isEstablished, "\(pair.failures)")
            for byteCount in [1, 125, 16_384, 16_385, 100_000] {
                let (up, down) = (pattern(byteCount), Array(pattern(byteCount).reversed()))
                let before = pair.opened
                pair.send(up, from: pair.client)
                pair.send(down, from: pair.server)
                #expect(pair.opened["server"]?.dropFirst(before["server"]?.count ?? 0) == up[...])
                #expect(pair.opened["client"]?.dropFirst(before["client"]?.count ?? 0) == down[...])
            }
            #expect(pair.failures.isEmpty)
        }

        @Test("each flight cut in two, at each place of the ClientHello")
        func everyCut() throws {
            let hello = try TLSPair(client, server)
            hello.give([], to: hello.client)
            for cut in 1..<hello.sent(by: hello.client).count {
                let pair = try TLSPair(client, server)
                pair.carry(in: [cut, .max])
                #expect(pair.isEstablished, "cut at \(cut)")
            }
        }

        @Test func whatWasAgreedOn() throws {
            let pair = try TLSPair(client, server)
            pair.carry()
            let info = pair.server.info
            #expect(info.version == "TLSv1.3" && info.cipher.hasPrefix("TLS_"))
            #expect(info.serverName == "localhost" && info.alpn == "http/1.1" && !info.isResumed)
            #expect(info.peerSubject == nil && info.peerSubjectAlternativeNames == [])
            let seen = pair.client.info
            #expect(seen.alpn == "http/1.1" && seen.peerSubject == "CN=localhost")
            #expect(
                seen.peerSubjectAlternativeNames == ["DNS:localhost", "IP:127.0.0.1", "IP:::1"])
        }

        @Test("close_notify (RFC 8446 §6.1) ends each half by itself")
        func closeNotify() throws {
            let pair = try TLSPair(client, server)
            pair.carry()
            pair.server.sendCloseNotify()
            pair.server.sendCloseNotify()
            pair.carry()
            #expect(pair.ends == ["client"])
            pair.send([1, 2, 3], from: pair.client)
            #expect(pair.opened["server"] == [1, 2, 3])
            pair.client.sendCloseNotify()
            pair.carry()
            #expect(pair.ends == ["client", "server"] && pair.failures.isEmpty)
        }

        /// The answer to the update has to wait behind the half of a record that the socket took.
        @Test("new keys (RFC 8446 §4.6.3), asked for while nothing can be sent")
        func keyUpdate() throws {
            let pair = try TLSPair(client, server)
            pair.carry()
            var sent: [UInt8] = []
            let block = pattern(16_384)
            sending: while true {
                switch block.withUnsafeBytes({ pair.server.seal($0) }) {
                case .sent(let count): sent += block[..<count]
                case .blocked: break sending
                case .failed(let error):
                    Issue.record(error)
                    return
                }
            }
            for _ in 0..<3 {
                #expect(SSL_key_update(pair.client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
                _ = pattern(100).withUnsafeBytes { pair.client.seal($0) }
            }
            pair.give(pair.sent(by: pair.client), to: pair.server)
            #expect(pair.failures.isEmpty)
            for _ in 0..<3 {
                pair.give(pair.sent(by: pair.server), to: pair.client)
                pair.send(block, from: pair.server)
                sent += block
                pair.give([], to: pair.server)
            }
            pair.send([1, 2, 3], from: pair.client)
            #expect(pair.failures.isEmpty)
            let isWhole =
                pair.opened["server"] == pattern(100) + pattern(100) + pattern(100) + [1, 2, 3]
            #expect(isWhole)
            let isOrdered = pair.opened["client"] == sent
            #expect(isOrdered)
        }

        @Test("a changed byte anywhere in a record breaks the connection and gives nothing out")
        func changedBytes() throws {
            let count = try sealedByteCount()
            for index in 0..<count {
                let pair = try TLSPair(client, server)
                pair.carry()
                _ = pattern(8).withUnsafeBytes { pair.client.seal($0) }
                var sealed = pair.sent(by: pair.client)
                sealed[index] ^= 0x40
                pair.give(sealed, to: pair.server)
                #expect(pair.opened["server"] == [])
                // A longer length is waited for.
                #expect(pair.failures["server"] != nil || (3...4).contains(index), "byte \(index)")
            }
        }

        private func sealedByteCount() throws -> Int {
            let pair = try TLSPair(client, server)
            pair.carry()
            _ = pattern(8).withUnsafeBytes { pair.client.seal($0) }
            return pair.sent(by: pair.client).count
        }

        @Test(
            "random bytes behind a handshake's first one end in an error or a wait, never in a trap"
        )
        func garbage() throws {
            var generator = SystemRandomNumberGenerator()
            for _ in 0..<200 {
                let pair = try TLSPair(client, server)
                let rest = (0..<600).map { _ in UInt8.random(in: 0...255, using: &generator) }
                pair.give([TLSSession.firstByte] + rest, to: pair.server)
                #expect(!pair.server.isEstablished)
            }
        }

        @Test(
            "the first certificate for the name, or the first",
            arguments: [
                ("localhost", "CN=localhost"), ("127.0.0.1", "CN=localhost"),
                ("other.example", "CN=other.example"),
                ("a.wild.example", "CN=other.example"), ("a.b.wild.example", "CN=localhost"),
                ("OTHER.example", "CN=other.example"), ("unknown.example", "CN=localhost"),
            ])
        func serverName(_ host: String, _ subject: String) throws {
            let server = try TLSServer(
                .files(
                    certificate: certificates.path("localhost.pem"),
                    privateKey: certificates.path("localhost.key")),
                .selfSigned(certificates.other))
            let pair = try TLSPair(TLSClient(.trustsAnyCertificate), server, host: host)
            pair.carry()
            #expect(pair.isEstablished && pair.client.info.peerSubject == subject)
        }
    }
}
