import NIOHTTP1

extension HTTPHeaders {
    /// The value of the first field of that name, which is in lower case here.
    ///
    /// `first(name:)` compares every name with the wanted one; nearly all differ in length already.
    func value(of name: StaticString) -> String? {
        for (field, value) in self where field.isEqualIgnoringCase(to: name) { return value }
        return nil
    }
}
