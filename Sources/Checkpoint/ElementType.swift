/// What the elements of a tensor are, named as in a safetensors header.
public enum ElementType: String, Sendable, Hashable, CaseIterable {
    case bool = "BOOL"
    case f4 = "F4"
    case f6e2m3 = "F6_E2M3"
    case f6e3m2 = "F6_E3M2"
    case u8 = "U8"
    case i8 = "I8"
    case f8e5m2 = "F8_E5M2"
    case f8e4m3 = "F8_E4M3"
    case f8e8m0 = "F8_E8M0"
    case f8e4m3fnuz = "F8_E4M3FNUZ"
    case f8e5m2fnuz = "F8_E5M2FNUZ"
    case i16 = "I16"
    case u16 = "U16"
    case f16 = "F16"
    case bf16 = "BF16"
    case i32 = "I32"
    case u32 = "U32"
    case f32 = "F32"
    case c64 = "C64"
    case f64 = "F64"
    case i64 = "I64"
    case u64 = "U64"

    /// Bits of one element. The elements of `F4` and `F6` tensors are packed without gaps.
    public var bitCount: Int {
        switch self {
        case .f4: 4
        case .f6e2m3, .f6e3m2: 6
        case .bool, .u8, .i8, .f8e5m2, .f8e4m3, .f8e8m0, .f8e4m3fnuz, .f8e5m2fnuz: 8
        case .i16, .u16, .f16, .bf16: 16
        case .i32, .u32, .f32: 32
        case .c64, .f64, .i64, .u64: 64
        }
    }

    /// Whether elements can be read as float32: all values are representable exactly.
    public var isReadableAsFloat: Bool { self == .f32 || self == .f16 || self == .bf16 }

    /// Bytes of `count` elements, or `nil` if that overflows or is no whole number of bytes.
    func byteCount(of count: Int) -> Int? {
        let (bits, overflow) = count.multipliedReportingOverflow(by: bitCount)
        return overflow || bits % 8 != 0 ? nil : bits / 8
    }
}

/// The number of elements of a shape, or `nil` if a dimension is negative or the product overflows.
///
/// A dimension of zero counts as one while checking, so that no order of multiplication can overflow later.
package func elementCount(of shape: [Int]) -> Int? {
    var bound = 1
    for dimension in shape {
        guard dimension >= 0 else { return nil }
        let (product, overflow) = bound.multipliedReportingOverflow(by: max(dimension, 1))
        if overflow { return nil }
        bound = product
    }
    return shape.contains(0) ? 0 : bound
}
