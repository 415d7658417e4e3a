import EventLoop
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Processes

@Suite("Telling a service manager")
struct ServiceManagerTests {
    /// A socket that a service manager would read.
    private final class Manager {
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)

        /// - Parameter name: the bytes of `sun_path`.
        init(_ name: [UInt8]) throws {
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, socklen_t(2 + name.count))
                }
            }
            try #require(result == 0)
        }

        deinit { close(number) }

        /// What is there already.
        func next() -> String? {
            var bytes = [UInt8](repeating: 0, count: 1_000)
            let count = recv(number, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    private func make(_ variables: [String: String], pid: pid_t = 1) -> ServiceManager? {
        ServiceManager({ variables[$0] }, pid: pid)
    }

    @Test("one datagram each, by path and by abstract name")
    func datagrams() throws {
        let path = try TemporaryFiles.path(".notify")
        let abstract = "websockethost-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        for (bytes, name) in [
            (Array(path.utf8) + [0], path), ([0] + Array(abstract.utf8), "@" + abstract),
        ] {
            let peer = try Manager(bytes)
            let manager = try #require(make(["NOTIFY_SOCKET": name]))
            manager.tell([.ready, .status("2 routes\n0 connections")])
            manager.tell([])
            manager.tell([.reloading(at: MonotonicTime(nanoseconds: 5_000_999))])
            manager.tell([.watchdog])
            manager.tell([.stopping])
            #expect(peer.next() == "READY=1\nSTATUS=2 routes 0 connections")
            #expect(peer.next() == "RELOADING=1\nMONOTONIC_USEC=5000")
            #expect(peer.next() == "WATCHDOG=1")
            #expect(peer.next() == "STOPPING=1")
            #expect(peer.next() == nil)
        }
    }

    @Test("one that is gone, or was never there, is no error")
    func absent() throws {
        let path = try TemporaryFiles.path(".notify")
        var peer: Manager? = try Manager(Array(path.utf8) + [0])
        let manager = try #require(make(["NOTIFY_SOCKET": path]))
        withExtendedLifetime(peer) {}
        peer = nil
        manager.tell([.ready])
        for name in [
            "", "relative", path, "@", "vsock:2:1", "/" + String(repeating: "x", count: 200),
        ] {
            #expect(make(["NOTIFY_SOCKET": name]) == nil, "\(name)")
        }
        #expect(make([:]) == nil)
    }

    static let watchdogs: [Row<[String: String], Duration?>] = [
        Row("for this process", ["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"], .seconds(3)),
        Row("for whoever reads it", ["WATCHDOG_USEC": "3000000"], .seconds(3)),
        Row("for another", ["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"], nil),
        Row("none", [:], nil),
        Row("off", ["WATCHDOG_USEC": "0"], nil),
        Row("negative", ["WATCHDOG_USEC": "-1"], nil),
        Row("no number", ["WATCHDOG_USEC": "soon"], nil),
        Row("for ever", ["WATCHDOG_USEC": "9223372036854775807"], .seconds(86_400)),
    ]

    @Test("how long it waits", arguments: watchdogs)
    func watchdog(_ row: Row<[String: String], Duration?>) throws {
        let path = try TemporaryFiles.path(".notify")
        let peer = try Manager(Array(path.utf8) + [0])
        let variables = row.input.merging(["NOTIFY_SOCKET": path]) { $1 }
        #expect(make(variables, pid: 7)?.watchdogTimeout == row.expected)
        withExtendedLifetime(peer) {}
    }
}
