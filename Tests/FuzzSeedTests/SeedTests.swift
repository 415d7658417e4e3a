import Foundation
import TestSupport
import Testing

/// Every seed of Tests/Fuzzing, and 100 mutations of each, hold the invariants that
/// libFuzzer looks for violations of.
@Suite("Fuzz targets")
struct SeedTests {
    private static let seedFolder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fuzzing/seeds")

    private static func names(in folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { !$0.hasPrefix(".") }.sorted()
    }

    @Test("each target has a folder of seeds, and each folder a target")
    func folders() throws {
        #expect(try Self.names(in: Self.seedFolder) == FuzzTarget.all.map(\.name).sorted())
    }

    @Test("seeds and seeded mutations of them", arguments: FuzzTarget.all)
    func hold(target: FuzzTarget) throws {
        let folder = Self.seedFolder.appending(path: target.name)
        let names = try Self.names(in: folder)
        let seeds = try names.map { [UInt8](try Data(contentsOf: folder.appending(path: $0))) }
        try #require(!seeds.isEmpty)
        var mutator = Mutator(seeds: seeds, seed: 1)
        for (name, seed) in zip(names, seeds) {
            expectNoViolation(seed, target, name)
            for _ in 0..<100 { expectNoViolation(mutator.mutation(of: seed), target, name) }
        }
    }

    private func expectNoViolation(_ bytes: [UInt8], _ target: FuzzTarget, _ name: String) {
        do {
            try bytes.withUnsafeBytes { try target.check($0) }
        } catch {
            let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            Issue.record("\(target.name), from \(name): \(error)\n\(hex.joined(separator: " "))")
        }
    }

    @Test("a broken rule is a violation")
    func violation() {
        #expect(throws: Violation.self) { try require(false, "a rule") }
    }
}

extension FuzzTarget: CustomTestStringConvertible {
    public var testDescription: String { name }
}

/// Damages bytes in one to three places.
private struct Mutator {
    let seeds: [[UInt8]]
    var generator: SeededGenerator

    init(seeds: [[UInt8]], seed: UInt64) {
        self.seeds = seeds
        generator = SeededGenerator(seed: seed)
    }

    mutating func mutation(of seed: [UInt8]) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int.random(in: 1...3, using: &generator) { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let range = self.range(of: bytes)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes.removeSubrange(range)
        case 1: bytes.insert(contentsOf: bytes[range], at: range.lowerBound)
        case 2: bytes.insert(.random(in: 0...255, using: &generator), at: range.lowerBound)
        case 3:
            let other = seeds.randomElement(using: &generator) ?? []
            bytes.replaceSubrange(range, with: other[self.range(of: other)])
        default:
            guard range.lowerBound < bytes.count else { return }
            let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
            bytes[range.lowerBound] ^= bit
        }
    }

    private mutating func range(of bytes: [UInt8]) -> Range<Int> {
        let start = Int.random(in: 0...bytes.count, using: &generator)
        let end = Int.random(in: start...bytes.count, using: &generator)
        return start..<end
    }
}
