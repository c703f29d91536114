import Foundation

extension PreprocessConfiguration.Interpolation {
    /// Half of the filter's width, in source pixels at scale 1. `nearest` is no filter and has none.
    var support: Double {
        switch self {
        case .nearest: 0
        case .box: 0.5
        case .bilinear, .hamming: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    /// The filter's weight at a distance of `x` source pixels from its centre, at scale 1.
    func weight(at x: Double) -> Double {
        let distance = abs(x)
        switch self {
        case .nearest:
            return 0
        case .box:
            return x > -0.5 && x <= 0.5 ? 1 : 0
        case .bilinear:
            return distance < 1 ? 1 - distance : 0
        case .hamming:
            // The constants are Float in Pillow.
            let a = Double(Float(0.54)), b = Double(Float(0.46))
            return distance < 1 ? sinc(distance) * (a + b * cos(distance * .pi)) : 0
        case .bicubic:
            // Keys' cubic convolution with a = −0.5.
            let a = -0.5
            if distance < 1 { return ((a + 2) * distance - (a + 3)) * distance * distance + 1 }
            return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * a : 0
        case .lanczos:
            return -3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0
        }
    }

    private func sinc(_ x: Double) -> Double {
        x == 0 ? 1 : sin(x * .pi) / (x * .pi)
    }
}
