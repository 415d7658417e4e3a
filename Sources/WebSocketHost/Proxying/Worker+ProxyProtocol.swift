import EventLoop
import HTTPServer
import Proxies
import Synchronization

// What a proxy sends before anything else. On the loop's thread.

/// What is done with a connection once its client is known.
enum AcceptedPurpose {
    /// It is counted already.
    case serve
    /// There are too many; it is not counted.
    case refuse
}

/// The connections of one loop whose PROXY header is awaited.
final class AwaitedHeaders {
    private var preambles: [ObjectIdentifier: Preamble<ProxyHeaderError>] = [:]
    /// How many of them will be refused.
    private(set) var refusedCount = 0

    var isEmpty: Bool { preambles.isEmpty }

    func add(
        _ preamble: Preamble<ProxyHeaderError>, of accepted: AcceptedConnection,
        _ purpose: AcceptedPurpose
    ) {
        preambles[ObjectIdentifier(accepted)] = preamble
        if purpose == .refuse { refusedCount += 1 }
    }

    func remove(_ accepted: AcceptedConnection, _ purpose: AcceptedPurpose) {
        guard preambles.removeValue(forKey: ObjectIdentifier(accepted)) != nil else { return }
        if purpose == .refuse { refusedCount -= 1 }
    }

    func closeAll() {
        for preamble in preambles.values { preamble.close() }
    }
}

extension Worker {
    /// Serves or refuses a connection as one of the client that the header in front of it names, if
    /// proxies have to write one.
    func takeHeader(of accepted: AcceptedConnection, _ purpose: AcceptedPurpose) {
        let index = accepted.listenerIndex
        guard areListenersBehindProxy.indices.contains(index), areListenersBehindProxy[index] else {
            return headerTaken(of: accepted, purpose)
        }
        let proxy = accepted.peer
        guard configuration.proxies.trusted.contain(proxy) else {
            return refuseProxy(proxy, "is not one of --trusted-proxies", purpose)
        }
        // As many as are being told so; others are closed at once.
        if purpose == .refuse && awaitedHeaders.refusedCount >= Exchanges.refusalLimit { return }
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
                awaitedHeaders.remove(accepted, purpose)
                switch outcome {
                case .complete: headerTaken(of: accepted, purpose)
                case .refused(let error): refuseProxy(proxy, "\(error)", purpose)
                case .lost:
                    refuseProxy(
                        proxy, "sent no whole header within --handshake-timeout", purpose)
                }
            }
            awaitedHeaders.add(preamble, of: accepted, purpose)
        } catch {
            if purpose == .serve { left() }
            logDropped(proxy, error)
        }
    }

    private func headerTaken(of accepted: AcceptedConnection, _ purpose: AcceptedPurpose) {
        switch purpose {
        case .serve: serve(accepted)
        case .refuse: sendRefusal(accepted)
        }
    }

    private func refuseProxy(
        _ proxy: SocketAddress, _ reason: String, _ purpose: AcceptedPurpose
    ) {
        log.peerEvent(
            .refusedConnection, .info, "\(proxy) \(reason): closed (--proxy-protocol)")
        if purpose == .serve { left() }
    }
}
