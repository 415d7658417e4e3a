// libFuzzer's way in. The program's name is the target's: Tests/Fuzzing/run makes a link for each.

import FuzzTargets

private let target: FuzzTarget = {
    let name = CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? ""
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        fatalError("no target is named \(name)")
    }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    do {
        try target.check(UnsafeRawBufferPointer(start: start, count: byteCount))
    } catch {
        fatalError("\(target.name): \(error)")
    }
    return 0
}
