/// Finds the word that somebody may have meant.
package enum Nearest {
    /// - Returns: `"; did you mean …?"`, or an empty text if no word is similar.
    package static func hint(_ word: String, among words: [String], prefix: String = "") -> String {
        match(word, among: words).map { "; did you mean \(prefix)\($0)?" } ?? ""
    }

    /// The one word that begins like this, or the one with the fewest different characters.
    package static func match(_ word: String, among words: [String]) -> String? {
        let continued = words.filter { $0.hasPrefix(word) }
        if word.count > 2, continued.count == 1 { return continued[0] }
        let nearest = words.min { distance($0, word) < distance($1, word) }
        guard let nearest else { return nil }
        // A short word could differ in all its letters, which is no similarity.
        let limit = min(max(2, word.count / 3), max(1, min(word.count, nearest.count) - 1))
        return distance(nearest, word) <= limit ? nearest : nil
    }

    /// The number of edits of one character between two words (Levenshtein).
    static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (a.prefix(characterLimit), Array(b.prefix(characterLimit)))
        var row = Array(0...b.count)
        for (i, character) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let change = diagonal + (character == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }

    /// Twice the length of the longest option.
    private static let characterLimit = 64
}
