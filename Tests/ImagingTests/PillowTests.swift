import CETNetImaging
import CETNetPreprocessing
import Foundation
import Testing

@Suite("Decoding against Pillow")
struct PillowTests {
    @Test("every pixel is Pillow's", arguments: Fixtures.cases)
    func pixels(_ fixture: Fixtures.Case) throws {
        let image = try ImageDecoder().decode(contentsOf: Fixtures.url(fixture.file))
        #expect(image.format == .rgb8)
        #expect(image.width == fixture.width && image.height == fixture.height)
        let expected = try fixture.expected()
        try #require(image.bytes.count == expected.count)
        let wrong = expected.indices.filter { image.bytes[$0] != expected[$0] }
        #expect(
            wrong.isEmpty,
            """
            \(wrong.count) of \(expected.count) values differ, the first at \(wrong.first ?? 0): \
            found \(wrong.first.map { image.bytes[$0] } ?? 0), expected \(wrong.first.map { expected[$0] } ?? 0)
            """)
    }

    @Test("path, URL, data and bytes give the same image")
    func sources() throws {
        let decoder = ImageDecoder()
        for name in ["420.jpg", "rgba8.png"] {
            let url = Fixtures.url(name)
            let image = try decoder.decode(contentsOf: url)
            #expect(try decoder.decode(contentsOfFile: url.path) == image)
            #expect(try decoder.decode(Data(contentsOf: url)) == image)
            #expect(try Fixtures.bytes(name).withUnsafeBytes { try decoder.decode($0) } == image)
            // A slice of Data does not start at index 0.
            let padded = try Data([1, 2, 3]) + Data(contentsOf: url)
            #expect(try decoder.decode(padded.dropFirst(3)) == image)
        }
    }

    @Test("orientation is left alone when asked to")
    func storedOrientation() throws {
        let upright = try ImageDecoder().decode(contentsOf: Fixtures.url("orientation1.jpg"))
        for orientation in 1...8 {
            let url = Fixtures.url("orientation\(orientation).jpg")
            let stored = try ImageDecoder(appliesOrientation: false).decode(contentsOf: url)
            #expect(stored == upright, "orientation \(orientation)")
            let turned = try ImageDecoder().decode(contentsOf: url)
            #expect((turned == upright) == (orientation == 1), "orientation \(orientation)")
        }
        let png = try ImageDecoder(appliesOrientation: false).decode(contentsOf: Fixtures.url("rgb8-turned.png"))
        let plain = try ImageDecoder().decode(contentsOf: Fixtures.url("rgb8-gamma.png"))
        #expect(png == plain)
    }

    @Test("one decoder serves many tasks at once")
    func concurrency() async throws {
        let decoder = ImageDecoder()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for fixture in Fixtures.cases {
                group.addTask {
                    let image = try decoder.decode(contentsOf: Fixtures.url(fixture.file))
                    #expect(try image.bytes == fixture.expected(), "\(fixture.file)")
                }
            }
            try await group.waitForAll()
        }
    }
}
