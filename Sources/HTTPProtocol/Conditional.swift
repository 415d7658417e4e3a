/// What a request makes depend on the state of a representation (RFC 9110 §13).
public struct Conditional: Sendable {
    /// What came of the conditions.
    public enum Outcome: Sendable, Hashable {
        case proceed
        /// 304.
        case notModified
        /// 412.
        case preconditionFailed
    }

    /// The representation's tag.
    public let entityTag: EntityTag
    /// When it was last modified, in seconds since 1970; fractions do not count.
    public let lastModified: Int

    /// The state that conditions are held against.
    public init(entityTag: EntityTag, lastModified: Int) {
        self.entityTag = entityTag
        self.lastModified = lastModified
    }

    /// Evaluates the conditions in the order of RFC 9110 §13.2.2.
    ///
    /// - Parameter isReading: the method is GET or HEAD.
    public func evaluate(_ fields: Fields, isReading: Bool) -> Outcome {
        if let value = fields["If-Match"] {
            guard matches(value, { $0.matchesStrongly(entityTag) }) else {
                return .preconditionFailed
            }
        } else if let date = date("If-Unmodified-Since", fields), lastModified > date {
            return .preconditionFailed
        }
        if let value = fields["If-None-Match"] {
            guard matches(value, { $0.matchesWeakly(entityTag) }) else { return .proceed }
            return isReading ? .notModified : .preconditionFailed
        }
        // §13.1.3: a recipient MUST ignore it if the method is neither GET nor HEAD.
        if isReading, let date = date("If-Modified-Since", fields), lastModified <= date {
            return .notModified
        }
        return .proceed
    }

    /// Whether a `Range` counts (RFC 9110 §13.1.5): there is no `If-Range`, or it names this state.
    ///
    /// - Parameter isDateStrong: whether the date distinguishes changes within one second.
    public func allowsRange(_ fields: Fields, isDateStrong: Bool) -> Bool {
        guard let value = fields["If-Range"] else { return true }
        if let tag = EntityTag(parsing: value) { return tag.matchesStrongly(entityTag) }
        // An exact match: the date is an opaque validator here.
        return isDateStrong && HTTPDate.secondsSince1970(value) == lastModified
    }

    private func matches(_ value: String, _ isMatch: (EntityTag) -> Bool) -> Bool {
        if value == "*" { return true }
        return EntityTag.list(value)?.contains(where: isMatch) ?? false
    }

    /// A malformed date counts as absent: §13.1.3 and §13.1.4.
    private func date(_ name: String, _ fields: Fields) -> Int? {
        fields[name].flatMap(HTTPDate.secondsSince1970)
    }
}
