import CETNetEngine
import CETNetKernels
import Testing

@testable import CETNetCommand

@Suite struct MachineTests {
    @Test func processorNameOfXeonAndARM() {
        let x86 = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t\t: 106\nmodel name\t: Intel(R) Xeon(R) CPU\n"
        #expect(Machine.processorName(inProcessorInformation: x86) == "Intel(R) Xeon(R) CPU")
        let arm = "processor\t: 0\nBogoMIPS\t: 50.00\n\nModel\t\t: Raspberry Pi 5\n"
        #expect(Machine.processorName(inProcessorInformation: arm) == "Raspberry Pi 5")
        #expect(Machine.processorName(inProcessorInformation: "processor\t: 0\n") == "unknown")
        #expect(Machine.processorName(inProcessorInformation: "") == "unknown")
    }

    @Test func openBLASVersionInItsConfiguration() {
        #expect(Machine.openBLASVersion(inConfiguration: "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH") == "0.3.21")
        #expect(Machine.openBLASVersion(inConfiguration: " OpenBLAS 0.3.29") == "0.3.29")
        #expect(Machine.openBLASVersion(inConfiguration: "NO_LAPACKE DYNAMIC_ARCH") == "unknown")
        #expect(Machine.openBLASVersion(inConfiguration: "") == "unknown")
        #expect(Machine.openBLASVersion != "unknown")
    }

    @Test func thisMachineIsDescribed() {
        #expect(!Machine.architecture.isEmpty)
        #expect(!Machine.openBLASCore.isEmpty)
        #expect(!Machine.openBLASThreading.hasPrefix("unknown"), "\(Machine.openBLASThreading)")
        #expect(Machine.processorCount >= 1)
    }

    @Test func peakMemoryOfAStatusFile() {
        let status = "Name:\tcetnet\nVmPeak:\t  9000 kB\nVmHWM:\t    1234 kB\nVmRSS:\t    1000 kB\n"
        #expect(ProcessMemory.peakResidentBytes(inStatus: status) == 1234 * 1024)
        #expect(ProcessMemory.peakResidentBytes(inStatus: "Name:\tcetnet\n") == nil)
        #expect(ProcessMemory.peakResidentBytes(inStatus: "VmHWM:\tmuch kB\n") == nil)
    }

    @Test func peakMemoryCoversWhatIsTouched() {
        let before = ProcessMemory.peakResidentBytes
        let count = 256 << 20
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 4096)
        defer { memory.deallocate() }
        for page in stride(from: 0, to: count, by: 4096) { memory[page] = 1 }
        let after = ProcessMemory.peakResidentBytes
        #expect(after >= max(before, count), "\(before) before, \(after) after touching \(count) bytes")
    }

    @Test func busyTicksLeaveOutIdleAndWaiting() {
        // user nice system idle iowait irq softirq steal guest guest_nice
        let text = "cpu  100 20 30 4000 500 6 7 8 90 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n"
        #expect(ProcessorUse.busyTicks(inStatistics: text) == 100 + 20 + 30 + 6 + 7 + 8)
        #expect(ProcessorUse.busyTicks(inStatistics: "cpu0 1 2 3 4 5 6 7 8 9 0\n") == nil)
        #expect(ProcessorUse.busyTicks(inStatistics: "cpu  1 2 3\n") == nil)
        #expect(ProcessorUse.busyTicks(inStatistics: "cpu  1 2 3 4 5 6 x 8\n") == nil)
    }
}

@Suite struct ComputeRateTests {
    /// Any processor of the last decades does more than a tenth and less than ten thousand GFLOP/s.
    private func isPlausible(_ rate: Double) -> Bool { rate > 0.1 && rate < 10_000 }

    @Test(arguments: [1, 3]) func peakOfEveryTier(threads: Int) throws {
        for kernels in KernelSet.usable {
            let rate = try ComputeRate.fusedMultiplyAddPeak(threads: threads, kernels: kernels, seconds: 0.01)
            #expect(isPlausible(rate), "\(kernels.name), \(threads) threads: \(rate)")
        }
    }

    @Test(arguments: [1, 3]) func matrixProduct(threads: Int) throws {
        try OpenBLAS.load()
        let rate = try ComputeRate.matrixProduct(threads: threads, seconds: 0.01)
        #expect(isPlausible(rate), "\(threads) threads: \(rate)")
    }
}
