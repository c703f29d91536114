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

    /// What computes the products of a precision in this tier's vectors on this processor, as its manual calls it.
    package func instructions(for precision: Precision) -> String {
        switch precision {
        case .float32: "float32 products"
        case .bfloat16: String(cString: functions.pointee.bfloat16_instructions()!)
        case .int8: String(cString: functions.pointee.int8_instructions()!)
        }
    }
}

extension Graph {
    /// What each node is computed in when the network is in a precision.
    package func precisions(in precision: Precision) -> [Precision] {
        var precisions: [String: Precision] = [:]
        for layer in Fusion.fuse(self).map(\.layer) {
            for matrix in layer.matrices {
                switch matrix.format(in: precision, float32: .panels) {
                case .int8: precisions[matrix.weight.name] = .int8
                case .bfloat16: precisions[matrix.weight.name] = .bfloat16
                case .panels, .rowMajor: break
                }
            }
            let transformed =
                (layer as? WinogradLayer)?.convolution ?? (layer as? UpsampledConvolutionLayer)?.convolution
            if let transformed, precision != .float32 { precisions[transformed.weight.name] = .bfloat16 }
        }
        return nodes.map { node in node.operator.parameters.lazy.compactMap { precisions[$0.name] }.first ?? .float32 }
    }
}
