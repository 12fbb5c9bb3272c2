import NIOCore
import Testing

@testable import Proxy

@Suite struct BlockPoolTests {
    @Test func `Gives the smallest that fits`() {
        var shelf = BlockPool<String>(limit: 1000)
        for (name, capacity) in [("large", 300), ("small", 110), ("tiny", 90)] {
            #expect(shelf.put(name, capacity: capacity, at: .zero) == [])
        }
        #expect(shelf.take(100) == "small")
        #expect(shelf.take(100) == nil, "the large one is too large for it")
        #expect(shelf.take(200) == "large")
        #expect(shelf.kept == 90)
    }

    @Test func `Of equal ones the last is given first`() {
        var shelf = BlockPool<Int>(limit: 1000)
        for number in 1...3 { _ = shelf.put(number, capacity: 100, at: .zero) }
        #expect(shelf.take(100) == 3)
        #expect(shelf.take(100) == 2)
    }

    @Test func `The oldest make room`() {
        var shelf = BlockPool<Int>(limit: 250)
        for number in 1...2 { #expect(shelf.put(number, capacity: 100, at: .zero) == []) }
        #expect(shelf.put(3, capacity: 120, at: .zero) == [1])
        #expect(shelf.kept == 220)
        #expect(shelf.put(4, capacity: 251, at: .zero) == [4], "it would not fit at all")
        #expect(shelf.put(5, capacity: 250, at: .zero) == [2, 3])
    }

    @Test func `What nobody takes expires`() {
        var shelf = BlockPool<Int>(limit: 1000)
        for second in 1...4 { _ = shelf.put(second, capacity: 100, at: .seconds(second)) }
        #expect(shelf.expire(before: .seconds(3)) == [1, 2])
        #expect(shelf.kept == 200)
        #expect(shelf.take(100) == 4)
    }
}

@Suite struct BodyMemoryTests {
    /// Sizes that no other test uses, as the shelves are the process's.
    @Test func `A buffer holds its text as long as anybody holds it`() {
        let size = 700_001
        var buffers: [ByteBuffer] = []
        for number in 0..<6 as Range<UInt8> {
            var text = SplicedText([number])
            text.splice(Array(repeating: number, count: size)[...])
            let buffer = BodyBuffers.buffer(text)
            // A slice holds the memory too; every other buffer is given back at once.
            if number % 2 == 0, let slice = buffer.getSlice(at: 1, length: size) { buffers.append(slice) }
        }
        for (index, buffer) in buffers.enumerated() {
            #expect(buffer.readableBytes == size)
            #expect(buffer.readableBytesView.allSatisfy { $0 == UInt8(2 * index) })
        }
    }

    @Test func `A buffer can grow`() {
        var buffer = BodyBuffers.buffer(SplicedText(Array(repeating: 7, count: 300_000)))
        buffer.writeBytes(Array(repeating: 8, count: 600_000))
        #expect(buffer.readableBytesView.prefix(300_000).allSatisfy { $0 == 7 })
        #expect(buffer.readableBytesView.dropFirst(300_000).allSatisfy { $0 == 8 })
        #expect(buffer.readableBytes == 900_000)
    }

    @Test func `An array that is still held is not written to`() {
        var array = BodyArrays.array(capacity: 500_003)
        array.append(contentsOf: Array(repeating: 1, count: 500_003))
        let held = array
        BodyArrays.takeBack(array)
        var next = BodyArrays.array(capacity: 500_003)
        #expect(next.isEmpty)
        next.append(contentsOf: Array(repeating: 2, count: 500_003))
        #expect(held.allSatisfy { $0 == 1 })
    }
}
