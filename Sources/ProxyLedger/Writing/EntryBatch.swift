import ProxyAccounting

/// Entries as they came out of the ring, without having been moved, and their order in time.
struct EntryBatch {
    private struct Piece {
        let page: EntryPage
        var range: Range<Int>
        /// Where its names begin among those of all pages.
        let firstName: Int
    }
    private var pieces: [Piece] = []
    private(set) var count = 0
    /// How many names all pages have together.
    private(set) var nameCount = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ page: EntryPage) { append(page, 0..<page.count) }

    private mutating func append(_ page: EntryPage, _ range: Range<Int>) {
        pieces.append(Piece(page: page, range: range, firstName: nameCount))
        count += range.count
        nameCount += page.nameCount
    }

    /// Splits off the first so many.
    mutating func removeFirst(_ most: Int) -> EntryBatch {
        guard count > most else {
            defer { self = EntryBatch() }
            return self
        }
        var first = EntryBatch()
        var index = 0
        while first.count < most {
            let (page, range) = (pieces[index].page, pieces[index].range)
            let taken = range.prefix(most - first.count)
            first.append(page, taken)
            pieces[index].range = taken.upperBound..<range.upperBound
            if pieces[index].range.isEmpty { index += 1 }
        }
        pieces.removeFirst(index)
        count -= most
        return first
    }

    /// Each page, of those that are in it whole.
    func visitPages(_ visit: (EntryPage) -> Void) { for piece in pieces { visit(piece.page) } }

    func visit(_ visit: (RecordedEntry) throws -> Void) rethrows {
        for piece in pieces {
            for index in piece.range { try visit(RecordedEntry(index, of: piece.page, firstName: piece.firstName)) }
        }
    }

    /// The oldest first, so that rows come in one behind the other.
    func visitInOrder(_ visit: (RecordedEntry) throws -> Void) rethrows {
        var places: [(at: Int64, piece: Int32, index: Int32)] = []
        places.reserveCapacity(count)
        var isSorted = true
        for (number, piece) in pieces.enumerated() {
            for index in piece.range {
                let at = piece.page.rows[index].at
                isSorted = isSorted && places.last.map { $0.at <= at } ?? true
                places.append((at, Int32(number), Int32(index)))
            }
        }
        if !isSorted { places.sort { ($0.at, $0.piece, $0.index) < ($1.at, $1.piece, $1.index) } }
        for place in places {
            let piece = pieces[Int(place.piece)]
            try visit(RecordedEntry(Int(place.index), of: piece.page, firstName: piece.firstName))
        }
    }
}
