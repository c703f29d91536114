import CETNet
import CETNetCheckpoint
import CETNetEngine
import CKernels
import Foundation

/// What the figures were measured on and with.
struct MachineReport {
    let kernelTier: String
    let backend: Backend
    /// Those of the models, in the order in which they occur.
    let precisions: [Precision]
    /// Those for which the processor has no instructions.
    private let widened: [Precision]
    /// What computes the products of the models' layers, by precision; nothing where all are float32.
    private let products: [(precision: String, instructions: String)]
    /// The most that ran at the same time.
    let sessions: Int
    let seed: UInt64?
    let loadAverage: Double
    /// When it began, ISO 8601 in UTC.
    private let date = Date.now.formatted(.iso8601)
    /// How many processors other programs kept busy meanwhile; `nil` where the system does not say.
    var processorsOfOthers: Double?

    /// - Parameter models: at least one, all on the same kernels.
    init(models: [Model], backend: Backend, sessions: Int, seed: UInt64?) {
        kernelTier = models[0].kernelTier
        self.backend = backend
        precisions = models.map(\.precision).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        widened = precisions.filter { precision in
            models.contains { $0.precision == precision && !$0.hasInstructionsForPrecision }
        }
        var instructions: [String: String] = [:]
        for model in models { instructions.merge((try? model.summary().instructions) ?? [:]) { first, _ in first } }
        products = instructions.sorted { $0.key > $1.key }.filter { $0.key != Precision.float32.rawValue }
            .map { ($0.key, $0.value) }
        self.sessions = sessions
        self.seed = seed
        loadAverage = ProcessorUse.loadAverage
    }

    var precision: String { precisions.map(\.rawValue).joined(separator: ", ") }

    /// `debug` if the Swift or the C code was not optimised.
    static var buildConfiguration: String {
        #if DEBUG
            return "debug"
        #else
            return cetnet_is_optimised() ? "release" : "debug"
        #endif
    }

    static var swiftVersion: String {
        #if compiler(>=6.5)
            return "Swift 6.5 or later"
        #elseif compiler(>=6.4)
            return "Swift 6.4"
        #elseif compiler(>=6.3)
            return "Swift 6.3"
        #elseif compiler(>=6.2)
            return "Swift 6.2"
        #else
            return "Swift 6.1"
        #endif
    }

    static var cCompiler: String { String(cString: cetnet_compiler()) }

    /// Keys of ``fields`` that tell one run from another.
    static let originKeys: Set = [
        "date", "commit", "version", "processor", "governor", "kernel_tier", "backend", "configuration",
    ]

    /// What the JSON holds, in order.
    var fields: [JSONValue.Member] {
        [
            .init("date", .string(date)),
            .init("commit", Machine.commit.map { .string($0) } ?? .null),
            .init("governor", Machine.governor.map { .string($0) } ?? .null),
            .init("processor", .string(Machine.processorName)),
            .init("architecture", .string(Machine.architecture)),
            .init("operating_system", .string(Machine.operatingSystem)),
            .init("processors", .integer(Machine.processorCount)),
            .init("usable_processors", .integer(Processor.availableCount)),
            .init("load_average", .double(loadAverage)),
            .init(
                "processors_used_by_others", processorsOfOthers.map { .double(($0 * 1000).rounded() / 1000) } ?? .null),
            .init("version", .string(CETNetVersion.current)),
            .init("kernel_tier", .string(kernelTier)),
            .init("backend", .string(backend.rawValue)),
            .init("precision", .string(precision)),
            .init(
                "instructions", .object(products.map { .init($0.precision, .string($0.instructions)) })),
            .init("sessions", .integer(sessions)),
            .init("seed", seed.map { .string(String($0)) } ?? .null),
            .init("openblas_version", .string(Machine.openBLASVersion)),
            .init("openblas_core", .string(Machine.openBLASCore)),
            .init("openblas_threading", .string(Machine.openBLASThreading)),
            .init("swift_compiler", .string(Self.swiftVersion)),
            .init("c_compiler", .string(Self.cCompiler)),
            .init("configuration", .string(Self.buildConfiguration)),
        ]
    }

    /// As people read it.
    var text: String {
        let usable = Processor.availableCount
        let byInstructions =
            products.isEmpty
            ? ""
            : "\nproducts    " + products.map { "\($0.precision) by \($0.instructions)" }.joined(separator: ", ")
                + ", the rest float32"
        let note = widened.isEmpty ? "" : "; no instructions for \(widened.map(\.rawValue).joined(separator: ", "))"
        return """
            machine     \(Machine.processorName), \(usable) of \(Machine.processorCount) processors usable, \
            \(Machine.operatingSystem)
            kernels     \(kernelTier), backend \(backend.rawValue), \(precision)\(note)\(byInstructions)
            OpenBLAS    \(Machine.openBLASVersion), core \(Machine.openBLASCore), \(Machine.openBLASThreading)
            build       cetnet \(CETNetVersion.current), \(Self.buildConfiguration), \
            \(Self.swiftVersion), \(Self.cCompiler)
            """
    }
}
