import CETNetGraph
import CETNetKernels

extension KernelSet {
    /// Whether the processor has instructions for a precision's products in this tier's vectors.
    package func hasInstructions(for precision: Precision) -> Bool {
        switch precision {
        case .float32: true
        case .bfloat16: functions.pointee.has_bfloat16_products() != 0
        // Its convolutions are bfloat16, and a small part of the work.
        case .int8: functions.pointee.has_int8_products() != 0
        }
    }
}
