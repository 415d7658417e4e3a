import HTTPProtocol
import TestSupport
import Testing

@testable import WebSocketProtocol

@Suite("RFC 7692 §5, §7.1 Negotiation, the client's side")
struct PermessageDeflateClientTests {
    static let offered: [Row<CompressionSettings, [String]>] = [
        Row("off", compressionSettings(.off), []),
        Row("shared", compressionSettings(.shared), ["sn cn cw"]),
        Row("dedicated", compressionSettings(.dedicated), ["cw"]),
        Row(
            "dedicated, 12 bits", compressionSettings(.dedicated, windowBits: 12),
            ["sw=12 cw=12", "sn cw=12"]),
        Row(
            "dedicated, too few", compressionSettings(.dedicated, windowBits: 1),
            ["sw=9 cw=9", "sn cw=9"]),
    ]

    @Test(arguments: offered)
    func whatIsOffered(_ row: Row<CompressionSettings, [String]>) throws {
        let offers = PermessageDeflate.offers(row.input)
        #expect(offers.map(\.description) == row.expected.map(spelledOut))
        // Our own server takes the first of them, and our own client its answer.
        for mode in [CompressionSettings.Mode.shared, .dedicated] where !offers.isEmpty {
            let accepted = try #require(PermessageDeflate.accept(offers, compressionSettings(mode)))
            let parameters = try PermessageDeflate.check(accepted.answer, offered: offers)
            #expect(parameters.inflateWindowBits(.client) <= row.input.keptWindowBits)
        }
    }

    /// Offers, answer, and what it means: takeover flags of server and client, their window bits;
    /// `nil` if the answer fails the connection.
    static let checks: [(offers: [String], answer: String, meaning: String?)] = [
        ([""], "", "15 15"),
        ([""], "sn", "sn 15 15"),
        ([""], "cn", "cn 15 15"),
        ([""], "sw=8", "8 15"),
        ([""], "sw=15", "15 15"),
        ([""], "cw=15", nil),
        ([""], "cw=8", nil),
        (["cw"], "cw=8", "15 8"),
        (["cw"], "cw=15", "15 15"),
        (["cw"], "cw", nil),
        (["cw=12"], "cw=12", "15 12"),
        (["cw=12"], "cw=13", nil),
        (["cw=12"], "", "15 12"),
        (["sn"], "", nil),
        (["sn"], "sn", "sn 15 15"),
        (["sn"], "cn", nil),
        (["cn"], "", "cn 15 15"),
        (["sw=10"], "", nil),
        (["sw=10"], "sw=10", "10 15"),
        (["sw=10"], "sw=9", "9 15"),
        (["sw=10"], "sw=11", nil),
        (["sw=10 cw=10", "sn cw=10"], "sn", "sn 15 10"),
        (["sw=10 cw=10", "sn cw=10"], "sw=10", "10 10"),
        (["sw=10 cw=10", "sn cw=10"], "", nil),
        (["sn cn sw=9 cw"], "cw=10 sw=9 cn sn", "sn cn 9 10"),
        (["x", "cw"], "cw=9", "15 9"),
        (["x"], "", nil),
        (["cw"], "x", nil),
        (["cw"], "sn sn", nil),
        (["cw"], "cw=9 cw=9", nil),
        (["cw"], "sn=1", nil),
        (["cw"], "cn=1", nil),
        (["cw"], "sw", nil),
        (["cw"], "sw=7", nil),
        (["cw"], "sw=16", nil),
        (["cw"], "sw=08", nil),
        (["cw"], "cw=08", nil),
        (["cw"], "cw=7", nil),
        (["cw"], "cw=16", nil),
        (["cw"], "cw=", nil),
    ]

    @Test(arguments: checks)
    func check(_ offers: [String], _ answer: String, _ meaning: String?) throws {
        let offered = offers.map(deflateOffer)
        let answer = deflateOffer(answer)
        guard let meaning else {
            let error = HandshakeError.invalidExtensionAnswer(answer.description)
            #expect(throws: error) { try PermessageDeflate.check(answer, offered: offered) }
            #expect(error.status == .badGateway)
            return
        }
        let parameters = try PermessageDeflate.check(answer, offered: offered)
        let words =
            (parameters.serverNoContextTakeover ? ["sn"] : [])
            + (parameters.clientNoContextTakeover ? ["cn"] : [])
            + ["\(parameters.serverMaxWindowBits)", "\(parameters.clientMaxWindowBits)"]
        #expect(words.joined(separator: " ") == meaning)
    }

    @Test func checksNames() {
        let deflate = deflateOffer("")
        let other = ExtensionOffer("x")
        #expect(throws: HandshakeError.unofferedExtension("x")) {
            try PermessageDeflate.check(other, offered: [deflate, other])
        }
        #expect(throws: HandshakeError.unofferedExtension("permessage-deflate")) {
            try PermessageDeflate.check(deflate, offered: [other])
        }
        #expect(
            HandshakeError.invalidExtensionAnswer("permessage-deflate; x").description
                == "The answer \"permessage-deflate; x\" fits no extension that was offered.")
    }
}
