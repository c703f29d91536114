import CETNet
import Testing

@Suite struct TensorTests {
    @Test func valuesMustMatchShape() throws {
        let tensor = try Tensor(shape: [2, 3], values: [0, 1, 2, 3, 4, 5])
        #expect(Array(tensor[row: 1]) == [3, 4, 5])
        #expect(throws: ModelError.elementCount(shape: [2, 3], found: 5)) {
            try Tensor(shape: [2, 3], values: [0, 1, 2, 3, 4])
        }
        #expect(throws: ModelError.elementCount(shape: [-1, -2], found: 2)) {
            try Tensor(shape: [-1, -2], values: [0, 1])
        }
    }

    @Test func aProductThatOverflowsIsRefused() {
        // 2³² · 2³² is 0 in 64 bits.
        let shape = [1 << 32, 1 << 32]
        #expect(throws: ModelError.elementCount(shape: shape, found: 0)) {
            try Tensor(shape: shape, values: [])
        }
    }

    @Test func valuesAreWrittenInPlace() {
        var tensor = Tensor(zeros: [2, 2])
        tensor.withUnsafeMutableValues { $0[3] = 7 }
        #expect(tensor.values == [0, 0, 0, 7])
        #expect(Tensor(zeros: [0, 4]).values.isEmpty)
    }
}
