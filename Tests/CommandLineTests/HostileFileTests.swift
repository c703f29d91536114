import CETNetCheckpoint
import Foundation
import TestSupport
import Testing

/// Files that are not what they seem: each ends with a result or an error, never by a signal, and never hangs.
@Suite struct HostileFileTests {
    /// Runs a line of shell in which `$0` is `cetnet`, in a directory, with a minute to end.
    private func run(_ line: String, in directory: TemporaryDirectory) throws -> Command {
        try Command(shell: "cd '\(directory.url.path)' && \(line)".replacing("cetnet ", with: "timeout 60 \"$0\" "))
    }

    private func directoryWithImage() throws -> TemporaryDirectory {
        let directory = try directoryWithTinyModel()
        try directory.write(PNGImage.pattern(width: 64, height: 64, seed: 1), to: "folder/a.png")
        return directory
    }

    @Test func namesThatAreNotUTF8() throws {
        let directory = try directoryWithImage()
        let name = "\"$(printf 'folder/\\377.png')\""
        let folder = try run("cp folder/a.png \(name) && cetnet classify --model tiny --json folder", in: directory)
        #expect(folder.status == 0, "\(folder.errors)")
        #expect(folder.lines.count == 2, "\(folder.output)")
        #expect(folder.output.contains("\"path\": \"folder/\u{FFFD}.png\", \"predictions\""), "\(folder.output)")
        let named = try run("cetnet classify --model tiny --json \(name)", in: directory)
        #expect(named.status == 0, "\(named.errors)")
        #expect(folder.lines.contains(named.lines.first ?? ""), "\(named.output)")
    }

    @Test func pipesAndFoldersInThePlaceOfFiles() throws {
        let directory = try directoryWithImage()
        let folder = try run("mkfifo folder/b.png && cetnet classify --model tiny --top 1 folder", in: directory)
        #expect(folder.status == 1)
        #expect(folder.output.contains("folder/a.png\n"), "\(folder.output)")
        #expect(
            folder.errors.contains("folder/b.png: expected a regular file, found a device or pipe"), "\(folder.errors)")

        for name in ["config.json", "preprocessor_config.json", "model.safetensors"] {
            for make in ["mkfifo", "mkdir"] {
                let command = try run(
                    """
                    rm -rf copy && cp -r tiny copy && rm -f copy/\(name) && \(make) copy/\(name) && \
                    cetnet classify --model copy folder/a.png
                    """, in: directory)
                #expect(command.status == 2, "\(make) \(name)")
                let expected = "copy/\(name): expected a regular file, found a folder, device or pipe\n"
                #expect(command.errors.hasSuffix(expected), "\(make) \(name): \(command.errors)")
            }
        }
        let json = try run("mkfifo pipe.json && cetnet inspect pipe.json", in: directory)
        #expect(json.status == 2 && json.errors.contains("expected a regular file"), "\(json.status) \(json.errors)")
    }

    @Test func linksThatLeadNowhere() throws {
        let directory = try directoryWithImage()
        for name in ["config.json", "model.safetensors"] {
            let command = try run(
                """
                rm -rf copy && cp -r tiny copy && rm copy/\(name) && ln -s \(name) copy/\(name) && \
                cetnet classify --model copy folder/a.png
                """, in: directory)
            #expect(command.status == 2)
            let expected = "copy/\(name): cannot be opened: Too many levels of symbolic links\n"
            #expect(command.errors.hasSuffix(expected), "\(command.errors)")
        }
    }

    @Test func namesAndLabelsDoNotDriveTheTerminal() throws {
        let directory = try directoryWithImage()
        let text = try String(contentsOfFile: directory.path("tiny/config.json"), encoding: .utf8)
        #expect(text.contains("\"two\""))
        let forged = text.replacing("\"two\"", with: ##""\u001b[2J\n  99.99 %  cat""##)
        try directory.write(Array(forged.utf8), to: "tiny/config.json")
        let name = "\"$(printf 'folder/\\033[1m\\nb.png')\""
        let labels = try run("cp folder/a.png \(name) && cetnet classify --model tiny --top 7 folder", in: directory)
        #expect(labels.status == 0, "\(labels.errors)")
        #expect(labels.lines.count == 16, "a path and seven labels for each image: \(labels.output)")
        #expect(!labels.output.contains("\u{1B}"), "\(labels.output.debugDescription)")
        #expect(labels.output.contains(#"\u{1B}[2J\n  99.99 %  cat"#), "\(labels.output)")
        let failed = try run("echo > \(name); cetnet classify --model tiny \(name)", in: directory)
        #expect(failed.status == 1)
        #expect(failed.errors.contains(#"folder/\u{1B}[1m\nb.png: "#), "\(failed.errors.debugDescription)")
    }

    @Test func imagesWithMorePixelsThanAllowed() throws {
        let directory = try directoryWithImage()
        let allowed = try run("cetnet classify --model tiny --max-pixels 4096 folder/a.png", in: directory)
        #expect(allowed.status == 0, "\(allowed.errors)")
        let refused = try run("cetnet classify --model tiny --max-pixels 4095 folder/a.png", in: directory)
        #expect(refused.status == 1)
        #expect(refused.errors.contains("expected at most 4095 pixels, found 64x64"), "\(refused.errors)")
    }

    /// Images of 1.3 million pixels one after another, as they need 8 MB each, with what they would be otherwise.
    @Test func decodingInLittleMemory() throws {
        let directory = try directoryWithImage()
        for seed in 2...5 {
            try directory.write(PNGImage.pattern(width: 1200, height: 1100, seed: seed), to: "folder/\(seed).png")
        }
        let all = try run("cetnet classify --model tiny --json folder", in: directory)
        let little = try run("cetnet classify --model tiny --json --decoding-memory 1 folder", in: directory)
        #expect(little.status == 0, "\(little.errors)")
        #expect(little.lines.count == 5 && little.output == all.output, "\(little.output)")
    }

    @Test func evaluateTakesNoStrangeTables() throws {
        let directory = try directoryWithImage()
        for (make, expected) in [
            ("mkfifo data.csv", "data.csv: expected a regular file, found a folder, device or pipe\n"),
            ("printf 'folder/a.png,\\377\n' > data.csv", "data.csv: expected a CSV of path,label in UTF-8\n"),
            (
                "truncate -s 300M data.csv",
                "data.csv: expected a CSV of at most 268435456 bytes, found 314572800\n"
            ),
        ] {
            let command = try run("rm -f data.csv; \(make); cetnet evaluate --model tiny data.csv", in: directory)
            #expect(command.status == 2, "\(make)")
            #expect(command.errors.hasSuffix(expected), "\(make): \(command.errors)")
        }
    }

    @Test func varianceBelowZero() throws {
        let directory = try directoryWithImage()
        let url = directory.url.appendingPathComponent("tiny/model.safetensors")
        let tensor = try #require(
            try SafetensorsFile(contentsOf: url).tensors.first { $0.name.hasSuffix("running_var") })
        let handle = try FileHandle(forWritingTo: url)
        try handle.seek(toOffset: UInt64(tensor.byteRange.lowerBound + 4))
        try handle.write(contentsOf: withUnsafeBytes(of: Float(-0.5)) { Data($0) })
        try handle.close()
        let command = try run("cetnet classify --model tiny folder/a.png", in: directory)
        #expect(command.status == 2)
        let expected = "\"\(tensor.name)\": expected variances, which are not negative, found -0.5 for channel 1\n"
        #expect(command.errors.hasSuffix(expected), "\(command.errors)")
    }

    @Test func aKilledInitLeavesNothing() throws {
        let directory = try TemporaryDirectory()
        let command = try run(
            """
            for delay in 0.1 0.2 0.3 0.4; do "$0" init cetnet-b --output . >/dev/null & sleep $delay; kill -KILL $!; done
            wait; ls -A
            """, in: directory)
        #expect(command.output.split(separator: "\n").allSatisfy { !$0.hasSuffix(".tmp") }, "\(command.output)")
    }

    #if os(Linux)
        /// From far too little memory to enough, in steps that each end somewhere else.
        @Test(arguments: [
            "classify --model tiny big.png", "run --model tiny --input x.npy --output y.npy --features maps",
            "bench tiny --runs 1 --threads 2 --backend openblas",
        ])
        func memoryThatRunsOut(call: String) throws {
            let directory = try directoryWithTinyModel()
            try directory.write(PNGImage.pattern(width: 2000, height: 2000, seed: 1), to: "big.png")
            let images = [Float](repeating: 0.5, count: 2 * 3 * 512 * 512)
            try NumPyArray(shape: [2, 3, 512, 512], values: images)
                .write(to: directory.url.appendingPathComponent("x.npy"))
            var statuses: [Int32] = []
            for limit in stride(from: 60_000, through: 1_020_000, by: 24_000) {
                let command = try run("ulimit -v \(limit) && exec cetnet \(call)", in: directory)
                // 127: the loader finds no room for the libraries.
                #expect([0, 1, 2, 127].contains(command.status), "\(limit) KiB: \(command.status), \(command.errors)")
                if command.status != 0 { #expect(command.errors != "", "\(limit) KiB: \(command.status)") }
                statuses.append(command.status)
            }
            #expect(statuses.contains(2) || statuses.contains(1), "the sweep begins with too little: \(statuses)")
            #expect(statuses.last == 0, "the sweep ends with enough: \(statuses)")
        }
    #endif
}
