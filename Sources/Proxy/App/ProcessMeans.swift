/// What the process has for the proxy in it. Whoever owns the process has seen to it: nothing here changes the process.
package struct ProcessMeans: Sendable {
    /// Files and sockets that may be open at once.
    package let descriptors: Int
    /// Gives freed memory back to the system; nil when nobody here is to do so.
    package let trim: (@Sendable () -> Void)?

    package init(descriptors: Int, trim: (@Sendable () -> Void)?) {
        self.descriptors = descriptors
        self.trim = trim
    }

    /// Of a process that belongs to somebody else.
    static var embedded: ProcessMeans { ProcessMeans(descriptors: DescriptorLimit.current, trim: nil) }
}
