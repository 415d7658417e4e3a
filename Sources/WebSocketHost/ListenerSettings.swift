/// One place where a server listens.
public struct ListenerSettings: Sendable, Hashable {
    /// A name, an address, or `*` for every address, as ``Configuration/host``.
    public var host: String
    /// 0: any free one.
    public var port: UInt16
    /// Whether it speaks TLS, as ``Configuration/tls`` says.
    public var isSecure: Bool
    /// The option that the port comes from, for messages.
    package var portOption = "-p"

    public init(
        host: String = Configuration().host, port: UInt16 = Configuration().port,
        isSecure: Bool = false
    ) {
        self.host = host
        self.port = port
        self.isSecure = isSecure
    }
}

extension Configuration {
    /// ``listeners``, or the one that ``host``, ``port`` and ``tls`` describe.
    package var allListeners: [ListenerSettings] {
        guard listeners.isEmpty else { return listeners }
        return [ListenerSettings(host: host, port: port, isSecure: tls != nil)]
    }
}
