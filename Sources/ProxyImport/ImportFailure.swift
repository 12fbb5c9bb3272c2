/// Why a file cannot be read at all. It never quotes a value, which may be a secret.
package struct ImportFailure: Error, Sendable, Equatable {
    /// Which of the files that were given.
    package var file = SourceFile.main
    /// From 1; nil when the whole file is meant.
    package let line: Int?
    /// What is wrong, without a full stop.
    package let message: String
    /// What to do about it, as an imperative without a full stop.
    package let fix: String

    package init(file: SourceFile = .main, line: Int?, _ message: String, _ fix: String) {
        self.file = file
        self.line = line
        self.message = message
        self.fix = fix
    }

    /// One line: `config.yaml:17: the key model_list is set twice; merge the two`.
    package func text(_ names: SourceNames) -> String {
        let name = names[file]
        return "\(line.map { "\(name):\($0)" } ?? name): \(message); \(fix)"
    }
}

/// One of the files that an import may be given.
package enum SourceFile: Int, Sendable, Comparable {
    /// The YAML file.
    case main
    /// What stands beside it: `config.py` or `.env`.
    case settings

    package static func < (left: SourceFile, right: SourceFile) -> Bool { left.rawValue < right.rawValue }
}

/// How messages call the files.
package struct SourceNames: Sendable {
    private let main: String
    private let settings: String

    package init(_ main: String, settings: String = "") {
        self.main = main
        self.settings = settings
    }

    package subscript(file: SourceFile) -> String { file == .main ? main : settings }
}
