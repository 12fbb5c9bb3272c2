/// A number that may not be known, in the room of one that is: an `Int64?` has a flag besides, and values that hold a dozen of them are copied flag by flag.
///
/// `Int64.min` stands for what is not known. Who writes it finds the number above it.
@propertyWrapper
package struct Known: Equatable, Sendable {
    @usableFromInline var number: Int64

    @inlinable
    package init(wrappedValue: Int64?) { number = Self.written(wrappedValue) }

    @inlinable
    package var wrappedValue: Int64? {
        get { number == .min ? nil : number }
        set { number = Self.written(newValue) }
    }

    /// What an upstream tells may be anything, and is known all the same.
    @inlinable
    static func written(_ value: Int64?) -> Int64 { value.map { max($0, .min + 1) } ?? .min }
}
