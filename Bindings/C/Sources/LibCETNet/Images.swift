import CCETNet
import CETNetImaging
import Foundation

extension Image {
    /// An image whose bytes stay C's: it is read while the call that brought it lasts.
    fileprivate init(_ image: cetnet_image, index: Int) throws {
        let name = image.name.map { String(cString: $0) }
        switch image.source {
        case CETNET_FILE:
            self = .file(try need(name, "images[\(index)].name, the path of a file,"))
            return
        case CETNET_ENCODED, CETNET_PIXELS: break
        default: throw Refusal.unknown("image source", Int(image.source.rawValue))
        }
        guard image.bytes != nil || image.byte_count == 0 else { throw Refusal.null("images[\(index)].bytes") }
        guard image.byte_count >= 0 else {
            throw Refusal.range("images[\(index)].byte_count", allowed: "at most \(Int.max)", image.byte_count)
        }
        nonisolated(unsafe) let bytes = UnsafeRawBufferPointer(start: image.bytes, count: image.byte_count)
        if image.source == CETNET_ENCODED {
            let name = name ?? "image"
            self.init(name: name) { try ImageDecoder().decode(bytes, source: name) }
        } else {
            let format = try PixelFormat(image.format)
            let (width, height, stride) = (image.width, image.height, image.bytes_per_row)
            self.init(name: name ?? "image") {
                try PixelBuffer(
                    width: width, height: height, format: format, bytesPerRow: stride == 0 ? nil : stride,
                    bytes: [UInt8](bytes))
            }
        }
    }

    static func all(_ images: UnsafePointer<cetnet_image>?, count: Int) throws -> [Image] {
        guard count >= 0 else { throw Refusal.range("count", allowed: "at most \(Int.max)", count) }
        if count == 0 { return [] }
        let images = try need(images, "images")
        return try (0..<count).map { try Image(images[$0], index: $0) }
    }
}

@c @implementation
public func cetnet_classify(
    _ model: OpaquePointer?, _ images: UnsafePointer<cetnet_image>?, _ count: Int, _ top: Int, _ batch: Int,
    _ predictions: UnsafeMutablePointer<cetnet_prediction>?, _ outcomes: UnsafeMutablePointer<cetnet_outcome>?,
    _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> cetnet_status {
    report(to: message) {
        let model = try Handle.of(model).model
        let images = try Image.all(images, count: count)
        guard top >= 0 else { throw Refusal.range("top", allowed: "at most \(Int.max)", top) }
        if count == 0 { return }
        let outcomes = try need(outcomes, "outcomes")
        let predictions = top == 0 ? predictions : try need(predictions, "predictions")
        let results = try model.classify(images, top: top, batch: batch == 0 ? 8 : batch)
        for (index, result) in results.enumerated() {
            switch result {
            case .success(let ranked):
                for (rank, prediction) in ranked.enumerated() {
                    predictions![index * top + rank] = cetnet_prediction(
                        index: UInt32(prediction.index), probability: prediction.probability)
                }
                outcomes[index] = cetnet_outcome(status: CETNET_OK, count: UInt32(ranked.count), message: nil)
            case .failure(let error):
                outcomes[index] = cetnet_outcome(
                    status: status(of: error), count: 0, message: strdup(text(of: error)))
            }
        }
    }
}

@c @implementation
public func cetnet_segment(
    _ model: OpaquePointer?, _ image: UnsafePointer<cetnet_image>?,
    _ labels: UnsafeMutablePointer<UnsafeMutablePointer<Int32>?>?, _ height: UnsafeMutablePointer<Int>?,
    _ width: UnsafeMutablePointer<Int>?, _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> cetnet_status {
    labels?.pointee = nil
    return report(to: message) {
        let model = try Handle.of(model).model
        let image = try Image(try need(image, "image").pointee, index: 0)
        let (labels, height, width) = (try need(labels, "labels"), try need(height, "height"), try need(width, "width"))
        let map = try model.segment(image)
        let bytes = map.indices.count * MemoryLayout<Int32>.stride
        guard let memory = malloc(bytes) else { throw ModelError.outOfMemory(bytes: bytes) }
        map.indices.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: bytes) }
        labels.pointee = memory.assumingMemoryBound(to: Int32.self)
        (height.pointee, width.pointee) = (map.height, map.width)
    }
}

@c @implementation
public func cetnet_preprocess(
    _ model: OpaquePointer?, _ images: UnsafePointer<cetnet_image>?, _ count: Int,
    _ tensor: UnsafeMutablePointer<Float>?, _ tensorCount: Int,
    _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> cetnet_status {
    report(to: message) {
        let model = try Handle.of(model).model
        let images = try Image.all(images, count: count)
        if count == 0 { return }
        let values = try model.preprocess(images).values
        guard tensorCount >= values.count else {
            throw ModelError.buffer(of: "the tensor", needed: values.count, found: tensorCount)
        }
        try need(tensor, "tensor").update(from: values, count: values.count)
    }
}
