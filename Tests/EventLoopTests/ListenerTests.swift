import CLinux
import Glibc
import LoopTesting
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Listener")
    struct ListenerTests {
        /// Port 0 is any free one, and the port that was chosen is the other family's as well.
        @Test(arguments: ["127.0.0.1", "::1"])
        func accepts(host: String) throws {
            let address = try #require(SocketAddress.resolve(host: host, port: 0).first)
            guard let socket = try? ListeningSocket(at: address, backlog: .max) else {
                // A machine without IPv6.
                return #expect(address.family == .ipv6)
            }
            #expect(socket.address.port != 0)
            #expect(socket.address.host == host)
            try withLoop { loop in
                let peers = Watched<[SocketAddress]>([])
                try loop {
                    _ = try Listener(socket, on: loop.loop) { fd, peer in
                        peers.update { $0.append(peer) }
                        close(fd)
                    }
                }
                // More than it takes in one turn.
                let clients = try (0..<300).map { _ in try Peer(to: socket.address) }
                #expect(peers.wait { $0.count == 300 })
                let addresses = try clients.map { try Socket.localAddress($0.fd) }
                #expect(Set(peers.value) == Set(addresses))
                #expect(clients.allSatisfy { $0.receive().code == 0 })
            }
        }

        /// What the kernel says of an accepted socket, where it need not be asked.
        @Test(arguments: [("127.0.0.1", true), ("::1", true), ("0.0.0.0", false), ("::", false)])
        func addressOfAccepted(host: String, isKnown: Bool) throws {
            let address = try #require(SocketAddress.resolve(host: host, port: 0).first)
            guard let socket = try? ListeningSocket(at: address, backlog: 1) else {
                // A machine without IPv6.
                return #expect(address.family == .ipv6)
            }
            #expect(socket.addressOfAccepted == (isKnown ? socket.address : nil))
            try withLoop { loop in
                let locals = Watched<[SocketAddress?]>([])
                try loop {
                    _ = try Listener(socket, on: loop.loop) { fd, _ in
                        locals.update { $0.append(try? Socket.localAddress(fd)) }
                        close(fd)
                    }
                }
                let client = try Peer(to: socket.address)
                #expect(locals.wait { $0.count == 1 })
                #expect((locals.value == [socket.address]) == isKnown)
                #expect(client.receive().code == 0)
            }
        }

        @Test func portTaken() throws {
            let socket = try ListeningSocket(at: loopback(), backlog: 1)
            defer { socket.close() }
            let error = #expect(throws: SystemError.self) {
                try ListeningSocket(at: socket.address, backlog: 1)
            }
            #expect(error?.call == "bind")
            #expect(error?.code == EADDRINUSE)
        }

        /// Accepted sockets do not block and are not inherited.
        @Test func descriptorFlags() throws {
            try withLoop { loop in
                let socket = try ListeningSocket(at: loopback(), backlog: 1)
                let flags = Watched<(Int32, Int32)?>(nil)
                try loop {
                    _ = try Listener(socket, on: loop.loop) { fd, _ in
                        flags.update { $0 = (fcntl(fd, F_GETFL), fcntl(fd, F_GETFD)) }
                        close(fd)
                    }
                }
                let peer = try Peer(to: socket.address)
                #expect(flags.wait { $0 != nil })
                let (status, descriptor) = try #require(flags.value)
                #expect(status & O_NONBLOCK != 0)
                #expect(descriptor & FD_CLOEXEC != 0)
                withExtendedLifetime(peer) {}
            }
        }

        /// Closing while connections are being taken ends it there, and frees it.
        @Test func closeInside() throws {
            try withLoop { loop in
                let socket = try ListeningSocket(at: loopback(), backlog: 10)
                let clients = try (0..<5).map { _ in try Peer(to: socket.address) }
                let count = Watched(0)
                nonisolated(unsafe) weak var freed: Listener?
                try loop {
                    var kept: Listener?
                    let listener = try Listener(socket, on: loop.loop) { fd, _ in
                        count.update { $0 += 1 }
                        close(fd)
                        kept?.close()
                        kept?.close()
                        kept = nil
                    }
                    kept = listener
                    freed = listener
                }
                #expect(count.wait { $0 == 1 })
                // Those that waited are reset.
                #expect(clients.dropFirst().allSatisfy { $0.receive().code != nil })
                #expect(throws: SystemError.self) { try Peer(to: socket.address) }
                try loop { #expect(freed == nil) }
                #expect(count.value == 1)
            }
        }

        /// Without room for another descriptor it says so, pauses, and goes on when there is room.
        ///
        /// The loop's thread gets a table of descriptors of its own, so that only it runs out of
        /// them.
        @Test func shortage() throws {
            typealias Unshare = @convention(c) (Int32) -> Int32
            let unshare = unsafeBitCast(try #require(dlsym(nil, "unshare")), to: Unshare.self)
            let separateFiles: Int32 = 0x400  // CLONE_FILES
            let loop = try Loop()
            let socket = try ListeningSocket(at: loopback(), backlog: 10)
            defer { socket.close() }
            let shortages = Watched<[Int32]>([])
            let accepted = Watched(0)
            let lastFiller = Watched<Int32>(-1)
            let isSeparate = Watched(false)
            let thread = try onThread {
                guard unshare(separateFiles) == 0 else { return }
                isSeparate.set()
                _ = try? Listener(
                    socket, on: loop,
                    onShortage: { error in
                        shortages.update { $0.append(error.code) }
                    },
                    onAccept: { fd, _ in
                        accepted.update { $0 += 1 }
                        close(fd)
                    })
                while true {
                    let fd = dup(socket.fd)
                    if fd < 0 { break }
                    lastFiller.update { $0 = fd }
                }
                loop.run()
            }
            defer {
                loop.stop()
                thread.join()
            }
            try #require(lastFiller.wait { $0 >= 0 } || !isSeparate.value)
            guard isSeparate.value else { return }  // not allowed here
            let peer = try Peer(to: socket.address)
            #expect(shortages.wait { $0.count >= 2 }, "and again after the pause")
            #expect(shortages.value.allSatisfy { $0 == EMFILE })
            #expect(accepted.value == 0)
            loop.submit { close(lastFiller.value) }
            #expect(accepted.wait { $0 == 1 })
            let another = try Peer(to: socket.address)
            #expect(accepted.wait { $0 == 2 })
            withExtendedLifetime((peer, another)) {}
        }
    }
}
