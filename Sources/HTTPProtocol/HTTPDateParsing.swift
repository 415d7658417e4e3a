extension HTTPDate {
    /// Reads a date in any of the three forms that RFC 9110 §5.6.7 asks a recipient to accept:
    ///
    /// ```
    /// Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate
    /// Sunday, 06-Nov-94 08:49:37 GMT    RFC 850, obsolete
    /// Sun Nov  6 08:49:37 1994          asctime, obsolete
    /// ```
    ///
    /// - Returns: seconds since 1970-01-01 00:00:00 UTC; `nil` for anything else. The day's name is
    ///   not held against the date.
    public static func secondsSince1970(_ text: String) -> Int? {
        let words = text.split(separator: " ")
        switch words.count {
        case 6 where words[0].hasSuffix(",") && words[5] == "GMT":
            return seconds(year: number(words[3], 4), words[2], number(words[1], 2), words[4])
        case 4 where words[0].hasSuffix(",") && words[3] == "GMT":
            let date = words[1].split(separator: "-", omittingEmptySubsequences: false)
            guard date.count == 3, let year = number(date[2], 2) else { return nil }
            // "MUST interpret a timestamp that appears to be more than 50 years in the future as
            // representing the most recent year in the past": at the time of writing that is 1977.
            return seconds(
                year: year < 77 ? 2000 + year : 1900 + year, date[1], number(date[0], 2), words[2])
        case 5:
            let day = number(words[2], words[2].utf8.count == 1 ? 1 : 2)
            return seconds(year: number(words[4], 4), words[1], day, words[3])
        default:
            return nil
        }
    }

    private static func seconds(
        year: Int?, _ monthName: Substring, _ day: Int?, _ clock: Substring
    ) -> Int? {
        guard let year, let day, (1970...9_999).contains(year),
            let month = monthNames.firstIndex(of: String(monthName)),
            (1...length(ofMonth: month, year)).contains(day)
        else { return nil }
        let parts = clock.split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { number($0, 2) }
        guard parts.count == 3, numbers.count == 3, numbers[0] < 24, numbers[1] < 60,
            numbers[2] <= 60  // a leap second
        else { return nil }
        let days = days(beforeYear: year) + (0..<month).reduce(0) { $0 + length(ofMonth: $1, year) }
        return (days + day - 1) * 86_400 + numbers[0] * 3_600 + numbers[1] * 60 + numbers[2]
    }

    /// From 1970-01-01.
    private static func days(beforeYear year: Int) -> Int {
        let last = year - 1
        let leapDays = (last / 4 - last / 100 + last / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400)
        return (year - 1970) * 365 + leapDays
    }

    private static func length(ofMonth month: Int, _ year: Int) -> Int {
        [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month]
    }

    private static func number(_ digits: Substring, _ digitCount: Int) -> Int? {
        digits.utf8.count == digitCount ? Byte.number(digits.utf8) : nil
    }
}
