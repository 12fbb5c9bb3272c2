import ProxyRouting

/// Writes Prometheus's text format: a family with its help and type, then its samples.
struct PrometheusText {
    enum Kind: String { case counter, gauge, histogram }

    private(set) var text = ""
    private var name = ""

    /// Begins a metric; the samples that follow are its own.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ value: some CustomStringConvertible) { sample([:], value) }

    mutating func sample(
        _ labels: KeyValuePairs<String, String>, suffix: String = "", _ value: some CustomStringConvertible
    ) {
        text += name + suffix
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    /// Seconds in buckets that double, from 1 ms to 9 minutes.
    mutating func histogram(_ label: String, _ value: String, _ histogram: LatencyHistogram) {
        for exponent in 0...19 {
            let edge = Double(1 << exponent) / 1000
            sample([label: value, "le": "\(edge)"], suffix: "_bucket", histogram.count(below: exponent))
        }
        sample([label: value, "le": "+Inf"], suffix: "_bucket", histogram.count)
        sample([label: value], suffix: "_sum", histogram.sum.seconds)
        sample([label: value], suffix: "_count", histogram.count)
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
