import ArgumentParser
import CETNet

/// An image size on the command line: `N` for a square, or `HEIGHTxWIDTH`.
struct SizeArgument: ExpressibleByArgument {
    let size: ImageSize

    init?(argument: String) {
        let sides = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        switch sides.count {
        case 1:
            guard let side = sides[0], side > 0 else { return nil }
            size = ImageSize(square: side)
        case 2:
            guard let height = sides[0], let width = sides[1], height > 0, width > 0 else { return nil }
            size = ImageSize(height: height, width: width)
        default:
            return nil
        }
    }
}
