extension JSONValue {
    /// Nothing in it could be shown or done: a text without letters, a number, a container without anything else.
    var isHollow: Bool {
        switch kind {
        case .string: isEmptyString == true
        case .array: elements.allSatisfy(\.isHollow)
        case .object: members.allSatisfy { $0.key.equals("type") || $0.value.isHollow }
        case .number, .true, .false, .null: true
        }
    }
}
