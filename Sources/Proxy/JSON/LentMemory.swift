/// Memory that is lent for the time of a call, of which nothing beyond its ends is read or written. For numbers and the like, where an array
/// would cost an allocation and a `MutableSpan` cannot be a member.
///
/// Safe but for its making: whoever makes one must not let it outlive the memory.
@usableFromInline
@safe package struct LentMemory<Element: BitwiseCopyable> {
    @usableFromInline package let start: UnsafeMutablePointer<Element>?
    @usableFromInline package let count: Int

    /// Of memory whose elements have been written, or are before they are read.
    @inlinable
    @unsafe package init(_ memory: UnsafeMutableBufferPointer<Element>) {
        unsafe start = memory.baseAddress
        count = memory.count
    }

    @inlinable
    package subscript(index: Int) -> Element {
        @inline(__always) get { unsafe address(of: index).pointee }
        @inline(__always) nonmutating _modify { yield unsafe &address(of: index).pointee }
    }

    /// - Returns: where an element is that is looked to be there.
    @inlinable @inline(__always)
    package func address(of index: Int) -> UnsafeMutablePointer<Element> {
        guard let start = unsafe start, index >= 0, index < count else {
            preconditionFailure("beyond the memory that was lent")
        }
        return unsafe start + index
    }

    /// A part of it.
    @inlinable
    package func extracting(_ range: Range<Int>) -> LentMemory {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return unsafe LentMemory(
            UnsafeMutableBufferPointer(start: start.map { unsafe $0 + range.lowerBound }, count: range.count))
    }
}
