/// Finds a file that the configuration names: beside the configuration first, then in the working directory.
package struct KeyFileLookup: Sendable {
    /// The directory of the configuration file.
    package var configurationDirectory: String
    package var workingDirectory: String
    /// `HOME`, for a leading `~`.
    package var home: String?
    /// Whether a file (not a directory) stands at a path.
    package var fileExists: @Sendable (String) -> Bool

    package enum Failure: Error, Sendable, Equatable {
        /// None of these exists.
        case missing([String])
        /// The path begins with `~` and there is no `HOME`.
        case noHome
    }

    package init(
        configurationDirectory: String, workingDirectory: String, home: String?,
        fileExists: @escaping @Sendable (String) -> Bool
    ) {
        self.configurationDirectory = configurationDirectory
        self.workingDirectory = workingDirectory
        self.home = home
        self.fileExists = fileExists
    }

    /// The paths where `path` may stand, the best first. Throws when `~` cannot be expanded.
    package func candidates(_ path: String) throws(Failure) -> [String] {
        if path == "~" || path.hasPrefix("~/") {
            guard let home, !home.isEmpty else { throw .noHome }
            return [Self.join(home, String(path.dropFirst(2)))]
        }
        if path.hasPrefix("/") { return [path] }
        let beside = Self.join(configurationDirectory, path)
        let here = Self.join(workingDirectory, path)
        return beside == here ? [beside] : [beside, here]
    }

    /// The first candidate that exists. Throws when there is none.
    package func find(_ path: String) throws(Failure) -> String {
        let candidates = try candidates(path)
        guard let found = candidates.first(where: fileExists) else { throw .missing(candidates) }
        return found
    }

    /// Where a file that may not exist yet belongs, such as a log: beside the configuration.
    package func place(_ path: String) throws(Failure) -> String {
        try candidates(path)[0]
    }

    package static func join(_ directory: String, _ path: String) -> String {
        var path = Substring(path)
        while path.hasPrefix("./") { path = path.dropFirst(2) }
        if directory.isEmpty || directory == "." { return String(path) }
        return directory.hasSuffix("/") ? directory + path : "\(directory)/\(path)"
    }

    /// What stands before the last slash; `.` without one.
    package static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
