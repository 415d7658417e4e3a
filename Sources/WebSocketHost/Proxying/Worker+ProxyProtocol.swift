import EventLoop
import Proxies
import Synchronization

// What a proxy sends before anything else. On the loop's thread.

/// The connections of one loop whose PROXY header is awaited.
final class AwaitedHeaders {
    private var preambles: [ObjectIdentifier: Preamble<ProxyHeaderError>] = [:]

    var isEmpty: Bool { preambles.isEmpty }

    func add(_ preamble: Preamble<ProxyHeaderError>, of accepted: AcceptedConnection) {
        preambles[ObjectIdentifier(accepted)] = preamble
    }

    func remove(_ accepted: AcceptedConnection) { preambles[ObjectIdentifier(accepted)] = nil }

    func closeAll() {
        for preamble in preambles.values { preamble.close() }
    }
}

extension Worker {
    /// Reads the header, then serves the connection as one of the client that it names.
    func adoptBehindProxy(_ accepted: AcceptedConnection) {
        let proxy = accepted.peer
        guard configuration.proxies.trusted.contain(proxy) else {
            return refuseProxy(proxy, "is not one of --trusted-proxies")
        }
        do throws(SystemError) {
            let preamble = try Preamble(
                of: accepted, on: loop, within: configuration.handshakeTimeout,
                byteLimit: ProxyHeader.byteLimit
            ) { bytes throws(ProxyHeaderError) in
                guard let read = try ProxyHeader.parse(bytes) else { return nil }
                if case .client(let source, let destination) = read.header {
                    accepted.peer = source
                    accepted.localAddress = destination ?? accepted.localAddress
                }
                return read.byteCount
            } onEnd: { [self] outcome in
                awaitedHeaders.remove(accepted)
                switch outcome {
                case .complete: serve(accepted)
                case .refused(let error): refuseProxy(proxy, "\(error)")
                case .lost: refuseProxy(proxy, "sent no whole header within --handshake-timeout")
                }
            }
            awaitedHeaders.add(preamble, of: accepted)
        } catch {
            openCount.subtract(1, ordering: .relaxed)
            log(.error, "a connection from \(proxy) was dropped: \(error)")
        }
    }

    private func refuseProxy(_ proxy: SocketAddress, _ reason: String) {
        log.peerEvent(
            .refusedConnection, .info, "\(proxy) \(reason): closed (--proxy-protocol)")
        left()
    }
}
