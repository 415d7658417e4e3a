/// What the server's options say about handlers.
package struct HandlerChoice: Sendable {
    /// `-w`; `nil`: `handlers` in the checkout.
    package var directory: String?
    /// `-s`
    package var scanDirectory: String?
    /// `--allow-handlers-outside-root-dir`
    package var allowsOutside = false
    /// `--strict`
    package var isStrict = false

    package init() {}
}
