import CETNetEngine
import CETNetGraph
import CETNetKernels
import CKernels
import Testing

@Suite struct TierTests {
    @Test func portableIsAlwaysLastAndUsable() {
        #expect(KernelSet.usable.last?.name == "portable")
        #expect(KernelSet.knownNames.last == "portable")
        for set in KernelSet.usable { #expect(KernelSet.knownNames.contains(set.name)) }
    }

    /// The kernels that the suites of this target and of PreprocessingTests call directly, on every tier. A family that
    /// joins the list without a test fails here.
    private static let tested: Set<String> = [
        "gemm", "pack_panels", "epilogue",  // MatrixTests
        "gemm_bfloat16", "gemm_bfloat16_widened", "gemm_int8", "gemm_int8_widened", "pack_bfloat16", "pack_int8",
        "convert_bfloat16", "convert_bfloat16_widened", "convert_int8",  // LowPrecisionTests
        "layer_norm", "softmax", "mean_rows", "pointwise", "interleave",  // RowwiseTests
        "depthwise", "im2col",  // ConvolutionTests
        "window_attention",  // AttentionTests
        "global_attention", "pack_values",  // GlobalAttentionTests
        "stripe_attention",  // StripeAttentionTests
        "winograd_input", "winograd_output",  // WinogradTests
        "weighted_sum", "gathered_sum", "largest",  // InterpolationTests
        "peak",  // PeakTests
        "resize_rows", "resize_columns", "pixels_to_planes",  // ResizeKernelTests, PillowTests
    ]

    @Test func everyFamilyIsTested() {
        let families = Set(KernelSet.families)
        #expect(families.count == KernelSet.families.count, "a family is listed twice")
        #expect(families.subtracting(Self.tested) == [], "without a test")
        #expect(Self.tested.subtracting(families) == [], "tests of kernels that are not there")
    }

    @Test func errorNamesWhatIsUsable() {
        let unknown = KernelTierError(requested: "mmx", known: ["avx2", "portable"], usable: ["portable"])
        #expect(unknown.description == "CETNET_KERNELS=mmx: there is no such tier; usable here: portable")
        let lacking = KernelTierError(requested: "avx2", known: ["avx2", "portable"], usable: ["portable"])
        #expect(
            lacking.description == "CETNET_KERNELS=avx2: this processor lacks its instructions; usable here: portable")
    }
}
