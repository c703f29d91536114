/// Conversions of 16-bit floating point numbers to float32. All are exact; not-a-number stays not-a-number.
enum HalfPrecision {
    /// The bit pattern of an IEEE 754 binary16 number (1 sign, 5 exponent, 10 fraction bits) as float32.
    ///
    /// Integer arithmetic and selections only, so that a loop over it becomes vector instructions on every machine.
    @inline(__always)
    static func float(binary16 half: UInt16) -> Float {
        let magnitude = UInt32(half & 0x7FFF)
        let sign = UInt32(half & 0x8000) << 16
        // The exponent's bias grows from 15 to 127; infinity and NaN move on to the largest exponent.
        let bias: UInt32 = magnitude >= 0x7C00 ? (255 - 31) << 23 : (127 - 15) << 23
        let normal = magnitude << 13 &+ bias
        // Subnormal: fraction · 2^-24, which float32 can hold as a normal number.
        let subnormal = (Float(Int32(truncatingIfNeeded: magnitude)) * 0x1p-24).bitPattern
        return Float(bitPattern: sign | (magnitude < 0x0400 ? subnormal : normal))
    }

    /// The bit pattern of a bfloat16 number, the upper half of a float32.
    @inline(__always)
    static func float(bfloat16 bits: UInt16) -> Float {
        Float(bitPattern: UInt32(bits) << 16)
    }

    /// Converts `destination.count` little-endian binary16 numbers from `source`, at any alignment.
    static func convert(binary16 source: UnsafeRawPointer, to destination: UnsafeMutableBufferPointer<Float>) {
        for index in destination.indices {
            let bits = source.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self)
            destination[index] = float(binary16: UInt16(littleEndian: bits))
        }
    }

    /// Converts `destination.count` little-endian bfloat16 numbers from `source`, at any alignment.
    static func convert(bfloat16 source: UnsafeRawPointer, to destination: UnsafeMutableBufferPointer<Float>) {
        for index in destination.indices {
            let bits = source.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self)
            destination[index] = float(bfloat16: UInt16(littleEndian: bits))
        }
    }
}
