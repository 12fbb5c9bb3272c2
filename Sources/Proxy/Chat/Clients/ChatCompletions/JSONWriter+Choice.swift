extension JSONWriter {
    /// The beginning of a whole answer's choice: what follows is the role of its message, and then the rest of that.
    mutating func beginChoice(_ index: Int) {
        beginObject()
        key("index")
        int(index)
        key("message")
        beginObject()
        key("role")
    }
}
