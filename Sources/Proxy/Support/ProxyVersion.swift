/// The version of this program; the change log says what each one brought.
package enum ProxyVersion {
    package static let current = "0.1.0"
}
