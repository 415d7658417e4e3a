import Foundation
import HTTPProtocol
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

@Suite("Basic authentication")
struct PasswordFileTests {
    /// "sesame" as crypt(3) hashes it, with few rounds.
    private static let lines = """
        # users
        short:$5$rounds=1000$saltsalt$30.yc4HsSpLTxr3NqKw4EhPINDzNTqzxg9qelAitDW2
        long:$6$rounds=1000$saltsalt$5Oji4y.RQw4TBqlwXcGLBsxSL7.Pw5hdIpFnzMJTl.\
        OaKsU3EiPTP5NseI3oKDT8iioErVqshwXGd40hlWBLx1
          bcrypt:$2b$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW

        """

    static let refused: [Row<String, String>] = [
        Row("nothing", "", "no user"),
        Row("comment only", "# a:b\n\n", "no user"),
        Row("no colon", "a\n", ":1: not 'user:hash'"),
        Row("no user", "\n:$5$a$b\n", ":2: not 'user:hash'"),
        Row("plain", "a:secret\n", ":1: the hash of a is not bcrypt"),
        Row("MD5 of Apache", "a:$apr1$abc$0123456789012345678901\n", "htpasswd -B"),
        Row("SHA-1", "a:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n", "mkpasswd -m sha-512"),
        Row("DES", "a:rl.3StKT.4T8M\n", "is not bcrypt"),
        Row("broken bcrypt", "a:$2y$99$x\n", "is not bcrypt"),
        Row(
            "cut short", "a:$5$saltsalt$30.yc4HsSpLTxr3NqKw4EhPINDzNTqzxg9qelAitDW\n", "not bcrypt"),
        Row("twice", lines + lines, ":6: short is there twice"),
    ]

    @Test(arguments: refused)
    func isRefused(_ row: Row<String, String>) throws {
        let path = try TemporaryFiles.write(row.input, ".htpasswd")
        do throws(PasswordFileError) {
            _ = try BasicAuthentication(file: path)
            Issue.record("it was read")
        } catch {
            #expect(error.description.contains(row.expected) && !error.description.contains("\n"))
        }
    }

    @Test(arguments: ["/nowhere/at/all", "/etc", "/dev/zero"])
    func noFile(_ path: String) {
        #expect(throws: PasswordFileError.self) { try BasicAuthentication(file: path) }
    }

    @Test(arguments: ["", "a", ":", ":b", "a:b\n", "a\0:b"])
    func noCredential(_ text: String) {
        #expect(throws: PasswordFileError.self) { try BasicAuthentication(credential: text) }
    }

    private func verdict(_ authentication: BasicAuthentication, _ value: String?) throws -> String {
        var fields = Fields()
        if let value { try fields.append("Authorization", value) }
        switch authentication.opinion(fields) {
        case .known(.admitted(let user)): return user
        case .known(.refused): return "refused"
        case .known(.busy): return "busy"
        case .unknown: return "later"
        }
    }

    @Test func oneUser() throws {
        let authentication = try BasicAuthentication(credential: "test:te:st")
        #expect(try verdict(authentication, "Basic dGVzdDp0ZTpzdA==") == "test")
        for value in [
            nil, "Basic dGVzdDp0ZXN0", "Basic OnRlc3Q=", "Basic dGVzdDo=", "Basic",
            "dGVzdDp0ZTpzdA==",
        ] {
            #expect(try verdict(authentication, value) == "refused")
        }
        // Not decided by either of two.
        var fields = Fields()
        for _ in 0..<2 { try fields.append("Authorization", "Basic dGVzdDp0ZTpzdA==") }
        guard case .known(.refused) = authentication.opinion(fields) else {
            Issue.record("two fields were taken")
            return
        }
    }

    /// An unknown user's password is held against the hash that takes longest, so the time tells
    /// nobody who is known. The kinds are in the order of what they cost.
    @Test func slowest() throws {
        let hashes = [
            "$5$rounds=1000$saltsalt$\(String(repeating: "x", count: 43))",
            "$6$saltsalt$\(String(repeating: "x", count: 86))",
            "$y$j9T$saltsalt$\(String(repeating: "x", count: 43))",
            "$6$rounds=200000$saltsalt$\(String(repeating: "x", count: 86))",
            "$2b$12$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW",
            "$y$jFT$saltsalt$\(String(repeating: "x", count: 43))",
        ]
        for count in 1...hashes.count {
            for order in [Array(hashes.prefix(count)), hashes.prefix(count).reversed()] {
                let lines = order.enumerated().map { "user\($0):\($1)\n" }.joined()
                let file = try PasswordFile(path: try TemporaryFiles.write(lines, ".htpasswd"))
                #expect(file.slowest.text == hashes[count - 1])
            }
        }
    }

    /// Two names that Swift takes for one text are two users (RFC 7617 §2: octets are compared).
    @Test func usersAreBytes() throws {
        let (composed, decomposed) = ("ren\u{E9}", "rene\u{301}")
        let hash = "$2b$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"
        let path = try TemporaryFiles.write("\(composed):\(hash)\n", ".htpasswd")
        let one = try PasswordFile(path: path)
        #expect(one.admits(composed, "sesame") && !one.admits(decomposed, "sesame"))
        let lines = "\(composed):\(hash)\n\(decomposed):\(hash)\n"
        let both = try PasswordFile(path: try TemporaryFiles.write(lines, ".htpasswd"))
        #expect(both.admits(composed, "sesame") && both.admits(decomposed, "sesame"))
        // A mark behind the colon does not hide it.
        let odd = try TemporaryFiles.write("a:\u{301}\(hash)\n", ".htpasswd")
        #expect(throws: PasswordFileError.self) { try PasswordFile(path: odd) }
    }

    @Test func users() throws {
        let path = try TemporaryFiles.write(Self.lines, ".htpasswd")
        let passwords = try PasswordFile(path: path)
        for user in ["short", "long", "bcrypt"] {
            #expect(passwords.admits(user, "sesame"))
            for wrong in ["", "Sesame", "sesame ", "sesam", String(repeating: "x", count: 600)] {
                #expect(!passwords.admits(user, wrong))
            }
        }
        #expect(!passwords.admits("nobody", "sesame") && !passwords.admits("", "sesame"))
    }

    /// The second time the hash is not computed, so the verdict is there at once; a wrong password
    /// is computed each time.
    @Test func successesAreKept() async throws {
        let path = try TemporaryFiles.write(Self.lines, ".htpasswd")
        let authentication = try BasicAuthentication(file: path)
        let (right, wrong) = ("Basic YmNyeXB0OnNlc2FtZQ==", "Basic YmNyeXB0OnNlc2FtRQ==")
        #expect(await later(authentication, wrong) == "refused")
        #expect(await later(authentication, right) == "bcrypt")
        #expect(try verdict(authentication, right) == "bcrypt")
        #expect(await later(authentication, wrong) == "refused")
    }

    private func later(_ authentication: BasicAuthentication, _ value: String) async -> String {
        await withCheckedContinuation { continuation in
            var fields = Fields()
            try? fields.append("Authorization", value)
            guard case .unknown(let candidate) = authentication.opinion(fields) else {
                return continuation.resume(returning: "at once")
            }
            let ticket = authentication.check(candidate, mayWait: true) { verdict in
                if case .admitted(let user) = verdict {
                    continuation.resume(returning: user)
                } else {
                    continuation.resume(returning: "refused")
                }
            }
            if ticket == nil { continuation.resume(returning: "busy") }
        }
    }
}
