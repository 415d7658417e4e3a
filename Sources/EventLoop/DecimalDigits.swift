extension UnsafeMutableRawPointer {
    /// Writes a number in decimal digits, of which there are 20 at most.
    ///
    /// - Parameter width: zeros stand in front of shorter numbers.
    /// - Returns: the count of bytes written.
    @inline(__always)
    package func storeDigits(of number: UInt, width: Int = 1) -> Int {
        var (rest, digitCount) = (number, 1)
        while rest >= 10 {
            rest /= 10
            digitCount &+= 1
        }
        digitCount = max(digitCount, width)
        rest = number
        var place = digitCount
        while place > 0 {
            place &-= 1
            let digit = UInt8(ascii: "0") | UInt8(truncatingIfNeeded: rest % 10)
            storeBytes(of: digit, toByteOffset: place, as: UInt8.self)
            rest /= 10
        }
        return digitCount
    }
}
