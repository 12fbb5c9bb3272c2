import ProxyAccounting
import ProxyCluster

/// What the text of a setting may be, and the value that it becomes.
struct ValueKind<Value>: Sendable {
    /// Completes the sentence "use ...".
    let expectation: String
    /// Nil when the text is not such a value. It is never empty: an empty value means that the key is not set.
    let parse: @Sendable (String) -> Value?
}

extension ValueKind<Int> {
    static func number(_ range: ClosedRange<Int>) -> Self {
        Self(expectation: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text) else { return nil }
            return range.contains(number) ? number : nil
        }
    }

    /// 1 byte to 1 GiB: what one buffer can hold on any platform.
    static let size = Self(expectation: "a size from 1 byte to 1 GiB, such as 32 MiB, 10MB or 1048576") { text in
        ByteSize.parse(text).flatMap { (1...1 << 30).contains($0) ? $0 : nil }
    }

    /// What all bodies together may take.
    static let memory = Self(expectation: "a size from 16 MiB to 1024 GiB, such as 512 MiB or 2GB") { text in
        ByteSize.parse(text).flatMap { (16 << 20...1 << 40).contains($0) ? $0 : nil }
    }
}

extension ValueKind<Double> {
    /// More than 0, at most 1.
    static let share = Self(expectation: "a number above 0 and at most 1, such as 0.6") { text in
        Double(text).flatMap { $0 > 0 && $0 <= 1 ? $0 : nil }
    }
}

extension ValueKind<Bool> {
    static let boolean = Self(expectation: "true, false, yes, no, on, off, 1 or 0") { text in
        switch text.lowercased() {
        case "true", "yes", "on", "1": true
        case "false", "no", "off", "0": false
        default: nil
        }
    }
}

extension ValueKind<Duration> {
    /// At least a millisecond, at most a week.
    static let duration = Self(expectation: "a duration from 1ms to 168h, such as 30s, 1m30s or 500ms") { text in
        GoDuration.parse(text).flatMap { (.milliseconds(1) ... .seconds(604_800)).contains($0) ? $0 : nil }
    }

    /// The same, or zero.
    static let durationOrOff = Self(
        expectation: "a duration from 1ms to 168h, such as 30s, 1m30s or 500ms, or 0"
    ) { text in
        GoDuration.parse(text) == .zero ? .zero : ValueKind.duration.parse(text)
    }
}

extension ValueKind<Secret> {
    static let secret = Self(expectation: "any text") { Secret($0) }

    /// Where alerts go. The path and the query often hold a token.
    static let webhook = Self(expectation: "an absolute http or https URL, without user or fragment") { text in
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }
        return isPlain && BaseURL(String(text.prefix { $0 != "?" })) != nil ? Secret(text) : nil
    }

    /// It becomes part of a header.
    static let headerSecret = Self(expectation: "visible ASCII characters without spaces") { text in
        text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? Secret(text) : nil
    }
}

extension ValueKind<SharedStateAddress> {
    static let sharedState = Self(
        expectation: "redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], rediss://... for TLS, or unix://PATH"
    ) { SharedStateAddress($0) }
}

extension ValueKind<String> {
    /// It becomes part of names in the engine.
    static let clusterName = Self(expectation: "1 to 64 letters, digits, -, _ and .") { text in
        ExchangeKeys(cluster: text) == nil ? nil : text
    }
}

extension ValueKind<LedgerSettings.Directory> {
    static let stateDirectory = Self(expectation: "a directory, or off") { text in
        ["off", "none", "false", "no"].contains(text.lowercased()) ? .off : .named(text)
    }
}

extension ValueKind<Duration> {
    /// Days, or as the other durations.
    static let days = Self(expectation: "a duration from 1h to 3650d, such as 90d") { text in
        duration(text, from: .seconds(3600), to: .seconds(3650 * 86_400))
    }

    /// For which a key works on that another one has replaced.
    static let grace = Self(expectation: "a duration from 0 to 365d, such as 1h or 30d") { text in
        duration(text, from: .zero, to: .seconds(365 * 86_400))
    }

    private static func duration(_ text: String, from least: Duration, to most: Duration) -> Duration? {
        let duration: Duration?
        if text.last == "d" || text.last == "D" {
            duration = Int64(text.dropLast()).flatMap { (0...3650).contains($0) ? .seconds($0 * 86_400) : nil }
        } else {
            duration = GoDuration.parse(text)
        }
        guard let duration, (least...most).contains(duration) else { return nil }
        return duration
    }
}

extension ValueKind<AdminAddress> {
    static let adminAddress = Self(expectation: "HOST:PORT such as 127.0.0.1:9090, or unix:PATH") { AdminAddress($0) }
}

extension ValueKind<[Budget]> {
    static let budgets = Self(
        expectation: "a comma-separated list of budgets such as 5 USD per day, 90000 tokens per hour or 20 USD in all"
    ) { text in
        do { return try BudgetText.budgets(text) } catch { return nil }
    }
}

extension ValueKind<Int64> {
    /// Seconds since 1970. A day stands for its beginning in UTC.
    static let moment = Self(expectation: "a moment such as 2027-01-31 or 2027-01-31T12:00:00Z") { text in
        RFC3339.seconds(text.utf8.count == 10 ? text + "T00:00:00Z" : text).map(Int64.init)
    }
}

extension ValueKind<String> {
    static let timeZone = Self(
        expectation: "UTC, or a time zone such as Europe/Berlin, for which tzdata has to be installed"
    ) { BudgetCalendar(timeZone: $0) == nil ? nil : $0 }

    static let path = Self(expectation: "a path") { $0 }

    static let command = Self(expectation: "a command line for /bin/sh of at most 4096 bytes") { text in
        text.utf8.count <= 4096 && !text.utf8.contains(0) ? text : nil
    }

    static let name = Self(expectation: "a name of at most 64 letters, digits and the characters . _ -") { text in
        let isName = text.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || isNameByte($0) }
        return isName && text.utf8.count <= 64 ? text : nil
    }

    /// What stands before the first `/` of a model. People give their providers free names, `302.AI` or `my ollama`.
    static let providerName = Self(expectation: "a name of at most 64 bytes without / or control characters") { text in
        let isName = text.unicodeScalars.allSatisfy { $0 != "/" && $0.value >= 0x20 && $0.value != 0x7F }
        return isName && text.utf8.count <= 64 ? text : nil
    }

    /// It becomes part of a header (`keyId`), so it must not hold what ends one.
    static let identifier = Self(expectation: "an OCID: letters, digits and the characters . _ - without spaces") {
        text in
        text.unicodeScalars.allSatisfy(isNameByte) && text.utf8.count <= 255 ? text : nil
    }

    static let fingerprint = Self(
        expectation: "16 pairs of hex digits separated by colons, as shown in the OCI console"
    ) { text in
        let pairs = text.split(separator: ":", omittingEmptySubsequences: false)
        let isFingerprint =
            pairs.count == 16
            && pairs.allSatisfy { pair in
                pair.utf8.count == 2
                    && pair.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }
            }
        return isFingerprint ? text.lowercased() : nil
    }

    /// An id in lower case, or the id that a short key stands for.
    static let region = Self(expectation: "a region such as us-chicago-1, or its short key such as ORD") { text in
        if let known = RegionTable.region(text) { return known.id }
        return RegionTable.isWellFormed(text) ? text.lowercased() : nil
    }

    static let listenAddress = Self(
        expectation: "an IPv4 or IPv6 address or a host name, without a port"
    ) { HostName.listenAddress($0) }

    private static func isNameByte(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
        default: false
        }
    }
}

extension ValueKind<BaseURL> {
    static let url = Self(
        expectation: "an absolute http or https URL such as https://host:port, without user, query or fragment"
    ) { text in
        // People copy it with the version, which is added to each call.
        BaseURL(text)?.dropping(pathSuffix: "/20231130")
    }

    /// With a path, which most providers have: `https://host/v1`.
    static let providerURL = Self(
        expectation: "an absolute http or https URL such as https://host/v1, without user, query or fragment"
    ) { text in
        // People copy it with the path of a call, which is added to each.
        BaseURL(text)?.dropping(pathSuffix: "/chat/completions")
    }
}

extension ValueKind<[String]> {
    /// Comma separated; empty parts are dropped, and at least one must be left.
    static let list = Self(expectation: "a comma-separated list of names") { text in
        let parts = CommaList.parts(text)
        return parts.isEmpty ? nil : parts
    }

    static let origins = Self(
        expectation: "* or a comma-separated list of origins such as https://app.example"
    ) { text in
        var origins: [String] = []
        for part in CommaList.parts(text) {
            var origin = Substring(part.lowercased())
            if origin.hasSuffix("/") { origin.removeLast() }
            guard origin == "*" || isOrigin(origin) else { return nil }
            origins.append(String(origin))
        }
        return origins.isEmpty ? nil : origins
    }

    /// A scheme of any kind (desktop applications have their own) and an authority.
    private static func isOrigin(_ text: Substring) -> Bool {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return false }
        let authority = text[text.index(colon, offsetBy: 3)...]
        return colon != text.startIndex && !authority.isEmpty
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            && authority.utf8.allSatisfy { !"/?#@\\\"".utf8.contains($0) }
    }
}

extension ValueKind<Set<ProviderDialect>> {
    static let dialects = Self(
        expectation: "a list of some of \(ProviderDialect.allCases.map(\.rawValue).joined(separator: ", "))"
    ) { text in
        var dialects: Set<ProviderDialect> = []
        for part in CommaList.parts(text) {
            guard let dialect = ProviderDialect(rawValue: part.lowercased()) else { return nil }
            dialects.insert(dialect)
        }
        return dialects.isEmpty ? nil : dialects
    }
}

extension ValueKind where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String {
    /// One of the raw values, whatever the case.
    static var choice: Self {
        let names = Value.allCases.map(\.rawValue)
        return Self(expectation: "one of \(names.joined(separator: ", "))") { Value(rawValue: $0.lowercased()) }
    }
}

extension ValueKind<LoggingSettings.Level> {
    /// `warn` is what other programs call `warning`, and `fatal` is Python's other name of `critical`.
    static let level = Self(expectation: ValueKind.choice.expectation) { text in
        switch text.lowercased() {
        case "warn": .warning
        case "fatal": .critical
        default: ValueKind.choice.parse(text)
        }
    }
}

/// Values with commas between them.
enum CommaList {
    /// Without the white space around them; empty ones are dropped.
    static func parts(_ text: String) -> [String] {
        text.split(separator: ",").map(trim).filter { !$0.isEmpty }
    }

    private static func trim(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
