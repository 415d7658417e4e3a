import Glibc
import LoopTesting
import TestSupport
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
                    _ = try Listener(socket, on: loop.loop) { accepted in
                        peers.update { $0.append(accepted.peer) }
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

        /// What the kernel knows of an accepted socket, where it need not be asked.
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
                    _ = try Listener(socket, on: loop.loop) { accepted in
                        #expect(accepted.localAddress == socket.addressOfAccepted)
                        let stream = try? accepted.makeStream(on: loop.loop, tls: nil)
                        locals.update { $0.append(stream?.localAddress) }
                        stream?.close()
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

        /// A Unix-domain socket, from both ends: the file that an ended server left is replaced,
        /// one that somebody listens on is not.
        @Test func unixDomain() throws {
            let address = try SocketAddress(path: TemporaryFiles.path(".sock"))
            try ListeningSocket(at: address, backlog: 1).close()
            let socket = try ListeningSocket(at: address, backlog: 10)
            #expect(socket.address == address && socket.addressOfAccepted == address)
            let error = #expect(throws: SystemError.self) {
                try ListeningSocket(at: address, backlog: 1)
            }
            #expect(error?.code == EADDRINUSE)
            try withLoop { loop in
                let received = Watched<[UInt8]>([])
                let kept = Watched<[Recorder]>([])
                try loop {
                    _ = try Listener(socket, on: loop.loop) { accepted in
                        guard let stream = try? accepted.makeStream(on: loop.loop, tls: nil) else {
                            return
                        }
                        let recorder = Recorder()
                        recorder.stream = stream
                        recorder.onReceived = { bytes in stream.write(bytes) }
                        stream.delegate = recorder
                        #expect(stream.peer.description == "unix:")
                        #expect(stream.localAddress == address)
                        kept.update { $0.append(recorder) }
                    }
                    _ = try Connector(to: address, on: loop.loop) { result in
                        guard case .success(let connected) = consume result,
                            let stream = try? Stream(connected, peer: address, on: loop.loop)
                        else { return }
                        let recorder = Recorder()
                        recorder.stream = stream
                        recorder.onReceived = { bytes in received.update { $0 += bytes } }
                        stream.delegate = recorder
                        kept.update { $0.append(recorder) }
                        stream.write(Array("there and back".utf8))
                    }
                }
                #expect(received.wait { $0 == Array("there and back".utf8) })
            }
        }

        @Test func unixDomainNowhere() throws {
            try withLoop { loop in
                let address = try SocketAddress(path: TemporaryFiles.path("/no/folder"))
                let listening = #expect(throws: SystemError.self) {
                    try ListeningSocket(at: address, backlog: 1)
                }
                #expect(listening?.code == ENOENT)
                try loop {
                    #expect(throws: SystemError.self) {
                        try Connector(to: address, on: loop.loop) { _ in }
                    }
                }
            }
        }

        /// Accepted sockets do not block and are not inherited.
        @Test func descriptorFlags() throws {
            try withLoop { loop in
                let socket = try ListeningSocket(at: loopback(), backlog: 1)
                let flags = Watched<(Int32, Int32)?>(nil)
                try loop {
                    _ = try Listener(socket, on: loop.loop) { accepted in
                        guard let stream = try? accepted.makeStream(on: loop.loop, tls: nil) else {
                            return
                        }
                        flags.update {
                            $0 = (fcntl(stream.fd, F_GETFL), fcntl(stream.fd, F_GETFD))
                        }
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
                    let listener = try Listener(socket, on: loop.loop) { _ in
                        count.update { $0 += 1 }
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

        /// Without another descriptor it reports that, pauses, and goes on when one is free.
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
                    onAccept: { _ in accepted.update { $0 += 1 } })
                while true {
                    let fd = dup(socket.descriptor)
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
