import ProxyAccounting

/// A managed key as bytes for other instances: digests, never keys.
///
///     {"digest": BASE64, "prefix": TEXT, "created": SECONDS, "revoked": SECONDS or null,
///      "former": [{"digest": BASE64, "until": SECONDS}], "limits": {as in /admin/keys}}
extension ManagedKey {
    var record: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("digest")
        writer.string(Self.text(digest))
        writer.key("prefix")
        writer.string(prefix)
        writer.key("created")
        writer.int(Int(created))
        writer.key("revoked")
        if let revoked { writer.int(Int(revoked)) } else { writer.null() }
        writer.key("former")
        writer.beginArray()
        for former in former {
            writer.beginObject()
            writer.key("digest")
            writer.string(Self.text(former.digest))
            writer.key("until")
            writer.int(Int(former.until))
            writer.endObject()
        }
        writer.endArray()
        writer.key("limits")
        writer.beginObject()
        writer.limits(limits)
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    /// - Returns: nil for what is not of this form: of an instance that is newer.
    init?(name: String, record: [UInt8]) {
        guard KeyName.problem(with: name) == nil, let root = try? JSONDocument(parsing: record).root,
            let digest = Self.digest(root), let prefix = root.present("prefix")?.string,
            let created = root.present("created")?.int, let limits = root.present("limits"), limits.kind == .object,
            let read = try? KeyLimitsReader.read(limits, besides: [])
        else { return nil }
        self.init(name: name, digest: digest, prefix: prefix, created: Int64(created), limits: read.0)
        revoked = root.present("revoked")?.int.map(Int64.init)
        for element in root.elements(of: "former") {
            guard let digest = Self.digest(element), let until = element.present("until")?.int else { return nil }
            former.append(Former(digest: digest, until: Int64(until)))
        }
    }

    private static func text(_ digest: [UInt8]) -> String { String(decoding: Base64.encode(digest), as: UTF8.self) }

    private static func digest(_ object: JSONValue) -> [UInt8]? {
        guard let bytes = object.present("digest")?.string.flatMap({ Base64.decode(Array($0.utf8)[...]) }),
            bytes.count == 32
        else { return nil }
        return bytes
    }
}
