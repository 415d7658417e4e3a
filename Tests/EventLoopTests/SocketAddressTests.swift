import Glibc
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Socket addresses")
    struct SocketAddressTests {
        /// A host, the addresses it stands for, whether they are loopback.
        static let rows: [(String, [String], Bool)] = [
            ("127.0.0.1", ["127.0.0.1:80"], true),
            ("127.255.0.9", ["127.255.0.9:80"], true),
            ("192.0.2.1", ["192.0.2.1:80"], false),
            ("::1", ["[::1]:80"], true),
            ("[::1]", ["[::1]:80"], true),
            ("2001:db8::1", ["[2001:db8::1]:80"], false),
            ("::", ["[::]:80"], false),
            ("localhost", ["127.0.0.1:80", "[::1]:80"], true),
            ("*", ["0.0.0.0:80", "[::]:80"], false),
            ("", ["0.0.0.0:80", "[::]:80"], false),
        ]

        @Test(arguments: rows)
        func resolve(_ host: String, _ expected: [String], _ isLoopback: Bool) throws {
            let addresses = try SocketAddress.resolve(host: host, port: 80)
            #expect(addresses.map(\.description) == expected)
            #expect(addresses.allSatisfy { $0.isLoopback == isLoopback })
            #expect(addresses.allSatisfy { $0.with(port: 0).port == 0 && $0.port == 80 })
        }

        /// Every width of a number, and the zero.
        @Test(arguments: [0, 7, 80, 443, 9_999, 10_000, 65_535] as [UInt16])
        func ports(_ port: UInt16) throws {
            for host in ["0.0.0.0", "1.10.100.255"] {
                let address = try #require(SocketAddress.resolve(host: host, port: port).first)
                #expect(address.description == (port == 0 ? host : "\(host):\(port)"))
                #expect(address.host == host)
            }
        }

        @Test(arguments: ["256.0.0.1", "no such host", "[::1", "::1]"])
        func unknown(host: String) {
            #expect(throws: ResolveError.self) {
                try SocketAddress.resolve(host: host, port: 80)
            }
        }

        /// What is given to the kernel reads back the same.
        @Test(arguments: ["127.0.0.1", "192.0.2.1", "::1", "2001:db8::1:ff"])
        func roundTrip(host: String) throws {
            let address = try #require(SocketAddress.resolve(host: host, port: 54_321).first)
            #expect(throughTheKernelsForm(address) == address)
        }

        private func throughTheKernelsForm(_ address: SocketAddress) -> SocketAddress? {
            var storage = sockaddr_storage()
            let byteCount = address.withSockaddr { source, byteCount in
                withUnsafeMutableBytes(of: &storage) {
                    $0.copyMemory(from: .init(start: source, count: Int(byteCount)))
                }
                return Int(byteCount)
            }
            return SocketAddress(storage, byteCount: byteCount)
        }

        @Test(arguments: [
            "/run/server.sock", "relative", "/ä b", String(repeating: "x", count: 107),
        ])
        func paths(_ path: String) throws {
            let address = try SocketAddress(path: path)
            #expect(address.host == path && address.description == "unix:\(path)")
            #expect(address.family == .unix && address.isLoopback && !address.isUnspecified)
            #expect(address.port == 0 && address.with(port: 80) == address)
            #expect(throughTheKernelsForm(address) == address)
            let text = UnsafeMutableRawBufferPointer.allocate(
                byteCount: SocketAddress.textByteLimit, alignment: 1)
            defer { text.deallocate() }
            let written = text.prefix(address.write(to: text))
            #expect(String(decoding: written, as: UTF8.self) == address.description)
        }

        @Test(
            arguments: [
                ("", EINVAL), ("/a\nb", EINVAL), ("/a\0b", EINVAL),
                (String(repeating: "x", count: 108), ENAMETOOLONG),
            ] as [(String, Int32)])
        func noPaths(_ path: String, _ code: Int32) {
            let error = #expect(throws: SystemError.self) { try SocketAddress(path: path) }
            #expect(error?.code == code)
        }

        /// Names that are no paths: none at all, in Linux's abstract space, with control
        /// characters.
        @Test(arguments: [[], [0], [0, 65, 66], [47, 10, 65]] as [[UInt8]])
        func namesThatAreNoPaths(_ name: [UInt8]) {
            var storage = sockaddr_storage()
            storage.ss_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &storage) { $0[2...].copyBytes(from: name) }
            let address = SocketAddress(storage, byteCount: 2 + name.count)
            #expect(address?.description == "unix:")
        }

        @Test func otherFamilies() {
            var storage = sockaddr_storage()
            storage.ss_family = sa_family_t(AF_NETLINK)
            #expect(SocketAddress(storage, byteCount: 12) == nil)
        }
    }
}
