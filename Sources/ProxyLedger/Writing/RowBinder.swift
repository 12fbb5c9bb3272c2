import GRDB
import GRDBSQLite

/// Inserts rows with values bound one by one, in the order of their columns.
///
/// GRDB takes them as an array of boxed values, which for rows of 28 and 21 columns costs as much as SQLite's own work. This is the one place that calls
/// SQLite itself; the statement stays GRDB's.
struct RowBinder {
    private let statement: Statement
    private var column: Int32 = 0

    /// - Parameter statement: made once and used again; nobody else uses it meanwhile.
    init(_ statement: Statement) { self.statement = statement }

    mutating func bind(_ value: Int64) {
        column += 1
        // The statement lives as long as `self`; a column that it does not have is refused, and `insert` says so.
        unsafe sqlite3_bind_int64(statement.sqliteStatement, column, value)
    }

    mutating func bind(_ value: Int) { bind(Int64(value)) }
    mutating func bind(_ value: Bool) { bind(value ? 1 : 0) as Void }

    mutating func bind(_ value: Int64?) {
        if let value { return bind(value) }
        column += 1
        unsafe sqlite3_bind_null(statement.sqliteStatement, column)
    }

    mutating func bind(_ value: Int?) { bind(value.map(Int64.init)) }

    mutating func bind(_ text: String?) {
        guard var text else { return bind(nil as Int64?) }
        column += 1
        // SQLite copies the bytes before this returns (SQLITE_TRANSIENT), and is told how many they are.
        text.withUTF8 { bytes in
            let copies = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            _ = unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                unsafe sqlite3_bind_text(
                    statement.sqliteStatement, column, characters.baseAddress, Int32(characters.count), copies)
            }
        }
    }

    /// Inserts the row, and begins the next.
    ///
    /// - Parameter count: of the columns, all of which have been bound.
    /// - Throws: `DatabaseError`.
    mutating func insert(columns count: Int32, in db: Database) throws {
        assert(column == count, "\(column) of \(count) columns")
        column = 0
        let code = unsafe sqlite3_step(statement.sqliteStatement)
        let message = code == SQLITE_DONE ? nil : db.lastErrorMessage
        unsafe sqlite3_reset(statement.sqliteStatement)
        guard code == SQLITE_DONE else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message)
        }
    }
}
