import CCETNet
import CETNetImaging
import Foundation

/// What a `cetnet_model` points to: the model, the texts that C reads for as long as it lives, and who loaded it.
final class Handle: @unchecked Sendable {  // Safe because nothing is written to the texts.
    let model: Model
    private let labels: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>
    let kernels: UnsafeMutablePointer<CChar>?
    private let process = getpid()
    var isOfThisProcess: Bool { process == getpid() }

    init(_ model: Model) {
        self.model = model
        labels = .allocate(capacity: model.configuration.labels.count)
        for (index, label) in model.configuration.labels.enumerated() {
            labels.initializeElement(at: index, to: strdup(label))
        }
        kernels = strdup(model.kernelTier)
    }

    deinit {
        for label in labels { free(label) }
        labels.deallocate()
        free(kernels)
    }

    func label(_ index: Int) -> UnsafePointer<CChar>? {
        labels.indices.contains(index) ? UnsafePointer(labels[index]) : nil
    }

    /// The handle of a pointer that C holds.
    static func of(_ pointer: OpaquePointer?) throws -> Handle {
        let pointer = try need(pointer, "model")
        let handle = Unmanaged<Handle>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
        guard handle.isOfThisProcess else { throw Refusal.otherProcess }
        return handle
    }
}

@c @implementation
public func cetnet_load(
    _ path: UnsafePointer<CChar>?, _ options: UnsafePointer<cetnet_options>?,
    _ model: UnsafeMutablePointer<OpaquePointer?>?, _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> cetnet_status {
    model?.pointee = nil
    return report(to: message) {
        let result = try need(model, "model")
        let path = String(cString: try need(path, "path"))
        let handle = Handle(try Model(path: path, options: Model.Options(options)))
        result.pointee = OpaquePointer(Unmanaged.passRetained(handle).toOpaque())
    }
}

@c @implementation
public func cetnet_unload(_ model: OpaquePointer?) {
    guard let model else { return }
    let handle = Unmanaged<Handle>.fromOpaque(UnsafeRawPointer(model))
    // In a child of fork the model's threads, which would be waited for, are not there.
    if handle.takeUnretainedValue().isOfThisProcess { handle.release() }
}

@c @implementation
public func cetnet_describe(
    _ model: OpaquePointer?, _ description: UnsafeMutablePointer<cetnet_description>?,
    _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> cetnet_status {
    report(to: message) {
        let handle = try Handle.of(model)
        let description = try need(description, "description")
        let (model, side) = (handle.model, handle.model.configuration.imageSize)
        let size = ImageSize(height: side, width: side)
        let known = description.pointee.struct_size
        guard known > MemoryLayout<Int>.size else { throw Refusal.structSize("description", known) }
        var all = cetnet_description(
            struct_size: known, labels: model.configuration.numLabels, image_size: side,
            stages: try model.outputShapes(size).features.count, parameters: model.parameterCount,
            multiply_adds: try model.multiplyAdds(imageSize: size), weight_bytes: model.weightBytes,
            threads: Int32(model.threads), concurrency: Int32(model.concurrency),
            precision: model.precision.c,
            task: model.configuration.task == .segmentation ? CETNET_SEGMENTATION : CETNET_CLASSIFICATION,
            has_head: model.hasClassifier ? 1 : 0,
            kernels: UnsafePointer(handle.kernels))
        withUnsafeBytes(of: &all) {
            UnsafeMutableRawPointer(description).copyMemory(from: $0.baseAddress!, byteCount: min(known, $0.count))
        }
    }
}

@c @implementation
public func cetnet_label(_ model: OpaquePointer?, _ index: Int) -> UnsafePointer<CChar>? {
    (try? Handle.of(model))?.label(index)
}

@c @implementation
public func cetnet_configuration(
    _ model: OpaquePointer?, _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> cetnet_status {
    json?.pointee = nil
    return report(to: message) {
        let handle = try Handle.of(model)
        let result = try need(json, "json")
        result.pointee = strdup(String(decoding: try handle.model.configuration.json(), as: UTF8.self))
    }
}

extension Model.Options {
    /// The fields that the caller knows; the others have the library's values.
    fileprivate init(_ options: UnsafePointer<cetnet_options>?) throws {
        self.init()
        guard let options else { return }
        let known = options.pointee.struct_size
        // The first version's fields; later ones are read only where `struct_size` reaches them.
        guard known >= MemoryLayout<cetnet_options>.size else { throw Refusal.structSize("options", known) }
        let given = options.pointee
        threads = given.threads == 0 ? nil : Int(given.threads)
        concurrency = given.concurrency == 0 ? nil : Int(given.concurrency)
        precision = given.precision == CETNET_MODELS_PRECISION ? nil : try Precision(given.precision)
        backend = try Backend(given.backend)
    }
}
