import Benchmark
import CETNetEngine
import CETNetGraph
import CETNetKernels

/// What `swift package benchmark` runs: the kernels of one instruction-set tier, the one that `CETNET_KERNELS` names or
/// else the best, on one thread, in the shapes of CETNet-T at 224×224.
let benchmarks: @Sendable () -> Void = {
    do {
        let kernels = try KernelSet.selected()
        for shape in try Shapes.products() {
            register(GEMM.name(shape, by: "panels")) { GEMM(shape, .panels, kernels) }
        }
        for shape in try Shapes.products() {
            register(GEMM.name(shape, by: "OpenBLAS")) { GEMM(shape, .rowMajor, kernels) }
        }
        for layer in try Shapes.denseConvolutions() { register(Im2col.name(layer)) { Im2col(layer, kernels) } }
        for layer in try Shapes.depthwiseConvolutions() {
            register(Depthwise.name(layer)) { Depthwise(layer, kernels) }
        }
        for attention in try Shapes.attentions() {
            register(Attention.name(attention)) { Attention(attention, kernels) }
        }
        for shape in try Shapes.normalizations() { register(LayerNorm.name(shape)) { LayerNorm(shape, kernels) } }
        register(Softmax.name) { Softmax(kernels) }
        for activation in [Activation.gelu, .quickGELU] {
            register(Pointwise.name(activation)) { Pointwise(activation, kernels) }
        }
        for photo in Resize.photos { register(Resize.name(photo)) { try Resize(photo) } }
    } catch {
        fatalError("\(error)")
    }
}
