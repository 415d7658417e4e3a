// Any text is a list of extensions or is not; one that is consists of tokens, and is read the same
// when it was sent again.

import HTTPProtocol
import WebSocketProtocol

func checkExtensions(_ bytes: UnsafeRawBufferPointer) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let offers = ExtensionOffer.parse(text) else { return }
    try require(!offers.isEmpty, "an empty list")
    for offer in offers {
        try require(HeaderGrammar.isToken(offer.name), "the name \(offer.name)")
        for parameter in offer.parameters {
            try require(HeaderGrammar.isToken(parameter.name), "the name \(parameter.name)")
            try require(
                parameter.value.map { HeaderGrammar.isToken($0) } ?? true, "value of \(parameter)")
        }
    }
    let sent = ExtensionOffer.serialize(offers)
    let again = ExtensionOffer.parse(sent)
    try require(again == offers, "\(sent) is read as \(String(describing: again))")
    let elements = HeaderGrammar.elements(of: text)
    try require(elements?.count == offers.count, "\(String(describing: elements)) are elements")
    // As fields, one line for each: RFC 6455 §9.1 says that it is the same.
    var fields = Fields()
    for offer in offers { try fields.append("Sec-WebSocket-Extensions", offer.description) }
    try require(fields["sec-websocket-extensions"] == sent, "lines do not join to \(sent)")
}
