// Any request head passes the checks of RFC 6455 §4.2.1 or is refused with a status; the answer to
// one that passed can be sent, and passes the client's checks of §4.1. The same for any response
// head.

import HTTPProtocol
import WebSocketProtocol

func checkHandshake(_ bytes: UnsafeRawBufferPointer) throws {
    let input = FuzzInput(bytes)
    try input.content.withUnsafeBytes { content in
        if input.settings & 1 == 0 {
            try checkAsRequest(content, answersFirst: input.settings & 2 == 0)
        } else {
            try checkAsResponse(content)
        }
    }
}

private func checkAsRequest(_ bytes: UnsafeRawBufferPointer, answersFirst: Bool) throws {
    var parser = RequestHeadParser()
    guard case .complete(let head, _)? = try? parser.parse(bytes) else { return }
    let client: ClientHandshake
    do throws(HandshakeError) {
        client = try OpeningHandshake.check(head)
    } catch {
        return try checkRefusal(error)
    }
    try require(client.key.utf8.count == 24, "the key \(client.key)")
    try require(
        Set(client.offeredSubprotocols).count == client.offeredSubprotocols.count,
        "a subprotocol twice")
    let subprotocol =
        answersFirst ? client.offeredSubprotocols.first : client.offeredSubprotocols.last
    let extensions = client.offeredExtensions.prefix(answersFirst ? 1 : .max)
    let answer = try OpeningHandshake.answer(
        to: client, subprotocol: subprotocol, extensions: Array(extensions))
    let chosen = try OpeningHandshake.checkResponse(
        try read(answer), key: client.key,
        offeredSubprotocols: client.offeredSubprotocols,
        offeredExtensions: client.offeredExtensions)
    try require(chosen.subprotocol == subprotocol, "\(chosen) instead of \(subprotocol ?? "none")")
    try require(chosen.extensions == Array(extensions), "\(chosen) instead of \(extensions)")
}

private func checkRefusal(_ error: HandshakeError) throws {
    try require([400, 426].contains(error.status.code), "\(error): \(error.status)")
    try require(!error.description.isEmpty, "an error without a description")
    _ = try sentAndRead(ResponseHead(status: error.status, fields: error.fields))
}

/// RFC 6455 §1.3's key, whose answer is among the seeds.
private func checkAsResponse(_ bytes: UnsafeRawBufferPointer) throws {
    var parser = ResponseHeadParser()
    guard case .complete(let head, _)? = try? parser.parse(bytes) else { return }
    var request = ClientRequest(host: "a", key: "dGhlIHNhbXBsZSBub25jZQ==")
    request.subprotocols = ["chat", "superchat"]
    request.extensions = [ExtensionOffer("permessage-deflate"), ExtensionOffer("x")]
    let chosen: ServerHandshake
    do throws(HandshakeError) {
        chosen = try request.check(head)
    } catch {
        return try require(!error.description.isEmpty, "an error without a description")
    }
    try require(head.status == .switchingProtocols, "\(head.status)")
    try require(
        chosen.subprotocol.map { request.subprotocols.contains($0) } ?? true, "\(chosen)")
    for name in chosen.extensions.map(\.name) {
        try require(request.extensions.contains { $0.name == name }, "\(chosen)")
    }
}

private func sentAndRead(_ head: ResponseHead) throws -> ResponseHead {
    let readHead = try read(head.serialized())
    try require(readHead == head, "sent: \(head), read: \(readHead)")
    return head
}

/// Nothing but one head.
private func read(_ bytes: [UInt8]) throws -> ResponseHead {
    var parser = ResponseHeadParser(limits: RequestHeadLimits(headByteLimit: 1 << 24))
    let progress = try bytes.withUnsafeBytes { try parser.parse($0) }
    guard case .complete(let head, bytes.count) = progress else {
        throw Violation(description: "sent: \(bytes), read: \(progress)")
    }
    return head
}
