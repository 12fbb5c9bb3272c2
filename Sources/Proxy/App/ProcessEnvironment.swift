import ProxyTelemetry

/// What the process finds around it. It is only read.
package enum ProcessEnvironment {
    /// Variables that a configuration depends on: credentials of the platform, outbound proxies, the home directory.
    package static var ofConfiguration: [String: String] {
        values(of: ["HOME"] + ProxyRules.variables + CredentialEnvironment.variables)
    }

    /// The same, and what a service manager says to its service.
    package static var ofService: [String: String] {
        let others = ServiceEnvironment.variables + TelemetryEnvironment.variables
        return ofConfiguration.merging(values(of: others)) { value, _ in value }
    }

    /// The absolute path of the working directory; `.` when there is none any more.
    package static var workingDirectory: String {
        SystemCall.workingDirectory() ?? "."
    }

    private static func values(of names: [String]) -> [String: String] {
        var values: [String: String] = [:]
        for name in names {
            values[name] = SystemCall.environmentVariable(name)
        }
        return values
    }
}
