import Foundation
import Synchronization
import Testing

@testable import EventLoop

extension EventLoopTests {
    /// Who is believed, and which files can be used.
    @Suite("TLS trust and files")
    struct TLSTrustTests {
        let certificates: TestCertificates

        init() throws { certificates = try TestCertificates.shared.get() }

        private func path(_ name: String) -> String { certificates.path(name) }

        // MARK: The server's certificate (RFC 9525)

        struct ClientRow: Sendable, CustomTestStringConvertible {
            let testDescription: String
            var trusted = "localhost.pem"
            var host = "localhost"
            var certificate = "localhost"
            var checksHostName = true
            var serverName: String?
            /// Part of the reason; `nil`: it is believed.
            var refusal: String?
        }

        static let clientRows = [
            ClientRow(testDescription: "name"),
            ClientRow(testDescription: "address", host: "127.0.0.1"),
            ClientRow(testDescription: "IPv6 address", host: "::1"),
            ClientRow(
                testDescription: "other name", host: "elsewhere.example",
                refusal: "hostname mismatch"),
            ClientRow(
                testDescription: "other address", host: "127.0.0.2", refusal: "IP address mismatch"),
            ClientRow(
                testDescription: "no check", host: "elsewhere.example", checksHostName: false),
            ClientRow(
                testDescription: "no check of an address", host: "127.0.0.2", checksHostName: false),
            ClientRow(
                testDescription: "other CA", trusted: "other.pem",
                refusal: "self-signed certificate"),
            ClientRow(
                testDescription: "other CA, no name check", trusted: "other.pem",
                checksHostName: false,
                refusal: "self-signed certificate"),
            ClientRow(
                testDescription: "name given", host: "127.0.0.1", serverName: "localhost"),
            ClientRow(
                testDescription: "other name given", serverName: "elsewhere.example",
                refusal: "hostname mismatch"),
            ClientRow(
                testDescription: "expired", trusted: "expired.pem", certificate: "expired",
                refusal: "expired"),
            ClientRow(
                testDescription: "wildcard", trusted: "other.pem", host: "a.wild.example",
                certificate: "other"),
            ClientRow(
                testDescription: "wildcard is one label (RFC 9525 §6.3)", trusted: "other.pem",
                host: "a.b.wild.example", certificate: "other", refusal: "hostname mismatch"),
        ]

        @Test(arguments: clientRows)
        func serverCertificate(_ row: ClientRow) throws {
            var configuration = certificates.trusting(row.trusted)
            configuration.checksHostName = row.checksHostName
            configuration.serverName = row.serverName
            let server = try TLSServer(
                .files(
                    certificate: path("\(row.certificate).pem"),
                    privateKey: path("\(row.certificate).key")))
            let pair = try TLSPair(TLSClient(configuration), server, host: row.host)
            pair.carry()
            let failure = pair.failures["client"].map { "\($0)" }
            if let refusal = row.refusal {
                #expect(failure?.contains(refusal) == true, "\(failure ?? "believed")")
            } else {
                #expect(pair.isEstablished, "\(failure ?? "")")
            }
        }

        @Test func systemTrustRefusesSelfSigned() throws {
            let pair = try TLSPair(
                TLSClient(TLSClientConfiguration()), TLSServer(.selfSigned(certificates.localhost)))
            pair.carry()
            #expect(!pair.client.isEstablished && pair.failures["client"] != nil)
        }

        // MARK: The client's certificate

        @Test(arguments: ["none", "optional", "required"], [nil, "alice", "other"])
        func clientCertificate(_ asked: String, _ shown: String?) throws {
            var serverConfiguration = TLSConfiguration([.selfSigned(certificates.localhost)])
            switch asked {
            case "optional":
                serverConfiguration.clientAuthentication = .optional(authorities: path("alice.pem"))
            case "required":
                serverConfiguration.clientAuthentication = .required(authorities: path("alice.pem"))
            default: break
            }
            var configuration = certificates.trusting("localhost.pem")
            configuration.identity = shown.map {
                .files(certificate: path("\($0).pem"), privateKey: path("\($0).key"))
            }
            let pair = try TLSPair(TLSClient(configuration), TLSServer(serverConfiguration))
            pair.carry()
            let isLetIn =
                asked == "none" || shown == "alice" || (shown == nil && asked == "optional")
            #expect(pair.server.isEstablished == isLetIn)
            guard isLetIn else {
                let reason =
                    shown == nil ? "peer did not return a certificate" : "certificate verify failed"
                #expect("\(pair.failures["server"].map { "\($0)" } ?? "")".contains(reason))
                return #expect(pair.failures["client"] != nil, "the alert comes through")
            }
            let info = pair.server.info
            let isKnown = asked != "none" && shown == "alice"
            #expect(info.peerSubject == (isKnown ? "CN=alice" : nil))
            #expect(
                info.peerSubjectAlternativeNames == (isKnown ? ["DNS:alice", "IP:192.0.2.7"] : []))
        }

        // MARK: Files

        struct FileRow: Sendable, CustomTestStringConvertible {
            let certificate, key: String
            var authorities: String?
            let content: TLSFileError.Content
            let reason: String
            var testDescription: String { "\(certificate) \(key) \(authorities ?? ""): \(reason)" }
        }

        static let fileRows = [
            FileRow(
                certificate: "missing", key: "localhost.key", content: .certificate,
                reason: "No such file or directory"),
            FileRow(
                certificate: "localhost.pem", key: "missing", content: .privateKey,
                reason: "No such file or directory"),
            FileRow(
                certificate: ".", key: "localhost.key", content: .certificate,
                reason: "Is a directory"),
            FileRow(
                certificate: "text", key: "localhost.key", content: .certificate,
                reason: "holds no certificate in PEM"),
            FileRow(
                certificate: "localhost.key", key: "localhost.key", content: .certificate,
                reason: "holds no certificate in PEM"),
            FileRow(
                certificate: "broken.pem", key: "localhost.key", content: .certificate,
                reason: "no certificate that can be used"),
            FileRow(
                certificate: "localhost.pem", key: "text", content: .privateKey,
                reason: "holds no private key"),
            FileRow(
                certificate: "localhost.pem", key: "localhost.pem", content: .privateKey,
                reason: "holds no private key"),
            FileRow(
                certificate: "localhost.pem", key: "other.key", content: .privateKey,
                reason: "does not belong to the certificate"),
            FileRow(
                certificate: "localhost.pem", key: "localhost.key", authorities: "missing",
                content: .certificateAuthorities, reason: "No such file or directory"),
            FileRow(
                certificate: "localhost.pem", key: "localhost.key", authorities: "text",
                content: .certificateAuthorities, reason: "holds no certificates"),
        ]

        @Test(arguments: fileRows)
        func badFile(_ row: FileRow) throws {
            var configuration = TLSConfiguration(
                certificateFile: path(row.certificate), privateKeyFile: path(row.key))
            if let authorities = row.authorities {
                configuration.clientAuthentication = .required(authorities: path(authorities))
            }
            let error = #expect(throws: TLSFileError.self) { try TLSServer(configuration) }
            #expect(error?.content == row.content)
            #expect(error?.reason.contains(row.reason) == true, "\(error?.reason ?? "")")
        }

        @Test func outdatedIsSaid() throws {
            let notices = Mutex<[TLSServer.Notice]>([])
            let configuration = TLSConfiguration(
                certificateFile: path("expired.pem"), privateKeyFile: path("expired.key"))
            _ = try TLSServer(configuration) { notice in notices.withLock { $0.append(notice) } }
            let texts = notices.withLock { $0.map(\.description) }
            #expect(texts.count == 1 && texts[0].contains("expired.pem' expired on "))
        }

        /// Files that change: a broken state keeps what was read, the next good one is taken.
        @Test func reload() throws {
            let (certificate, key) = ("reload-\(UUID()).pem", "reload-\(UUID()).key")
            func put(_ made: SelfSignedCertificate, certificateToo: Bool = true) throws {
                try certificates.write(made.privateKeyPEM, key)
                if certificateToo { try certificates.write(made.certificatePEM, certificate) }
            }
            try put(certificates.localhost)
            let notices = Mutex<[TLSServer.Notice]>([])
            let server = try TLSServer(
                TLSConfiguration(certificateFile: path(certificate), privateKeyFile: path(key))
            ) { notice in notices.withLock { $0.append(notice) } }
            let start = MonotonicTime.current()
            func subject(afterSeconds seconds: Int) throws -> String? {
                _ = try server.makeSession(at: start + .seconds(seconds))
                let pair = try TLSPair(TLSClient(.trustsAnyCertificate), server)
                pair.carry()
                return pair.client.info.peerSubject
            }
            #expect(try subject(afterSeconds: 1) == "CN=localhost")
            try put(certificates.other, certificateToo: false)
            #expect(
                try subject(afterSeconds: 3) == "CN=localhost", "key and certificate do not match")
            #expect(try subject(afterSeconds: 5) == "CN=localhost")
            try put(certificates.other)
            #expect(try subject(afterSeconds: 5) == "CN=localhost", "looked at a moment ago")
            #expect(try subject(afterSeconds: 7) == "CN=other.example")
            try FileManager.default.removeItem(atPath: path(key))
            #expect(try subject(afterSeconds: 9) == "CN=other.example")
            let kinds = notices.withLock { notices in
                notices.map { notice in
                    switch notice {
                    case .reloaded: "reloaded"
                    case .notReloaded(let error): error.content.rawValue
                    case .outdated: "outdated"
                    }
                }
            }
            #expect(kinds == ["private key", "reloaded", "private key"])
        }

        @Test func selfSigned() throws {
            let made = try SelfSignedCertificate(names: ["localhost", "a,DNS:evil", "", "::1"])
            #expect(made.names == ["localhost", "::1"])
            #expect(made.fingerprint.split(separator: ":").count == 32)
            #expect(made.certificatePEM.hasPrefix("-----BEGIN CERTIFICATE-----\n"))
            #expect(made.privateKeyPEM.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
            #expect(
                SelfSignedCertificate.localNames().starts(with: ["localhost", "127.0.0.1", "::1"]))
        }
    }
}
