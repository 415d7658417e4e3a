/// What an `Accept-Encoding` field lets in (RFC 9110 §12.5.3).
public enum ContentCoding {
    /// Those of `available` that the client takes, the one it wants most first; of equal ones, the
    /// one that is named first in `available`.
    ///
    /// No field means here that only the representation as it is will do: RFC 9110 allows any
    /// coding then, but who does not ask is seldom ready for one.
    public static func accepted(_ fields: Fields, of available: [String]) -> [String] {
        guard let value = fields["Accept-Encoding"],
            let elements = HeaderGrammar.parameterizedElements(of: value)
        else { return [] }
        let weighted = available.compactMap { coding -> (coding: String, weight: Int)? in
            let weight = weight(of: coding, elements)
            return weight > 0 ? (coding, weight) : nil
        }
        return weighted.enumerated().sorted {
            ($1.element.weight, $0.offset) < ($0.element.weight, $1.offset)
        }.map(\.element.coding)
    }

    private static func weight(of coding: String, _ elements: [ParameterizedElement]) -> Int {
        let named = elements.first { HeaderGrammar.equalsIgnoringCase($0.name, coding) }
        guard let element = named ?? elements.first(where: { $0.name == "*" }) else { return 0 }
        let quality = element.parameters.first { HeaderGrammar.equalsIgnoringCase($0.name, "q") }
        return quality.map { weight($0.value ?? "") } ?? 1_000
    }

    /// Thousandths. RFC 9110 §12.4.2: `qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ]
    /// )`; 0 for what is no weight.
    private static func weight(_ text: String) -> Int {
        let parts = text.utf8.split(
            separator: Byte.dot, maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, whole.count == 1, let units = Byte.number(whole), units <= 1
        else { return 0 }
        guard parts.count == 2, !parts[1].isEmpty else { return units * 1_000 }
        guard parts[1].count <= 3, let fraction = Byte.number(parts[1]) else { return 0 }
        let scale = [100, 10, 1][parts[1].count - 1]
        return min(1_000, units * 1_000 + fraction * scale)
    }
}
