extension JSONDocument {
    /// A whole number; also one that is written as `1.0` or `1e3`.
    ///
    /// - Returns: `nil` if it is none, or does not fit.
    func integer<Number: FixedWidthInteger>(_ index: Int) -> Number? {
        var digits = slice(index)
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits.removeFirst() }
        var value: Number = 0
        for digit in digits {
            guard digit.isDigit else { return wholeNumber(index) }
            let (tens, isTooLong) = value.multipliedReportingOverflow(by: 10)
            let ones = Number(truncatingIfNeeded: digit - UInt8(ascii: "0"))
            let (sum, isTooLarge) =
                isNegative
                ? tens.subtractingReportingOverflow(ones) : tens.addingReportingOverflow(ones)
            if isTooLong || isTooLarge { return nil }
            value = sum
        }
        return value
    }

    /// As `Double` has it exactly: up to 2^53.
    private func wholeNumber<Number: FixedWidthInteger>(_ index: Int) -> Number? {
        guard let value: Double = floatingPoint(index), value.magnitude <= 0x1p53 else {
            return nil
        }
        return Number(exactly: value)
    }

    /// The nearest number that there is; what is closer to zero than the smallest one is zero.
    ///
    /// - Returns: `nil` if it is larger than the largest one.
    func floatingPoint<Number: BinaryFloatingPoint & LosslessStringConvertible>(
        _ index: Int
    ) -> Number? {
        if let value = shortDecimal(index), Number.self == Double.self { return Number(value) }
        let text = String(decoding: slice(index), as: UTF8.self)
        guard let value = Number(text), value.isFinite else { return nil }
        return value
    }

    /// Up to 15 digits with a point among them: both are exact as `Double`, so their quotient is
    /// rounded right.
    private func shortDecimal(_ index: Int) -> Double? {
        let text = slice(index)
        guard text.count <= 16 else { return nil }
        var digits = 0.0
        var scale = 1.0
        var hasPoint = false
        var isNegative = false
        for byte in text {
            switch byte {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "."): hasPoint = true
            default:
                guard byte.isDigit else { return nil }
                digits = digits * 10 + Double(byte - UInt8(ascii: "0"))
                if hasPoint { scale *= 10 }
            }
        }
        guard digits <= 0x1p53 else { return nil }
        return (isNegative ? -digits : digits) / scale
    }
}
