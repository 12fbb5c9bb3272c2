/// What the configuration may say although this version does not act on it. Everything here is read and checked all the
/// same, and reported, so that nothing is ignored in silence. Whoever makes one of them work removes it from here.
package enum UnservedSettings {
    /// Keys that get a warning when they are set.
    package static let keys: Set<String> = [
        "tls_cert", "tls_key",
    ]

    /// Sections, in lower case and without the suffix, that get a warning.
    package static let sections: Set<String> = []
}
