import Foundation
import TestSupport
import Testing

@testable import HandlerBuild

@Suite("What a program needs")
struct ProgramNeedsTests {
    /// A file with two libraries, and versions of the second one's symbols.
    ///
    ///     0 header · 64 three program headers · 232 dynamic section · 328 strings · 388 versions
    private static let small: [UInt8] = {
        var file = SmallELF()
        file.bytes([0x7F, 0x45, 0x4C, 0x46, 2, 1], count: 32)
        file.numbers((64, 8), (0, 8), (0, 4), (64, 2), (56, 2), (3, 2), (0, 2), (0, 2), (0, 2))
        let address: UInt64 = 0x1000
        for (type, start, byteCount): (UInt64, UInt64, UInt64) in [
            (6, 64, 168), (1, 0, 452), (2, 232, 96),
        ] {
            file.numbers((type, 4), (0, 4), (start, 8), (address + start, 8), (0, 8))
            file.numbers((byteCount, 8), (byteCount, 8), (8, 8))
        }
        for (tag, value): (UInt64, UInt64) in [
            (1, 1), (1, 14), (5, address + 328), (0x6FFF_FFFE, address + 388), (0x6FFF_FFFF, 1),
            (0, 0),
        ] { file.numbers((tag, 8), (value, 8)) }
        file.bytes(Array("\0libssl.so.3\0\0libc.so.6\0GLIBC_2.9\0GLIBC_2.34\0".utf8), count: 60)
        file.numbers((1, 2), (2, 2), (14, 4), (16, 4), (0, 4))
        file.numbers((0, 4), (0, 2), (2, 2), (24, 4), (16, 4))
        file.numbers((0, 4), (0, 2), (3, 2), (34, 4), (0, 4))
        return file.all
    }()

    @Test("libraries and versions of symbols")
    func small() throws {
        let needs = try ELFNeeds(Self.small)
        #expect(needs.libraries == ["libssl.so.3", "libc.so.6"])
        #expect(needs.symbolVersions == ["GLIBC_2.9", "GLIBC_2.34"])
        let program = try #require(ProgramNeeds(Self.small))
        #expect(program.glibcVersion == "2.34")
        #expect(program.packages == ["libssl3"])
    }

    @Test("the program that runs this test, as ldd sees it")
    func ownProgram() throws {
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let needs = try ELFNeeds(Array(Data(contentsOf: URL(filePath: path))))
        #expect(needs.libraries.contains("libc.so.6"))
        let ldd = Process()
        ldd.executableURL = URL(filePath: "/usr/bin/ldd")
        ldd.arguments = [path]
        let output = Pipe()
        ldd.standardOutput = output
        try ldd.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        ldd.waitUntilExit()
        for library in needs.libraries { #expect(text.contains(library)) }
    }

    @Test("a file that is cut off")
    func truncated() {
        for count in 0..<Self.small.count {
            #expect(ProgramNeeds(Array(Self.small.prefix(count))) == nil, "\(count) bytes")
        }
    }

    @Test("files with wrong bytes")
    func hostile() {
        var generator = SeededGenerator(seed: 2)
        let interesting: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF]
        for round in 0..<5_000 {
            var bytes = Self.small
            for _ in 0...round % 4 {
                let index = Int.random(in: 6..<bytes.count, using: &generator)
                bytes[index] = interesting.randomElement(using: &generator) ?? 0
            }
            _ = ProgramNeeds(bytes)
        }
        for index in Self.small.indices.dropLast(8) {
            var bytes = Self.small
            for offset in 0..<8 { bytes[index + offset] = 0xFF }
            _ = ProgramNeeds(bytes)
        }
    }

    @Test("lists that never end")
    func endless() throws {
        var bytes = Self.small
        bytes[388 + 12] = 0  // One library, whose versions refer to themselves:
        bytes[388 + 16 + 12] = 0
        bytes[388 + 32 + 12] = 1
        _ = ProgramNeeds(bytes)
    }

    static let others: [Row<[UInt8], Void>] = [
        Row("nothing", [], ()), Row("a script", Array("#!/bin/sh\n".utf8), ()),
        Row("32 bits", [0x7F, 0x45, 0x4C, 0x46, 1, 1] + [UInt8](repeating: 0, count: 100), ()),
        Row("no segments", [0x7F, 0x45, 0x4C, 0x46, 2, 1] + [UInt8](repeating: 0, count: 100), ()),
    ]

    @Test("other files", arguments: others)
    func other(_ row: Row<[UInt8], Void>) { #expect(ProgramNeeds(row.input) == nil) }

    static let texts: [Row<(libraries: [String], versions: Set<String>), String>] = [
        Row(
            "a server",
            (
                [
                    "libssl.so.3", "libcrypto.so.3", "libz.so.1", "libcrypt.so.1", "libm.so.6",
                    "libstdc++.so.6", "libgcc_s.so.1", "libc.so.6", "ld-linux-x86-64.so.2",
                ], ["GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_2.4", "OPENSSL_3.0.0", "GLIBC_PRIVATE"]
            ),
            "it needs Linux with glibc 2.34 or later and these packages (Debian 12): "
                + "libcrypt1 libgcc-s1 libssl3 libstdc++6 zlib1g"),
        Row("nothing special", (["libc.so.6"], []), "it needs Linux with glibc"),
        Row(
            "an unknown library", (["libc.so.6", "libodd.so.9"], ["GLIBC_2.17"]),
            "it needs Linux with glibc 2.17 or later; also libodd.so.9"),
    ]

    @Test("in words", arguments: texts)
    func text(_ row: Row<(libraries: [String], versions: Set<String>), String>) {
        let needs = ProgramNeeds(
            libraries: row.input.libraries, symbolVersions: row.input.versions)
        #expect(needs.text == row.expected)
    }
}

/// An ELF file that is put together number by number.
private struct SmallELF {
    var all: [UInt8] = []

    mutating func bytes(_ bytes: [UInt8], count: Int) {
        all += bytes + [UInt8](repeating: 0, count: count - bytes.count)
    }

    /// Little-endian, each with its size in bytes.
    mutating func numbers(_ numbers: (value: UInt64, byteCount: Int)...) {
        for number in numbers {
            for index in 0..<number.byteCount {
                all.append(UInt8(truncatingIfNeeded: number.value >> (8 * index)))
            }
        }
    }
}
