import WebSocketHost

/// Tells what it knows of TLS, a line each.
public let handler = WebSocketHandler { socket in
    let request = socket.request
    var lines = ["isSecure: \(request.isSecure)"]
    if let tls = request.tls {
        lines += [
            "version: \(tls.version)", "cipher: \(tls.cipher)",
            "serverName: \(tls.serverName ?? "-")",
            "alpn: \(tls.alpn ?? "-")", "isResumed: \(tls.isResumed)",
            "peerSubject: \(tls.peerSubject ?? "-")",
            "names: \(tls.peerSubjectAlternativeNames.joined(separator: " "))",
        ]
    }
    try await socket.send(lines.joined(separator: "\n"))
}
