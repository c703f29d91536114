import CETNetImaging
import Foundation
import TestSupport
import Testing

@Suite("Errors of decoding")
struct ErrorTests {
    private func decode(_ bytes: [UInt8], _ decoder: ImageDecoder = ImageDecoder()) throws {
        _ = try bytes.withUnsafeBytes { try decoder.decode($0, source: "test") }
    }

    private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        try body(directory.write(bytes, to: "image"))
    }

    @Test("a missing file")
    func missing() {
        #expect(throws: ImageError.notFound(source: "/nowhere/photo.jpg")) {
            try ImageDecoder().decode(contentsOfFile: "/nowhere/photo.jpg")
        }
    }

    @Test("what cannot be read: a folder, a URL that is no file")
    func unreadable() throws {
        let folder = FileManager.default.temporaryDirectory.path
        let error = try #require(throws: ImageError.self) { try ImageDecoder().decode(contentsOfFile: folder) }
        guard case .unreadable(folder, _) = error else {
            Issue.record("\(error)")
            return
        }
        let remote = try #require(URL(string: "https://example.org/photo.jpg"))
        #expect(throws: ImageError.unreadable(source: "\(remote)", reason: "expected the URL of a file")) {
            try ImageDecoder().decode(contentsOf: remote)
        }
    }

    @Test(
        "other formats are named",
        arguments: [
            ("GIF89a", "GIF"), ("RIFF....WEBPVP8 ", "WebP"), ("BM......", "BMP"), ("II*\0....", "TIFF"),
            ("MM\0*....", "TIFF"), ("....ftypheic....", "HEIC"), ("....ftypavif....", "AVIF"),
            ("....ftypisom....", "MPEG-4 video"), ("....JXL ....", "JPEG XL"), ("....jP  ....", "JPEG 2000"),
            ("8BPS....", "Photoshop"), ("%PDF-1.7", "PDF"), ("<svg width", "SVG"), ("PK..", "ZIP"),
            ("hello", "unknown"), ("", "empty file"), ("B", "unknown"),
        ])
    func formats(_ content: String, _ name: String) throws {
        #expect(throws: ImageError.unsupportedFormat(source: "test", format: name)) { try decode(Array(content.utf8)) }
        try withFile(Array(content.utf8)) { path in
            #expect(throws: ImageError.unsupportedFormat(source: path, format: name)) {
                try ImageDecoder().decode(contentsOfFile: path)
            }
        }
    }

    @Test("a file may have any name")
    func names() throws {
        try withFile(Fixtures.bytes("grey8.png")) { path in
            let image = try ImageDecoder().decode(contentsOfFile: path)
            #expect(image.width == 13)
        }
    }

    @Test("truncation anywhere is an error", arguments: ["420.jpg", "420-progressive.jpg", "cmyk.jpg"])
    func truncatedJPEG(_ name: String) throws {
        let bytes = try Fixtures.bytes(name)
        for count in stride(from: 3, to: bytes.count, by: 7) {
            #expect(throws: ImageError.truncated(source: "test", format: "JPEG"), "\(count) bytes") {
                try decode(Array(bytes.prefix(count)))
            }
        }
        #expect(throws: ImageError.truncated(source: "test", format: "JPEG")) { try decode(bytes.dropLast()) }
    }

    @Test("truncation before the end of the pixels is an error", arguments: ["rgb8.png", "palette4-interlaced.png"])
    func truncatedPNG(_ name: String) throws {
        let bytes = try Fixtures.bytes(name)
        // The last 12 bytes are the chunk that ends the file, the 8 before them two check sums.
        for count in stride(from: 8, to: bytes.count - 20, by: 5) {
            #expect(throws: ImageError.truncated(source: "test", format: "PNG"), "\(count) bytes") {
                try decode(Array(bytes.prefix(count)))
            }
        }
        try decode(bytes.dropLast(12))
    }

    @Test("pixels that the decoder would have to make up are an error")
    func damagedJPEG() throws {
        // The end of the image in the middle of its data.
        let bytes = try Fixtures.bytes("444.jpg")
        var cut = Array(bytes.prefix(bytes.count * 3 / 4))
        cut += [0xFF, 0xD9]
        #expect(
            throws: ImageError.damaged(
                source: "test", format: "JPEG", reason: "Corrupt JPEG data: premature end of data segment")
        ) { try decode(cut) }
        // No image at all.
        let error = try #require(throws: ImageError.self) { try decode([0xFF, 0xD8, 0xFF, 0xD9]) }
        guard case .damaged("test", "JPEG", let reason) = error, !reason.isEmpty else {
            Issue.record("\(error)")
            return
        }
    }

    @Test("an unknown version of the wrapping is no damage")
    func version() throws {
        var bytes = try Fixtures.bytes("444.jpg")
        let wrapping = try Fixtures.segment(0xE0, of: bytes)
        try #require(bytes[wrapping + 9] == 1, "major version of JFIF")
        bytes[wrapping + 9] = 2
        let image = try bytes.withUnsafeBytes { try ImageDecoder().decode($0) }
        #expect(try image.bytes == Fixtures.bytes("444.jpg.raw"))
    }

    @Test("a wrong check sum is an error with libpng's message")
    func damagedPNG() throws {
        var bytes = try Fixtures.bytes("rgb8.png")
        bytes[bytes.count - 20] ^= 1
        let error = try #require(throws: ImageError.self) { try decode(bytes) }
        guard case .damaged("test", "PNG", let reason) = error, !reason.isEmpty, reason != "no message" else {
            Issue.record("\(error)")
            return
        }
        bytes = try Fixtures.bytes("rgb8.png")
        bytes[12] = 0x41
        #expect(
            throws: ImageError.damaged(
                source: "test", format: "PNG", reason: "the file does not begin with a header")
        ) { try decode(bytes) }
    }

    @Test("kinds of JPEG that are not decoded are named")
    func unsupportedJPEG() throws {
        var bytes = try Fixtures.bytes("444.jpg")
        let frame = try Fixtures.segment(0xC0, of: bytes)
        bytes[frame + 4] = 12
        #expect(
            throws: ImageError.unsupportedEncoding(source: "test", format: "JPEG", reason: "12 bits per channel")
        ) { try decode(bytes) }
        bytes[frame + 4] = 8
        bytes[frame + 1] = 0xC3
        #expect(throws: ImageError.unsupportedEncoding(source: "test", format: "JPEG", reason: "lossless")) {
            try decode(bytes)
        }
    }

    @Test("too many pixels are refused by the header alone")
    func pixels() throws {
        let decoder = ImageDecoder(maximumPixels: 37 * 29)
        try decode(Fixtures.bytes("444.jpg"), decoder)
        let smaller = ImageDecoder(maximumPixels: 37 * 29 - 1)
        #expect(throws: ImageError.tooManyPixels(source: "test", width: 37, height: 29, maximumPixels: 37 * 29 - 1)) {
            try decode(Fixtures.bytes("444.jpg"), smaller)
        }
        #expect(throws: ImageError.tooManyPixels(source: "test", width: 13, height: 11, maximumPixels: 142)) {
            try decode(Fixtures.bytes("rgb8.png"), ImageDecoder(maximumPixels: 142))
        }

        // A few hundred bytes that promise gigabytes.
        var jpeg = try Fixtures.bytes("444.jpg")
        let frame = try Fixtures.segment(0xC0, of: jpeg)
        jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xFF, 0xDC, 0xFF, 0xDC])
        #expect(throws: ImageError.tooManyPixels(source: "test", width: 65500, height: 65500, maximumPixels: 1 << 27)) {
            try decode(jpeg)
        }
        var png = try Fixtures.bytes("rgb8.png")
        png.replaceSubrange(16..<24, with: [0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF])
        let side = Int(Int32.max)
        #expect(throws: ImageError.tooManyPixels(source: "test", width: side, height: side, maximumPixels: 1 << 27)) {
            try decode(png)
        }
    }

    @Test("too long files are refused")
    func bytes() throws {
        let content = try Fixtures.bytes("444.jpg")
        let decoder = ImageDecoder(maximumBytes: content.count - 1)
        #expect(throws: ImageError.tooManyBytes(source: "test", maximumBytes: content.count - 1)) {
            try decode(content, decoder)
        }
        let path = Fixtures.url("444.jpg").path
        #expect(throws: ImageError.tooManyBytes(source: path, maximumBytes: content.count - 1)) {
            try decoder.decode(contentsOfFile: path)
        }
        _ = try ImageDecoder(maximumBytes: content.count).decode(contentsOfFile: path)
    }

    @Test("a pipe is read to its end, up to the limit")
    func pipe() throws {
        let content = try Fixtures.bytes("444.jpg")
        let directory = try TemporaryDirectory()
        let path = directory.path("pipe")
        try #require(mkfifo(path, 0o600) == 0)
        func decodePipe(_ decoder: ImageDecoder) throws -> [UInt8] {
            // Fits into the pipe, so that the writer never waits. Opening waits for the reader.
            Thread.detachNewThread { FileHandle(forWritingAtPath: path)?.write(Data(content)) }
            return try decoder.decode(contentsOfFile: path).bytes
        }
        #expect(try decodePipe(ImageDecoder()) == Fixtures.bytes("444.jpg.raw"))
        #expect(throws: ImageError.tooManyBytes(source: path, maximumBytes: content.count - 1)) {
            try decodePipe(ImageDecoder(maximumBytes: content.count - 1))
        }
    }

    @Test("a progressive JPEG of endless scans is refused")
    func scans() throws {
        let bytes = try Fixtures.bytes("grey-progressive.jpg")
        // The last scan again and again, which is a valid thing to do as far as the format goes.
        let scan = try #require((0..<bytes.count - 1).last { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDA })
        let before = (0..<bytes.count - 1).count { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDA }
        let repeated = Array(repeating: bytes[scan..<bytes.count - 2], count: 1000).joined()
        #expect(throws: ImageError.tooManyScans(source: "test", scans: before + 1000, maximumScans: 100)) {
            try decode(bytes.dropLast(2) + repeated + [0xFF, 0xD9])
        }
    }

    @Test("errors name the source, what was expected and what was found")
    func descriptions() {
        #expect(
            "\(ImageError.tooManyPixels(source: "a.png", width: 9, height: 8, maximumPixels: 7))"
                == "a.png: expected at most 7 pixels, found 9x8")
        #expect(
            "\(ImageError.unsupportedFormat(source: "a.gif", format: "GIF"))"
                == "a.gif: expected a JPEG or PNG image, found format: GIF")
    }
}
