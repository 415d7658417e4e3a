import Foundation
import TestSupport
import Testing
import WebSocketHost
import WebSocketHostJSON

@Suite("JSON beside Foundation's: mutations of good texts")
struct JSONDifferentialTests {
    private static let seeds = [
        #"{"a":[1.5e+3,true,null,"\u00e9\ud83c\udf0d"],"b":{"c":-0}}"#,
        #" [ 0.1 , -12 , 1E-2 , 123456789012345678901234567890 ] "#,
        #"{"user":{"name":"Ada \"L\" \\ \/","tags":[],"x":{}},"n":[[],[[]]]}"#,
        #"["grüße 🌍","\b\f\n\r\t","",false]"#,
    ].map { Array($0.utf8) }
    private static let pieces = [
        "\"", "\\", "\\u", "[", "]", "{", "}", ",", ":", "0", "-", "e", ".", " ",
    ]
    .map { Array($0.utf8) }

    @Test("What one reads the other reads as the same, but for what HANDLERS.md says")
    func mutations() throws {
        var random = SeededGenerator(seed: 7)
        var readCount = 0
        for _ in 0..<8_000 {
            var bytes = try #require(Self.seeds.randomElement(using: &random))
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<max(1, bytes.count), using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0 where !bytes.isEmpty: bytes.remove(at: place)
                case 1 where !bytes.isEmpty: bytes[place] = .random(in: 0...127, using: &random)
                case 2: bytes.removeSubrange(place...)
                default:
                    bytes.insert(
                        contentsOf: Self.pieces.randomElement(using: &random) ?? [], at: place)
                }
            }
            try compare(bytes, &readCount)
        }
        #expect(readCount > 500)
    }

    private func compare(_ bytes: [UInt8], _ readCount: inout Int) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        let theirs = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        do {
            let ours = try Message.binary(bytes).decode(JSONValue.self)
            readCount += 1
            // Foundation refuses what is closer to zero than any number.
            #expect(theirs == nil || ours == theirs, "\(text)")
            #expect(try Message.json(ours).decode(JSONValue.self) == ours, "\(text)")
        } catch let error as JSONError where error.problem == .syntax && error.expected != "UTF-8" {
            // Foundation lets zero bytes stand for UTF-16, and a comma stand before a bracket.
            let isLenient = bytes.contains(0) || error.found == "']'" || error.found == "'}'"
            #expect(theirs == nil || isLenient, "\(text): \(error)")
        } catch is JSONError {
        }
    }
}
