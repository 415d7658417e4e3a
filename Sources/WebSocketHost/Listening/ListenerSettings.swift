/// One place where a server listens.
public struct ListenerSettings: Sendable, Hashable {
    public var address: ListenAddress
    /// Whether it speaks TLS, as ``Configuration/tls`` says.
    public var isSecure: Bool
    /// Whether each connection begins with a header of the PROXY protocol, as
    /// ``ProxySettings/usesProxyProtocol`` has it for all.
    public var usesProxyProtocol = false
    /// Whether its socket is there already, so that none is opened for it.
    package var isPassed = false
    /// The option that it comes from, for messages.
    package var option = "-p"
    /// The option of its host.
    package var hostOption: String { option.hasSuffix("-listen") ? option : "-H" }

    public init(_ address: ListenAddress, isSecure: Bool = false) {
        self.address = address
        self.isSecure = isSecure
    }

    /// - Parameters:
    ///   - host: a name, an address, or `*` for every address, as ``Configuration/host``.
    ///   - port: 0: any free one.
    public init(
        host: String = Configuration().host, port: UInt16 = Configuration().port,
        isSecure: Bool = false
    ) {
        self.init(.internet(host: host, port: port), isSecure: isSecure)
    }

    /// A Unix-domain socket.
    ///
    /// - Parameter mode: the rights of its file; `nil`: all that the umask leaves.
    public init(unix path: String, mode: UInt32? = nil, isSecure: Bool = false) {
        self.init(.unix(path: path, mode: mode), isSecure: isSecure)
    }
}

extension ListenerSettings {
    /// Reads an address and what may stand behind it: `*:9998,tls`,
    /// `unix:/run/x.sock,mode=0660,proxy-protocol`.
    package static func parse(_ text: String) throws(ListenAddressError) -> ListenerSettings {
        let (address, words) = try ListenAddress.parseWords(text)
        var settings = ListenerSettings(address)
        for word in words {
            switch word {
            case "tls": settings.isSecure = true
            case "proxy-protocol": settings.usesProxyProtocol = true
            default: throw ListenAddressError(text, unknown: word)
            }
        }
        return settings
    }
}

extension Configuration {
    /// ``listeners``, or the one that ``host``, ``port`` and ``tls`` describe.
    package var allListeners: [ListenerSettings] {
        guard listeners.isEmpty else { return listeners }
        return [ListenerSettings(host: host, port: port, isSecure: tls != nil)]
    }

    /// Whether connections of any listener begin with a header of the PROXY protocol.
    package var usesProxyProtocol: Bool {
        proxies.usesProxyProtocol || listeners.contains(where: \.usesProxyProtocol)
    }

    /// Whether those of this one do.
    func usesProxyProtocol(_ listener: ListenerSettings) -> Bool {
        listener.usesProxyProtocol || proxies.usesProxyProtocol
    }
}
