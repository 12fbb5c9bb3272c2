import FoundationEssentials
import ProxyTelemetry

/// What the process finds around it. It is only read.
package enum ProcessEnvironment {
    /// Variables that a configuration depends on: credentials of the platform, outbound proxies, the home directory, and any that it refers to.
    package static var ofConfiguration: [String: String] {
        let others = Set(ServiceEnvironment.variables + TelemetryEnvironment.variables)
        return ofService.filter { !others.contains($0.key) }
    }

    /// The same, and what a service manager says to its service.
    package static var ofService: [String: String] { ProcessInfo.processInfo.environment }

    /// The absolute path of the working directory; `.` when there is none any more.
    package static var workingDirectory: String {
        SystemCall.workingDirectory() ?? "."
    }
}
