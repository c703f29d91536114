import CETNetKernels
import CKernels
import Testing

@Suite struct TierTests {
    @Test func portableIsAlwaysLastAndUsable() {
        #expect(KernelSet.usable.last?.name == "portable")
        #expect(KernelSet.knownNames.last == "portable")
        for set in KernelSet.usable { #expect(KernelSet.knownNames.contains(set.name)) }
    }

    @Test func errorNamesWhatIsUsable() {
        let unknown = KernelTierError(requested: "mmx", known: ["avx2", "portable"], usable: ["portable"])
        #expect(unknown.description == "CETNET_KERNELS=mmx: there is no such tier; usable here: portable")
        let lacking = KernelTierError(requested: "avx2", known: ["avx2", "portable"], usable: ["portable"])
        #expect(
            lacking.description == "CETNET_KERNELS=avx2: this processor lacks its instructions; usable here: portable")
    }
}
