/// What a program of Linux says about the libraries that it needs: the dynamic section of an ELF
/// file (System V ABI, chapters 4 and 5; versions of symbols: LSB Core 5.0, 10.7).
///
/// The bytes may be any: each offset in them is checked, and each list has a limit.
struct ELFNeeds: Equatable, Sendable {
    /// `libssl.so.3`, in the order of the file.
    private(set) var libraries: [String] = []
    /// `GLIBC_2.34`, …: the versions of symbols that the libraries must have.
    private(set) var symbolVersions: Set<String> = []

    /// The file is not a whole, dynamically linked, 64-bit little-endian ELF file.
    struct Malformed: Error {}

    init(_ bytes: [UInt8]) throws(Malformed) {
        let file = try ELFFile(bytes)
        guard let stringsAddress = file.value(.strings) else { throw Malformed() }
        let strings = try file.offset(ofAddress: stringsAddress)
        for entry in file.dynamicEntries where entry.tag == .needed {
            libraries.append(try file.text(at: strings, entry.value))
        }
        guard let versionNeeds = file.value(.versionNeeds) else { return }
        var need = try file.offset(ofAddress: versionNeeds)
        // A list of libraries, each with a list of versions; a distance of 0 ends it.
        for _ in 0..<ELFFile.listLimit {
            var version = try file.add(need, try file.number(need, 8, size: 4))
            for _ in 0..<ELFFile.listLimit {
                let name = try file.number(version, 8, size: 4)
                symbolVersions.insert(try file.text(at: strings, name))
                let distance = try file.number(version, 12, size: 4)
                if distance == 0 { break }
                version = try file.add(version, distance)
            }
            let distance = try file.number(need, 12, size: 4)
            if distance == 0 { return }
            need = try file.add(need, distance)
        }
    }
}

/// The parts of an ELF file that ``ELFNeeds`` reads.
private struct ELFFile {
    enum Tag: UInt64 {
        case needed = 1
        case strings = 5
        case versionNeeds = 0x6FFF_FFFE
    }

    private struct Segment {
        var offset: UInt64
        var address: UInt64
        var byteCount: UInt64
    }

    private let bytes: [UInt8]
    private var loaded: [Segment] = []
    private(set) var dynamicEntries: [(tag: Tag, value: UInt64)] = []

    /// 256: no list in a program is as long.
    static let listLimit: UInt64 = 256

    init(_ bytes: [UInt8]) throws(ELFNeeds.Malformed) {
        self.bytes = bytes
        // 64 bits, little-endian.
        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]) else {
            throw ELFNeeds.Malformed()
        }
        var dynamic: Segment?
        var header = try number(0, 32, size: 8)
        let headerByteCount = try number(0, 54, size: 2)
        for _ in 0..<(try number(0, 56, size: 2)) {
            let segment = Segment(
                offset: try number(header, 8, size: 8), address: try number(header, 16, size: 8),
                byteCount: try number(header, 32, size: 8))
            switch try number(header, 0, size: 4) {
            case 1: loaded.append(segment)
            case 2: dynamic = segment
            default: break
            }
            header = try add(header, headerByteCount)
        }
        guard let dynamic else { throw ELFNeeds.Malformed() }
        for index in 0..<min(dynamic.byteCount / 16, Self.listLimit) {
            let entry = try add(dynamic.offset, index * 16)
            let tag = try number(entry, 0, size: 8)
            if tag == 0 { return }
            if let tag = Tag(rawValue: tag) {
                dynamicEntries.append((tag, try number(entry, 8, size: 8)))
            }
        }
    }

    func value(_ tag: Tag) -> UInt64? { dynamicEntries.first { $0.tag == tag }?.value }

    /// Where in the file lies what has this address in memory.
    func offset(ofAddress address: UInt64) throws(ELFNeeds.Malformed) -> UInt64 {
        for segment in loaded
        where address >= segment.address && address - segment.address < segment.byteCount {
            return try add(segment.offset, address - segment.address)
        }
        throw ELFNeeds.Malformed()
    }

    /// - Returns: an offset in the file.
    func add(_ offset: UInt64, _ distance: UInt64) throws(ELFNeeds.Malformed) -> UInt64 {
        let (sum, overflows) = offset.addingReportingOverflow(distance)
        guard !overflows, sum <= bytes.count else { throw ELFNeeds.Malformed() }
        return sum
    }

    /// - Parameter size: in bytes.
    func number(
        _ start: UInt64, _ distance: UInt64, size: UInt64
    ) throws(ELFNeeds.Malformed) -> UInt64 {
        let first = try add(start, distance)
        let end = try add(first, size)
        return bytes[Int(first)..<Int(end)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A text that a zero ends.
    func text(
        at strings: UInt64, _ distance: UInt64
    ) throws(ELFNeeds.Malformed) -> String {
        let start = Int(try add(strings, distance))
        guard let end = bytes[start...].prefix(Self.textByteLimit).firstIndex(of: 0) else {
            throw ELFNeeds.Malformed()
        }
        return CompilerOutput.printable(bytes[start..<end])
    }

    /// 256: more than the longest file name has.
    private static let textByteLimit = 256
}
