package import ProxyCluster

/// Makes what speaks to the engine that instances share.
///
/// - Parameters: where it is; the name that the engine shows of this client; the path of a PEM file with further authorities to trust.
package typealias EngineMaker = @Sendable (SharedStateAddress, _ name: String, _ authorities: String?) -> any Engine

/// What the process has for the proxy in it. Whoever owns the process has seen to it: nothing here changes the process.
package struct ProcessMeans: Sendable {
    /// Files and sockets that may be open at once.
    package let descriptors: Int
    /// Gives freed memory back to the system; nil when nobody here is to do so.
    package let trim: (@Sendable () -> Void)?
    /// Nil where instances cannot share limits.
    package let engine: EngineMaker?

    package init(descriptors: Int, trim: (@Sendable () -> Void)?, engine: EngineMaker? = nil) {
        self.descriptors = descriptors
        self.trim = trim
        self.engine = engine
    }

    /// Of a process that belongs to somebody else.
    static var embedded: ProcessMeans { ProcessMeans(descriptors: DescriptorLimit.current, trim: nil) }
}
