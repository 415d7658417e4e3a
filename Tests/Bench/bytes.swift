import Glibc

/// What masking and the UTF-8 check make of memory, beside memcpy: GB (10^9 bytes) per second of
/// this thread's CPU time. `Tests/Bench/run --bytes` builds it from the two files that it measures.
///
/// For each size the subjects are visited in turn, so that what else the machine does hits all of
/// them alike. Medians of the rounds; the ratios are to memcpy in the same table.
@main
struct BytesBench {
    static let roundCount = 21
    static let roundNanoseconds = 2_000_000.0

    static func main() {
        print("GB/s, ratio to memcpy; ns per call up to 64 bytes", terminator: "\n\n")
        print(
            padded(""), [8, 16, 64, 1 << 10, 64 << 10, 1 << 20].map(sizeName).map(padded).joined())
        let columns = [8, 16, 64, 1 << 10, 64 << 10, 1 << 20].map(column)
        for (index, name) in Subject.names.enumerated() {
            print(padded(name), columns.map { padded($0[index]) }.joined())
        }
    }

    /// One table column: what each subject does with so many bytes.
    static func column(_ byteCount: Int) -> [String] {
        let subjects = Subject.all(byteCount)
        for subject in subjects { subject.calibrate(to: roundNanoseconds) }
        var times = subjects.map { _ in [Double]() }
        for _ in 0..<roundCount {
            for (index, subject) in subjects.enumerated() {
                times[index].append(subject.nanosecondsPerCall())
            }
        }
        let medians = times.map { $0.sorted()[roundCount / 2] }
        return medians.map { median in
            if byteCount <= 64 { return "\(rounded(median, 1)) ns" }
            return rounded(Double(byteCount) / median, 1) + " " + rounded(medians[0] / median, 2)
        }
    }

    static func sizeName(_ byteCount: Int) -> String {
        byteCount >= 1 << 20
            ? "\(byteCount >> 20) MiB"
            : byteCount >= 1 << 10 ? "\(byteCount >> 10) KiB" : "\(byteCount) B"
    }

    static func rounded(_ number: Double, _ digitCount: Int) -> String {
        let power = pow(10, Double(digitCount))
        let text = "\((number * power).rounded() / power)".split(separator: ".")
        let fraction = text.count > 1 ? text[1] : ""
        return "\(text[0])." + fraction
            + String(repeating: "0", count: max(0, digitCount - fraction.count))
    }

    static func padded(_ text: String) -> String {
        text + String(repeating: " ", count: max(0, 14 - text.count))
    }
}

/// Something that is done to the same bytes again and again.
final class Subject {
    static let names = ["memcpy", "unmask", "ASCII"] + texts.map(\.name)

    /// Texts of 2-, 3- and 4-byte characters, and what chats and APIs send.
    private static let texts = [
        (name: "Russian", sample: "Съешь же ещё этих мягких французских булок, да выпей чаю. "),
        (name: "Chinese", sample: "天地玄黄，宇宙洪荒。日月盈昃，辰宿列張。寒來暑往，秋收冬藏。"),
        (name: "emoji", sample: "😀😃😄😁 🎉🎊🚀 👍👎 😴🤔 ok "),
        (
            name: "JSON",
            sample:
                "{\"id\":4711,\"from\":\"Zoë\",\"text\":\"Grüße – привет, 世界! 🎉\",\"read\":false},"
        ),
        (
            name: "French",
            sample: "Voix ambiguë d'un cœur qui, au zéphyr, préfère les jattes de kiwis. "
        ),
    ]

    private let bytes: UnsafeMutableRawBufferPointer
    private let action: (UnsafeMutableRawBufferPointer) -> Bool
    private var callCount = 16

    private init(_ bytes: [UInt8], _ action: @escaping (UnsafeMutableRawBufferPointer) -> Bool) {
        self.bytes = .allocate(byteCount: bytes.count, alignment: 64)
        self.bytes.copyBytes(from: bytes)
        self.action = action
    }

    deinit { bytes.deallocate() }

    static func all(_ byteCount: Int) -> [Subject] {
        let ascii = repeated("The quick brown fox jumps over the lazy dog. ", byteCount)
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
        let memcpy = Subject(ascii) { bytes in
            copy.copyMemory(from: UnsafeRawBufferPointer(bytes))
            return true
        }
        let unmask = Subject(ascii) { bytes in
            Mask.apply(0x3D21_FA37, to: bytes)
            return true
        }
        return [memcpy, unmask, check(ascii)] + texts.map { check(repeated($0.sample, byteCount)) }
    }

    private static func check(_ bytes: [UInt8]) -> Subject {
        Subject(bytes) { bytes in
            var validator = UTF8Validator()
            return validator.accept(UnsafeRawBufferPointer(bytes))
        }
    }

    /// The text over and over; it may end inside a character.
    private static func repeated(_ sample: String, _ byteCount: Int) -> [UInt8] {
        Array(
            repeatElement(Array(sample.utf8), count: byteCount / sample.utf8.count + 1).joined()
                .prefix(byteCount))
    }

    /// Finds how many calls take about so long.
    func calibrate(to nanoseconds: Double) {
        for _ in 0..<3 { callCount = max(4, Int(nanoseconds / nanosecondsPerCall())) }
    }

    func nanosecondsPerCall() -> Double {
        let start = threadNanoseconds()
        for _ in 0..<callCount { precondition(action(bytes), "valid text was refused") }
        return max(1, Double(threadNanoseconds() - start)) / Double(callCount)
    }

    private func threadNanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
