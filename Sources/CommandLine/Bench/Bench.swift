import ArgumentParser
import CETNet
import Foundation

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measure speed.")
    @Argument var model: String
    @Option(name: .long) var imageSize: SizeArgument?
    @Option(name: .long) var batch = 1
    @Option(name: .long) var threads = 1
    @Option(name: .long) var seconds = 10.0
    @Option(name: .long) var backend = "auto"
    @Option(name: .long) var json: String?

    func run() throws {
        let clock = ContinuousClock()
        func ms(_ d: Duration) -> Double { Double(d.components.seconds) * 1e3 + Double(d.components.attoseconds) / 1e15 }
        let options = Model.Options(backend: Backend(rawValue: backend)!, threads: threads, concurrency: 1)
        var m: Model! = nil
        let load = try clock.measure {
            m = Variant.all.contains { $0.name == model }
                ? try Model(configuration: ModelConfiguration(variant: model), randomSeed: 1, options: options)
                : try Model(contentsOf: URL(fileURLWithPath: model), options: options)
        }
        let session = try Session(m)
        let size = imageSize?.size ?? ImageSize(square: m.configuration.imageSize)
        var s: UInt32 = 1
        let input: [Float] = (0..<batch * 3 * size.area).map { _ in
            s = s &* 1_664_525 &+ 1_013_904_223
            return Float(s >> 8) * 0x1p-22 - 2
        }
        var logits = [Float](repeating: 0, count: batch * m.configuration.numLabels)
        func once() throws -> Double {
            try input.withUnsafeBufferPointer { i in
                try logits.withUnsafeMutableBufferPointer { o in
                    let d = try clock.measure { try session.run(input: i, batch: batch, imageSize: size, logits: o) }
                    return ms(d)
                }
            }
        }
        let first = try once()
        for _ in 0..<2 { _ = try once() }
        var times: [Double] = []
        let end = clock.now + .seconds(seconds)
        while clock.now < end || times.count < 3 { times.append(try once()) }
        times.sort()
        let median = times[times.count / 2]
        print("\(model) batch \(batch) threads \(threads): median \(median) min \(times[0]) load \(ms(load)) first \(first)")
        if let json {
            var usage = rusage()
            getrusage(0 /* RUSAGE_SELF */, &usage)
            let text = """
                {"machine": {"kernel_tier": "\(m.kernelTier)"}, "results": [{"model": "\(model)", "batch": \(batch), "threads": \(threads), \
                "load_ms": \(ms(load)), "first_run_ms": \(first), "mean_ms": \(times.reduce(0, +) / Double(times.count)), \
                "median_ms": \(median), "min_ms": \(times[0]), "max_ms": \(times.last!), "peak_rss_bytes": \(usage.ru_maxrss * 1024)}]}
                """
            try text.write(toFile: json, atomically: true, encoding: .utf8)
        }
    }
}
