import GRDB
import GRDBSQLite

/// Runs a statement again and again, with values bound one by one in the order of its parameters.
///
/// GRDB takes them as an array of boxed values, which for rows of 48 columns costs more than SQLite's own work. This is the one place that calls
/// SQLite itself; the statement stays GRDB's. Not to be used beyond its batch.
@safe struct RowBinder: ~Copyable {
    private let statement: Statement
    private let handle: OpaquePointer
    private var column: Int32 = 0
    /// The texts of one row, which SQLite reads where they are.
    private let texts: UnsafeMutableBufferPointer<UInt8>
    private var textEnd = 0

    /// - Parameters:
    ///   - statement: made once and used again; nobody else uses it meanwhile.
    ///   - textCount: how many texts a row has at most.
    init(_ statement: Statement, textCount: Int = 0) {
        self.statement = statement
        unsafe handle = statement.sqliteStatement
        unsafe texts = .allocate(capacity: textCount * CleanText.bound)
    }

    deinit {
        // SQLite must not keep the addresses of the texts.
        _ = unsafe sqlite3_clear_bindings(handle)
        unsafe texts.deallocate()
    }

    mutating func bind(_ value: Int64) {
        column += 1
        // The statement lives as long as `self`; a parameter that it does not have is refused, and `run` says so.
        unsafe sqlite3_bind_int64(handle, column, value)
    }

    mutating func bind(_ value: Int) { bind(Int64(value)) }
    mutating func bind(_ value: Bool) { bind(value ? 1 : 0 as Int64) }

    mutating func bind(_ value: Int64?) { if let value { bind(value) } else { bindNull() } }
    mutating func bind(_ value: Int?) { if let value { bind(Int64(value)) } else { bindNull() } }

    mutating func bindNull() {
        column += 1
        unsafe sqlite3_bind_null(handle, column)
    }

    /// A text as `CleanText` has it.
    mutating func bind(_ text: String?) {
        guard let text else { return bindNull() }
        unsafe bind { room in unsafe CleanText.copy(text, into: room) }
    }

    /// The same of one that stands among bytes.
    mutating func bind(_ text: ArraySlice<UInt8>?) {
        guard let text, text.count <= CleanText.bound, !text.contains(0) else {
            return bind(text.map { String(decoding: $0, as: UTF8.self) })
        }
        unsafe bind { room in unsafe room.update(fromContentsOf: text) }
    }

    /// - Parameter copy: puts a text into the room for one, and returns how many bytes it has.
    private mutating func bind(_ copy: (UnsafeMutableBufferPointer<UInt8>) -> Int) {
        column += 1
        let room = unsafe UnsafeMutableBufferPointer(rebasing: texts[textEnd..<textEnd + CleanText.bound])
        let count = unsafe copy(room)
        textEnd += count
        // Without a destructor SQLite takes the bytes where they are. They stay until the row has been written, and longer.
        _ = unsafe room.withMemoryRebound(to: CChar.self) { characters in
            unsafe sqlite3_bind_text(handle, column, characters.baseAddress, Int32(count), nil)
        }
    }

    /// Runs the statement, and begins the next row.
    ///
    /// - Parameter count: of the parameters, all of which have been bound.
    /// - Throws: `DatabaseError`.
    mutating func run(parameters count: Int32, in db: Database) throws {
        assert(column == count, "\(column) of \(count) parameters")
        column = 0
        textEnd = 0
        let code = unsafe sqlite3_step(handle)
        let message = code == SQLITE_DONE ? nil : db.lastErrorMessage
        unsafe sqlite3_reset(handle)
        guard code == SQLITE_DONE else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message)
        }
    }
}
