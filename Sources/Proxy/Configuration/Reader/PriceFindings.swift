/// What is wrong with the entries of a file of prices, all of one fault together.
struct PriceFindings {
    /// In the order in which they are told.
    enum Fault: Int, CaseIterable {
        case noName, noObject, noNumber, negative, tooLarge, tooSmall, twoRates, twice, doubtful
    }

    private struct Finding {
        var count = 0
        /// The first of them.
        var shown: [(model: String, detail: String?, place: Int)] = []
    }

    private static let mostShown = 3

    private var findings: [Fault: Finding] = [:]

    /// - Parameter place: bytes before it in the file.
    mutating func note(_ fault: Fault, of model: String, _ detail: String?, at place: Int) {
        findings[fault, default: Finding()].count += 1
        guard let count = findings[fault]?.shown.count, count < Self.mostShown else { return }
        findings[fault]?.shown.append((model, detail, place))
    }

    /// One warning for each fault, at the line of the first that has it.
    func issues(in file: String, _ bytes: [UInt8]) -> [ConfigurationIssue] {
        Fault.allCases.compactMap { fault in
            findings[fault].map { finding in
                let lines = finding.shown.map { Self.line(of: $0.place, in: bytes) }
                let named = zip(finding.shown, lines).map { one, line in
                    let detail = one.detail.map { ": \(Self.shown($0))" } ?? ""
                    // The line of the first stands in front.
                    let place = one.place == finding.shown.first?.place ? "" : " in line \(line)"
                    return "\(Self.shown(one.model))\(place)\(detail)"
                }
                let rest = finding.count > named.count ? "; and \(finding.count - named.count) more" : ""
                let (what, fix) = fault.words(finding.count)
                return ConfigurationIssue(
                    .warning, file: file, line: lines.first,
                    message: "\(what) (\(named.joined(separator: "; "))\(rest))", fix: fix)
            }
        }
    }

    /// Names may have anything in them, and go to a terminal.
    private static func shown(_ text: String) -> String {
        String(text.quotable.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : Character($0) })
    }

    private static func line(of place: Int, in bytes: [UInt8]) -> Int {
        bytes[..<min(place, bytes.count)].reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
    }
}

extension PriceFindings.Fault {
    /// What is wrong with so many entries, and what to do about it.
    fileprivate func words(_ count: Int) -> (what: String, fix: String) {
        let left = count == 1 ? "a price is left out" : "\(count) prices are left out"
        let number = "write the rate as a number of US dollars for one token, such as 3e-06 for 3 USD per 1M"
        return switch self {
        case .noName: ("\(left), since an entry has no name", "name the model, as in provider/model")
        case .noObject:
            (
                "\(left), since an entry is not an object",
                "write it as {\"input_cost_per_token\": 3e-06, \"output_cost_per_token\": 1.5e-05}"
            )
        case .noNumber: ("\(left), since a rate is not a number", number)
        case .negative: ("\(left), since a rate is negative", "write 0 for what costs nothing, or remove the rate")
        case .tooLarge: ("\(left), since a rate is too large for any price", number)
        case .tooSmall:
            ("\(left), since a rate is less than 0.000001 USD per 1M", "write 0 for what costs nothing")
        case .twoRates: ("\(left), since a rate is given twice", "remove one of the two")
        case .twice:
            (
                count == 1
                    ? "a model has two prices, of which the later one counts"
                    : "\(count) models have two prices, of which the later one counts", "remove one of the two"
            )
        case .doubtful:
            (
                count == 1
                    ? "a price is above 10,000 USD per 1M, and holds as it is"
                    : "\(count) prices are above 10,000 USD per 1M, and hold as they are",
                "check the rates: they are for one token or character, so that 3 USD per 1M is 3e-06"
            )
        }
    }
}
