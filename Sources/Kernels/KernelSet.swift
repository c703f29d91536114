package import CKernels
import Foundation

/// The kernels of one instruction-set tier.
package struct KernelSet: @unchecked Sendable {
    // Points to constant data of the program; never written.
    package let functions: UnsafePointer<cetnet_kernel_set>

    /// `portable`, `avx2` or `avx512`.
    package var name: String { String(cString: functions.pointee.name) }
    /// Columns of a packed panel of weights.
    package var panelColumns: Int { Int(functions.pointee.panel_columns) }
    /// `columns` rounded up to whole panels, the last of which may be half as wide.
    package func packedColumns(_ columns: Int) -> Int { cetnet_packed_columns(columns, panelColumns) }
    /// Rows of the GEMM's largest register tile.
    package var tileRows: Int { Int(functions.pointee.tile_rows) }
    /// Floats in a vector.
    package var lanes: Int { Int(functions.pointee.lanes) }
    /// Whether there are vector instructions beyond those every processor has.
    package var isPortable: Bool { name == "portable" }

    /// All tiers that this build knows, best first.
    private static let known: [KernelSet] = list(cetnet_known_kernel_set).map { KernelSet(functions: $0) }

    /// All tiers that this machine can run, best first.
    package static let usable: [KernelSet] = known.filter { $0.functions.pointee.is_usable() != 0 }

    /// The names of all tiers that this build knows, best first.
    package static let knownNames: [String] = known.map(\.name)

    /// The names of all kernels that a tier has.
    package static let families: [String] = list(cetnet_kernel_family).map { String(cString: $0) }

    /// Name of the environment variable that forces a tier.
    package static let environmentVariable = "CETNET_KERNELS"

    /// The tier that the environment asks for, or else the best one: for the engine and for resizing alike.
    /// - Throws: ``KernelTierError`` if the environment names a tier that does not exist or that this machine lacks.
    package static func selected() throws(KernelTierError) -> KernelSet {
        guard let name = ProcessInfo.processInfo.environment[environmentVariable], !name.isEmpty else {
            return usable[0]
        }
        guard let set = usable.first(where: { $0.name == name }) else {
            throw KernelTierError(requested: name, known: knownNames, usable: usable.map(\.name))
        }
        return set
    }

    /// What a list of the C library holds, which ends with NULL.
    private static func list<Element>(_ element: (Int32) -> Element?) -> [Element] {
        var elements: [Element] = []
        while let element = element(Int32(elements.count)) { elements.append(element) }
        return elements
    }
}

/// The environment asks for kernels that this machine cannot run or this build does not know.
public struct KernelTierError: Error, Equatable, Sendable, CustomStringConvertible, LocalizedError {
    /// The value of the environment variable `CETNET_KERNELS`.
    public let requested: String
    /// Tiers of this build.
    public let known: [String]
    /// Tiers that this machine can run.
    public let usable: [String]

    package init(requested: String, known: [String], usable: [String]) {
        self.requested = requested
        self.known = known
        self.usable = usable
    }

    public var description: String {
        let problem = known.contains(requested) ? "this processor lacks its instructions" : "there is no such tier"
        return
            "\(KernelSet.environmentVariable)=\(requested): \(problem); usable here: \(usable.joined(separator: ", "))"
    }

    /// The same as ``description``.
    public var errorDescription: String? { description }
}
