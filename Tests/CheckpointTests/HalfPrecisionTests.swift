import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

struct HalfPrecisionTests {
    /// All 65536 numbers of a 16-bit type.
    private func allValues(_ type: String) throws -> [Float] {
        let folder = try TemporaryDirectory()
        let header = "{\"t\":{\"dtype\":\"\(type)\",\"shape\":[65536],\"data_offsets\":[0,131072]}}"
        let data = (0..<65536).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        let url = try folder.file("t", safetensors(header, data: 0) + data)
        return try SafetensorsFile(contentsOf: url).values(of: "t")
    }

    @Test func everyBinary16NumberIsExact() throws {
        let values = try allValues("F16")
        for bits in 0..<65536 {
            // From the definition of the format, in arithmetic that is exact in Double.
            let fraction = Double(bits & 0x3FF) / 1024
            let exponent = bits >> 10 & 0x1F
            let sign: Double = bits >> 15 == 0 ? 1 : -1
            let value = values[bits]
            switch exponent {
            case 0x1F where fraction > 0: #expect(value.isNaN, "\(bits)")
            case 0x1F: #expect(value == Float(sign) * .infinity, "\(bits)")
            case 0: #expect(Double(value) == sign * fraction * 0x1p-14, "\(bits)")
            default:
                #expect(
                    Double(value) == sign * (1 + fraction)
                        * Double(sign: .plus, exponent: exponent - 15, significand: 1),
                    "\(bits)")
            }
            #expect(value.sign == (bits >> 15 == 0 ? .plus : .minus), "\(bits)")
        }
    }

    @Test func everyBfloat16NumberIsTheUpperHalfOfAFloat() throws {
        let values = try allValues("BF16")
        for bits in 0..<65536 {
            #expect(values[bits].bitPattern == UInt32(bits) << 16, "\(bits)")
        }
    }
}
