/// Decodes messages in the place of the module's own decoder, for instance with Foundation's:
///
/// ```swift
/// import Foundation
///
/// struct Dates: MessageDecoder {
///     func decode<Value: Decodable>(_ type: Value.Type, from bytes: Data) throws -> Value {
///         let decoder = JSONDecoder()
///         decoder.dateDecodingStrategy = .iso8601
///         return try decoder.decode(type, from: bytes)
///     }
/// }
/// ```
public protocol MessageDecoder {
    /// `Data`, or `[UInt8]`.
    associatedtype Input: RangeReplaceableCollection<UInt8>

    func decode<Value: Decodable>(_ type: Value.Type, from input: Input) throws -> Value
}

/// Encodes messages in the place of the module's own encoder; see ``MessageDecoder``.
public protocol MessageEncoder {
    associatedtype Output: Collection<UInt8>

    func encode<Value: Encodable>(_ value: Value) throws -> Output
}

/// The decoder for JSON (RFC 8259) that is used unless another one is given.
///
/// Every message has one meaning, or is refused: no key twice, no half of a pair of surrogates, no
/// bytes that are no UTF-8, nothing behind the value.
public struct JSONMessageDecoder: MessageDecoder, Sendable {
    public init() {}

    /// - Throws: ``JSONError``.
    public func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        do {
            let span = bytes.span
            _ = try UTF8Span(validating: span)
        } catch {
            throw JSONError(
                .syntax, offset: error.byteOffsets.lowerBound, expected: "UTF-8",
                found: "\(error.kind)")
        }
        return try decode(type, checked: bytes)
    }

    /// - Parameter bytes: are UTF-8, as those of a `String`.
    func decode<Value: Decodable>(_ type: Value.Type, checked bytes: [UInt8]) throws -> Value {
        let document = try JSONDocument(bytes)
        do {
            return try JSONReader(document: document, index: 0, path: nil).decode(type)
        } catch let error as DecodingError {
            throw JSONError(error)
        }
    }
}

/// The encoder that is used unless another one is given: no spaces, members in the order in which
/// the type encodes them.
public struct JSONMessageEncoder: MessageEncoder, Sendable {
    public init() {}

    /// - Throws: ``JSONError``.
    public func encode<Value: Encodable>(_ value: Value) throws -> [UInt8] {
        do {
            var bytes: [UInt8] = []
            try JSONWriter.part(of: value, nil, depth: 0).write(to: &bytes)
            return bytes
        } catch let error as EncodingError {
            throw JSONError(error)
        }
    }
}
