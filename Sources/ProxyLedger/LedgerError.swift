/// Why the ledger cannot do what it was asked to: a sentence for the operator that says what, where and how to mend it.
package struct LedgerError: Error, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Another process has it.
        case inUse
        /// It was made by a newer version of the program.
        case newer
        /// The file is somebody else's database.
        case foreign
        /// The file is damaged, and it was not for this process to set it aside.
        case damaged
        /// The directory or the file cannot be made, read or written.
        case unusable
        /// It did not answer in time.
        case tooSlow
        /// Too many questions at once.
        case tooMany
        /// It has been closed.
        case closed
        /// What it was given contradicts what is there.
        case conflict
    }
    package let code: Code
    package let description: String
    /// The process that has the ledger, where that is known.
    package let holder: Int?

    init(_ code: Code, _ description: String, holder: Int? = nil) {
        self.holder = holder
        self.code = code
        self.description = description
    }
}
