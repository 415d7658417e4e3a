/// Facts that all programs of this package print.
package enum Product {
    package static let version = "0.1.0"
}
