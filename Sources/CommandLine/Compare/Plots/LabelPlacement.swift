import Foundation

/// Finds places for the names of points so that no name covers another name or a point.
enum LabelPlacement {
    /// A name's place.
    struct Place: Sendable, Equatable {
        var rectangle: PlotRectangle
        /// Whether it is so far from its point that a line should lead there.
        var isFar: Bool
    }

    /// - Parameters:
    ///   - points: what is named.
    ///   - sizes: width and height of each name.
    ///   - lines: what names should not cover beside the points and each other, if there is a place left.
    ///   - area: where names may lie.
    /// - Returns: for each point its name's place. Where there is none at all left, the name lies beside its point.
    static func places(
        points: [PlotPoint], sizes: [(width: Double, height: Double)], lines: [PlotRectangle] = [],
        area: PlotRectangle
    ) -> [Place] {
        let radius = 6.0
        let marks = points.map {
            PlotRectangle(x: $0.x - radius, y: $0.y - radius, width: 2 * radius, height: 2 * radius)
        }
        var places: [Place?] = Array(repeating: nil, count: points.count)
        // Points with near neighbours have the fewest places to choose from, so they choose first.
        let order = points.indices.sorted { crowd(points, $0) < crowd(points, $1) }
        for index in order {
            let size = sizes[index]
            let candidates = candidates(points[index], width: size.width, height: size.height, radius: radius)
                .filter { area.contains($0.rectangle) }
            let taken = marks + places.compactMap { $0?.rectangle }
            func isFree(_ place: Place, of rectangles: [PlotRectangle]) -> Bool {
                !rectangles.contains { $0.intersects(place.rectangle) }
            }
            let free = candidates.filter { isFree($0, of: taken) }
            let beside = PlotRectangle(
                x: points[index].x + radius + 1, y: points[index].y - size.height / 2, width: size.width,
                height: size.height)
            places[index] =
                free.first { isFree($0, of: lines) } ?? free.first ?? Place(rectangle: beside, isFar: false)
        }
        return places.map { $0! }
    }

    /// Distance to the nearest other point.
    private static func crowd(_ points: [PlotPoint], _ index: Int) -> Double {
        let point = points[index]
        return points.indices.filter { $0 != index }
            .map { hypot(points[$0].x - point.x, points[$0].y - point.y) }.min() ?? .infinity
    }

    /// Right, left, above, below, and then the same and more directions farther and farther away.
    private static func candidates(
        _ point: PlotPoint, width: Double, height: Double, radius: Double
    ) -> [Place] {
        let directions: [(x: Double, y: Double)] = [
            (1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1), (1, -0.5), (1, 0.5), (-1, -0.5),
            (-1, 0.5), (0.5, -1), (0.5, 1), (-0.5, -1), (-0.5, 1),
        ]
        return stride(from: 0.0, through: 400, by: 8).flatMap { distance in
            directions.map { direction in
                let gap = radius + 1 + distance
                // The nearest edge or corner of the name is `gap` away in that direction.
                let centre = PlotPoint(
                    x: point.x + direction.x * (gap + width / 2), y: point.y + direction.y * (gap + height / 2))
                return Place(
                    rectangle: PlotRectangle(
                        x: centre.x - width / 2, y: centre.y - height / 2, width: width, height: height),
                    isFar: distance > 4)
            }
        }
    }
}
