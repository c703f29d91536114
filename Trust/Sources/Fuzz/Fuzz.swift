import Foundation
import FuzzTargets

/// Which target: the environment's CETNET_FUZZ_TARGET.
private let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["CETNET_FUZZ_TARGET"] ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        let known = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
        fatalError("CETNET_FUZZ_TARGET is '\(name)'; expected one of \(known)")
    }
    return target
}()

/// What the fuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    if case .broken(let what) = target.take(UnsafeRawBufferPointer(start: bytes, count: count)) {
        FileHandle.standardError.write(Data("\(target.rawValue): \(what)\n".utf8))
        abort()
    }
    return 0
}
