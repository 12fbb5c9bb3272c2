import Logging

@testable import Proxy

/// `LogLine`: whatever is in a message and in values, both formats give one line of at most 8 KiB, from which a strict reader reads the same pairs.
enum LogTarget {
    private typealias Pair = (key: String, value: String)

    /// - Parameter bytes: a message, and names and values of pairs in turn, with 0xFF, which no text has, between two.
    static func run(_ bytes: [UInt8]) {
        var texts = bytes.split(separator: 0xFF, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        let message = texts.removeFirst()
        var random = Cuts(bytes).random
        let level = Logger.Level.allCases.randomElement(using: &random) ?? .info
        // Now and then a long value.
        let times = Int.random(in: 0..<8, using: &random) == 0 ? 200 : 1
        var pairs: [Pair] = []
        for place in stride(from: 0, to: texts.count - 1, by: 2) where !texts[place].isEmpty {
            pairs.append((texts[place], String(repeating: texts[place + 1], count: times)))
        }
        let time = LogLine.Time(year: 2025, month: 8, day: 5, hour: 21, minute: 3, second: 25)
        let metadata = pairs.map { ($0.key, $0.value) }
        for line in [
            LogLine.text(at: time, level: level, message: message, metadata: metadata),
            LogLine.journal(level: level, message: message, metadata: metadata),
        ] {
            check(line)
            var read = LogReader.pairs(of: line)
            let isCut =
                read.last?.key == "cut" && read.last?.value == "true" && line.utf8.count > LogLine.longest - 1200
            // What stands before the pairs are words of a message.
            if !isCut { read = read.suffix(pairs.count) } else { read = cutPairs(read, of: pairs) }
            compare(read, pairs, isCut: isCut)
        }
        for isForJournal in [false, true] {
            let line = LogLine.json(
                toJournal: isForJournal, at: time, level: level, message: message, metadata: metadata)
            check(line)
            var read = LogReader.members(of: line, behindPriority: isForJournal)
            expect(
                read.prefix(3).map { $0.key } == ["time", "level", "message"] && read[1].value == level.rawValue,
                "\(line)")
            expect(isBeginning(read[2].value, of: message), "\(line)")
            read.removeFirst(3)
            let isCut =
                read.count <= pairs.count && read.last?.key == "cut" && read.last?.value == "true"
                && line.utf8.count > LogLine.longest - 1200
            if isCut { read.removeLast() }
            compare(read, pairs, isCut: isCut)
        }
    }

    /// How many there are in front of the mark nobody can tell; so the most that fit.
    private static func cutPairs(_ read: [Pair], of pairs: [Pair]) -> [Pair] {
        let rest = read.dropLast()
        for count in stride(from: min(rest.count, pairs.count), through: 0, by: -1) {
            let last = Array(rest.suffix(count))
            if zip(last, pairs).allSatisfy({
                $0.key == LogReader.written($1.key) && isBeginning($0.value, of: $1.value)
            }) {
                return last
            }
        }
        return []
    }

    private static func compare(_ read: [Pair], _ pairs: [Pair], isCut: Bool) {
        expect(read.count == pairs.count || isCut && read.count < pairs.count, "\(read.count) of \(pairs.count) pairs")
        for (read, written) in zip(read, pairs) {
            expect(read.key == LogReader.written(written.key), "\(read.key) in the place of \(written.key)")
            expect(
                isBeginning(read.value, of: written.value),
                "\(read.value.debugDescription) in the place of \(written.value.debugDescription)")
            // A scalar takes twelve bytes at most.
            if written.value.unicodeScalars.count <= 80 {
                expect(read.value.utf8.elementsEqual(written.value.utf8), "\(written.value.debugDescription) is cut")
            }
        }
    }

    private static func isBeginning(_ text: String, of whole: String) -> Bool { whole.utf8.starts(with: text.utf8) }

    /// One line, of what can be seen.
    private static func check(_ line: String) {
        expect(line.utf8.count <= LogLine.longest, "\(line.utf8.count) bytes")
        expect(line.utf8.last == 0x0A, "a line without an end")
        var scalars = line.unicodeScalars
        scalars.removeLast()
        for scalar in scalars where !(0x20...0x7E).contains(scalar.value) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                expect(false, "\(scalar.debugDescription) in \(line.debugDescription)")
            default: break
            }
        }
    }
}
