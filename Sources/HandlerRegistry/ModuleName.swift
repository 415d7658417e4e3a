// How a handler file's module is called. Package.swift has the same lines, as it cannot import
// them; Tests/HandlerBuildTests compares the two.

/// `echo_wsh.swift` is module `echo_wsh`. A name that is no plain identifier, or lies in a folder,
/// gets its odd characters replaced and a hash of the path, which keeps it unique.
///
/// - Parameter path: below the handlers directory.
package func moduleName(of path: String) -> String {
    let name = String(path.dropLast(".swift".count))
    let isPlain =
        name.utf8.count <= 80 && name.first?.isNumber == false
        && name.unicodeScalars.allSatisfy(isIdentifierCharacter)
    if isPlain { return name }
    let readable = name.unicodeScalars.suffix(60).map {
        isIdentifierCharacter($0) ? String($0) : "_"
    }
    return "_" + readable.joined() + "_" + String(hash(of: path), radix: 36)
}

func isIdentifierCharacter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_": true
    default: false
    }
}

/// FNV-1a: the same in every run, which `Hasher` is not.
func hash(of text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}
