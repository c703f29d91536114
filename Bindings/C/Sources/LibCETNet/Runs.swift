import CCETNet
import CETNetImaging

extension Model {
    /// What it gives for an image of a size: (channels, height, width) of each stage's map; (labels) or (labels, height,
    /// width) of its logits, if it has any.
    func outputShapes(_ size: ImageSize) throws -> (features: [[Int]], logits: [Int]?) {
        var shapes = try outputs(imageSize: size).map { ($0.name, $0.shape.compactMap(\.self)) }
        let logits = shapes.firstIndex { $0.0 == "logits" }.map { shapes.remove(at: $0).1 }
        return (shapes.map(\.1), logits)
    }
}

@c @implementation
public func cetnet_output_shape(
    _ model: OpaquePointer?, _ output: Int, _ height: Int, _ width: Int, _ shape: UnsafeMutablePointer<Int>?,
    _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> cetnet_status {
    report(to: message) {
        let shapes = try Handle.of(model).model.outputShapes(ImageSize(height: height, width: width))
        let shape = try need(shape, "shape")
        // CETNET_LOGITS is the largest size_t, which Swift takes for -1.
        guard let found = output == -1 ? shapes.logits : shapes.features.dropFirst(max(0, output)).first,
            output >= -1
        else {
            let stages = "0 to \(shapes.features.count - 1)"
            throw Refusal.range("output", allowed: stages + (shapes.logits == nil ? "" : " and CETNET_LOGITS"), output)
        }
        for axis in 0..<3 { shape[axis] = axis < found.count ? found[axis] : 1 }
    }
}

@c @implementation
public func cetnet_run(
    _ model: OpaquePointer?, _ input: UnsafePointer<Float>?, _ inputCount: Int, _ batch: Int, _ height: Int,
    _ width: Int, _ logits: UnsafeMutablePointer<Float>?, _ logitsCount: Int,
    _ features: UnsafePointer<UnsafeMutablePointer<Float>?>?, _ featureCounts: UnsafePointer<Int>?,
    _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> cetnet_status {
    report(to: message) {
        let model = try Handle.of(model).model
        let input = UnsafeBufferPointer(start: try need(input, "input"), count: max(0, inputCount))
        let size = ImageSize(height: height, width: width)
        let maps = try features.map { features in
            let counts = try need(featureCounts, "feature_counts")
            return try model.outputShapes(size).features.indices.map {
                UnsafeMutableBufferPointer(start: try need(features[$0], "features[\($0)]"), count: max(0, counts[$0]))
            }
        }
        guard logits != nil || maps != nil else { throw Refusal.null("each of logits and features") }
        try model.run(
            input: input, batch: batch, imageSize: size,
            logits: logits.map { UnsafeMutableBufferPointer(start: $0, count: max(0, logitsCount)) }, features: maps)
    }
}

@c @implementation
public func cetnet_warm_up(
    _ model: OpaquePointer?, _ height: Int, _ width: Int, _ batch: Int,
    _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> cetnet_status {
    report(to: message) {
        let size = height == 0 && width == 0 ? nil : ImageSize(height: height, width: width)
        try Handle.of(model).model.warmUp(imageSize: size, batch: batch)
    }
}
