import ProxyAccounting

/// Entries as they came out of the ring, without having been moved, and their order in time.
struct EntryBatch {
    private var pieces: [ArraySlice<LedgerEntry>] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ piece: ArraySlice<LedgerEntry>) {
        pieces.append(piece)
        count += piece.count
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
            let room = most - first.count
            first.append(pieces[index].prefix(room))
            pieces[index] = pieces[index].dropFirst(room)
            if pieces[index].isEmpty { index += 1 }
        }
        pieces.removeFirst(index)
        count -= most
        return first
    }

    func visit(_ visit: (LedgerEntry) throws -> Void) rethrows {
        for piece in pieces { for index in piece.indices { try visit(piece[index]) } }
    }

    /// The oldest first, so that rows come in one behind the other.
    func visitInOrder(_ visit: (LedgerEntry) throws -> Void) rethrows {
        var places: [(at: Int64, piece: Int32, index: Int32)] = []
        places.reserveCapacity(count)
        var isSorted = true
        for (number, piece) in pieces.enumerated() {
            for index in piece.indices {
                let at = piece[index].at
                isSorted = isSorted && places.last.map { $0.at <= at } ?? true
                places.append((at, Int32(number), Int32(index)))
            }
        }
        if !isSorted { places.sort { ($0.at, $0.piece, $0.index) < ($1.at, $1.piece, $1.index) } }
        for place in places { try visit(pieces[Int(place.piece)][Int(place.index)]) }
    }
}
