import HTTPProtocol
import TestSupport
import Testing

@testable import WebSocketProtocol

@Suite("RFC 7692 §5, §7.1 Negotiation")
struct PermessageDeflateTests {
    static func accepted(_ value: String, _ settings: CompressionSettings) throws -> String? {
        let offers = try #require(ExtensionOffer.parse(value))
        return PermessageDeflate.accept(offers, settings)?.answer.description
    }

    /// Offer and answers: shared, dedicated, and dedicated with a window of 10 bits.
    static let answers: [(String, shared: String, dedicated: String, small: String)] = [
        ("", "sn cn", "", "cn sw=10"),
        ("sn", "sn cn", "sn", "sn cn sw=10"),
        ("cn", "sn cn", "cn", "cn sw=10"),
        ("sn cn", "sn cn", "sn cn", "sn cn sw=10"),
        ("sw=15", "sn cn sw=15", "sw=15", "cn sw=10"),
        ("sw=12", "sn cn sw=12", "sw=12", "cn sw=10"),
        ("sw=9", "sn cn sw=9", "sw=9", "cn sw=9"),
        ("sw=8", "sn cn sw=8", "sw=8", "cn sw=8"),
        ("sw=\"9\"", "sn cn sw=9", "sw=9", "cn sw=9"),
        ("cw", "sn cn", "", "sw=10 cw=10"),
        ("cw=15", "sn cn", "", "sw=10 cw=10"),
        ("cw=12", "sn cn", "cw=12", "sw=10 cw=10"),
        ("cw=8", "sn cn", "cw=8", "sw=10 cw=8"),
        ("cw=\"12\"", "sn cn", "cw=12", "sw=10 cw=10"),
        ("cw sw=11", "sn cn sw=11", "sw=11", "sw=10 cw=10"),
        ("cw=9 sw=11 cn sn", "sn cn sw=11", "sn cn sw=11 cw=9", "sn cn sw=10 cw=9"),
    ]

    @Test(arguments: answers)
    func answer(_ offer: String, _ shared: String, _ dedicated: String, _ small: String) throws {
        let offer = spelledOut(offer)
        #expect(try Self.accepted(offer, compressionSettings(.shared)) == spelledOut(shared))
        #expect(try Self.accepted(offer, compressionSettings(.dedicated)) == spelledOut(dedicated))
        let settings = compressionSettings(.dedicated, windowBits: 10)
        #expect(try Self.accepted(offer, settings) == spelledOut(small))
        #expect(try Self.accepted(offer, compressionSettings(.off)) == nil)
    }

    /// §5.1, §7.1: offers that are declined, alone; with a good one behind them, that is taken.
    static let declined = [
        "x", "sn=", "sn=1", "sn=true", "cn=1", "sn sn", "cn cn", "cw cw", "cw=9 cw", "sw=9 sw=9",
        "sw",
        "sw=", "sw=7", "sw=16", "sw=0", "sw=08", "sw=015", "sw=010", "sw=+9", "sw=-9", "sw=9.0",
        "sw=a",
        "sw=99999999999999999999", "sw=0x9", "sw=\u{0669}", "cw=7", "cw=16", "cw=", "cw=08",
        "cw=015",
        "cw=00", "cw=a", "SN", "sw=9 x", "cn x=1", "sn cn cw sw=10 sn",
    ]

    @Test(arguments: declined)
    func decline(_ short: String) throws {
        // Built, not parsed: not all of it has the grammar.
        let offer = deflateOffer(short)
        for mode in CompressionSettings.Mode.allCases {
            let settings = compressionSettings(mode)
            #expect(PermessageDeflate.accept([offer], settings) == nil)
        }
        let good = deflateOffer("sw=11")
        let accepted = try #require(
            PermessageDeflate.accept([offer, good], compressionSettings(.dedicated)))
        #expect(accepted.answer == good)
    }

    static let lists: [Row<String, String?>] = [
        Row(
            "first of two", "permessage-deflate; server_max_window_bits=9, permessage-deflate",
            "sw=9"),
        Row("others passed over", "x, permessage-bzip2; y, permessage-deflate", ""),
        Row("only others", "x, deflate-frame, x-webkit-deflate-frame", nil),
        Row("capitals", "Permessage-Deflate", nil),
        Row(
            "second, as the first has an unknown parameter",
            "permessage-deflate; use_y, permessage-deflate; client_no_context_takeover", "cn"),
        Row(
            "§7.1.3's fallback",
            "permessage-deflate; client_max_window_bits; server_max_window_bits=10,"
                + " permessage-deflate; client_max_window_bits", "sw=10"),
    ]

    @Test(arguments: lists)
    func list(_ row: Row<String, String?>) throws {
        let answer = try Self.accepted(row.input, compressionSettings(.dedicated))
        #expect(answer == row.expected.map(spelledOut))
    }

    @Test func noOffers() {
        #expect(PermessageDeflate.accept([], compressionSettings(.shared)) == nil)
    }

    // MARK: Every legal offer

    static let windows: [String?] = [nil] + (8...15).map(String.init)

    static var legalOffers: [String] {
        var offers: [String] = []
        for takeover in ["", "sn ", "cn ", "sn cn "] {
            for server in windows.map({ $0.map { "sw=\($0) " } ?? "" }) {
                for client in windows.map({ $0.map { "cw=\($0)" } ?? "" }) + ["cw"] {
                    offers.append(takeover + server + client)
                }
            }
        }
        return offers
    }

    static let allSettings = [
        compressionSettings(.shared), compressionSettings(.dedicated),
        compressionSettings(.dedicated, windowBits: 12),
        compressionSettings(.dedicated, windowBits: 9),
        compressionSettings(.dedicated, windowBits: 0),
        compressionSettings(.dedicated, windowBits: 99),
    ]

    /// What the RFC demands of any answer, both ends' reading of it, and the memory promised.
    @Test(arguments: allSettings)
    func everyLegalOffer(_ settings: CompressionSettings) throws {
        for short in Self.legalOffers {
            let offer = deflateOffer(short)
            let (answer, server) = try #require(PermessageDeflate.accept([offer], settings))
            let offered = dictionary(offer)
            let answered = dictionary(answer)
            let names = answer.parameters.map(\.name)
            #expect(Set(names).count == names.count, "\(short)")
            let serverBits = answered["server_max_window_bits"].map { Int($0) ?? 0 }
            let clientBits = answered["client_max_window_bits"].map { Int($0) ?? 0 }
            // §7.1.1.1, §7.1.2.1: accepted by being there.
            if offered["server_no_context_takeover"] != nil {
                #expect(server.serverNoContextTakeover)
            }
            if let bits = offered["server_max_window_bits"] {
                #expect((8...(Int(bits) ?? 0)).contains(serverBits ?? 16), "\(short)")
            }
            // §7.1.2.2: only where offered, and not larger.
            if let clientBits {
                let limit = try #require(offered["client_max_window_bits"])
                #expect((8...(Int(limit) ?? 15)).contains(clientBits), "\(short)")
            }
            #expect(
                server.serverNoContextTakeover == (answered["server_no_context_takeover"] != nil))
            #expect(
                server.clientNoContextTakeover == (answered["client_no_context_takeover"] != nil))
            #expect(server.serverMaxWindowBits == serverBits ?? 15)
            #expect(server.clientMaxWindowBits == clientBits ?? 15)

            let client = try PermessageDeflate.check(answer, offered: [offer])
            #expect(client.inflateWindowBits(.client) == server.deflateWindowBits(.server))
            #expect(client.deflateWindowBits(.client) <= server.inflateWindowBits(.server))
            #expect(client.inflateKeepsContext(.client) == server.deflateKeepsContext(.server))
            // A client may keep less than it was asked to.
            if client.deflateKeepsContext(.client) { #expect(server.inflateKeepsContext(.server)) }

            if settings.mode == .shared {
                #expect(
                    !server.deflateKeepsContext(.server) && !server.inflateKeepsContext(.server))
            } else {
                let keptBits = min(max(settings.windowBits, 9), 15)
                #expect(
                    !server.deflateKeepsContext(.server)
                        || server.deflateWindowBits(.server) <= keptBits)
                #expect(
                    !server.inflateKeepsContext(.server)
                        || server.inflateWindowBits(.server) <= keptBits)
            }
        }
    }

    private func dictionary(_ element: ExtensionOffer) -> [String: String] {
        Dictionary(element.parameters.map { ($0.name, $0.value ?? "") }) { first, _ in first }
    }

    @Test func roles() {
        var parameters = DeflateParameters()
        for role in [Role.server, .client] {
            #expect(
                parameters.deflateWindowBits(role) == 15 && parameters.inflateWindowBits(role) == 15
            )
            #expect(parameters.deflateKeepsContext(role) && parameters.inflateKeepsContext(role))
        }
        parameters.serverNoContextTakeover = true
        parameters.serverMaxWindowBits = 9
        parameters.clientMaxWindowBits = 10
        #expect(
            parameters.deflateWindowBits(.server) == 9 && parameters.inflateWindowBits(.client) == 9
        )
        #expect(
            parameters.deflateWindowBits(.client) == 10
                && parameters.inflateWindowBits(.server) == 10)
        #expect(
            !parameters.deflateKeepsContext(.server) && !parameters.inflateKeepsContext(.client))
        #expect(parameters.deflateKeepsContext(.client) && parameters.inflateKeepsContext(.server))
    }
}
