import TestSupport
import Testing

@Suite struct UsageTests {
    @Test(arguments: [
        "variants", "init", "quantize", "inspect", "preprocess", "run", "classify", "segment", "evaluate", "embed",
        "fit",
        "bench", "compare",
    ])
    func everyCommandExplainsItself(name: String) throws {
        let help = try Command(name, "--help")
        #expect(help.status == 0)
        #expect(help.errors == "")
        for part in ["OVERVIEW:", "EXAMPLES", "USAGE: cetnet \(name)"] {
            #expect(help.output.contains(part), "\(part) in \(help.output)")
        }
        #expect(try Command("--help").output.contains("  \(name) "))
    }

    @Test func version() throws {
        let version = try Command("--version")
        #expect(version.status == 0)
        #expect(version.output.contains(/^\d+\.\d+\.\d+\n$/), "\(version.output)")
    }

    @Test(arguments: [
        ["frobnicate"], ["classify"], ["classify", "image.png"], ["classify", "--model", "m"],
        ["classify", "--model", "m", "--top", "0", "a.png"], ["classify", "--model", "m", "--top", "x", "a.png"],
        ["classify", "--model", "m", "--batch", "0", "a.png"], ["classify", "--model", "m", "--threads", "0", "a.png"],
        ["run", "--model", "m", "--input", "x.npy"], ["preprocess", "--model", "m", "a.png"],
        ["init", "cetnet-t"], ["init", "cetnet-t", "--seed", "-1", "--output", "d"],
        ["init", "cetnet-t", "--num-labels", "0", "--output", "d"], ["inspect"],
        ["inspect", "cetnet-t", "--image-size", "0"], ["inspect", "cetnet-t", "--image-size", "64x"],
        ["variants", "--unknown"], ["quantize", "--model", "m", "--output", "d"],
        ["quantize", "--model", "m", "--precision", "float32", "--output", "d"],
    ])
    func callsThatCannotBeUsed(arguments: [String]) throws {
        let command = try Command(arguments)
        #expect(command.status == 2)
        #expect(command.output == "")
        #expect(command.errors.contains("Error: "), "\(command.errors)")
        #expect(command.errors.contains("Usage: cetnet"), "\(command.errors)")
    }

    @Test(arguments: ["classify", "preprocess", "run", "inspect"])
    func modelsThatCannotBeUsed(name: String) throws {
        let directory = try directoryWithTinyModel()
        try directory.write(Array("{}".utf8), to: "broken/config.json")
        try directory.write(Array("nonsense".utf8), to: "broken/model.safetensors")
        try directory.write(PNGImage.pattern(width: 64, height: 64, seed: 1), to: "a.png")
        for model in ["none", "broken", "a.png"] {
            let path = directory.path(model)
            let rest =
                switch name {
                case "inspect": [path]
                case "run": ["--model", path, "--input", "x.npy", "--output", directory.path("y.npy")]
                case "preprocess": ["--model", path, directory.path("a.png"), "--output", directory.path("y.npy")]
                default: ["--model", path, directory.path("a.png")]
                }
            let command = try Command([name] + rest)
            #expect(command.status == 2, "\(model)")
            #expect(command.output == "")
            #expect(command.errors.hasPrefix("Error: ") && command.errors.contains(model), "\(command.errors)")
        }
    }

    @Test func kernelsThatThisMachineLacks() throws {
        let directory = try directoryWithTinyModel()
        try directory.write(PNGImage.pattern(width: 64, height: 64, seed: 1), to: "a.png")
        let classify = "classify --model '\(directory.path("tiny"))' '\(directory.path("a.png"))'"
        let refused = try Command(shell: "CETNET_KERNELS=abacus \"$0\" \(classify)")
        #expect(refused.status == 2)
        #expect(refused.errors.contains("CETNET_KERNELS=abacus"), "\(refused.errors)")
        #expect(try Command(shell: "CETNET_KERNELS=portable \"$0\" \(classify)").status == 0)
    }

    #if os(Linux)
        /// OpenBLAS as a linked library would start threads, which in little memory neither live nor end.
        @Test func startsWithoutOpenBLASAndInLittleMemory() throws {
            let libraries = try Command(shell: "LD_TRACE_LOADED_OBJECTS=1 \"$0\"")
            #expect(libraries.output.contains("libc.so"), "\(libraries.output)")
            #expect(!libraries.output.contains("openblas"), "\(libraries.output)")
            let version = try Command(shell: "ulimit -v 204800; timeout 60 \"$0\" --version")
            #expect(version.status == 0 && version.output != "", "status \(version.status): \(version.errors)")
        }

        @Test(arguments: ["bench --runs 1", "compare --rounds 1"])
        func moreMemoryThanThereIsMakesTheCallUnusable(call: String) throws {
            let directory = try directoryWithTinyModel()
            let command = try Command(
                shell: """
                    ulimit -v 3000000; "$0" \(call) '\(directory.path("tiny"))' --batch 1024 --image-size 2048 --threads 1
                    """)
            #expect(command.status == 2)
            #expect(command.output == "")
            #expect(command.errors.hasPrefix("Error: out of memory"), "\(command.errors)")
        }

        /// 256 MiB of position embeddings for 1024×1024 tokens, before anything runs.
        @Test func positionEmbeddingsThatFindNoMemory() throws {
            let command = try Command(
                shell: "ulimit -v 600000; \"$0\" bench pvt-s --runs 1 --image-size 4096 --threads 1")
            #expect(command.status == 2)
            #expect(command.errors == "Error: out of memory: the system does not give 270532608 bytes\n")
        }
    #endif

    @Test func aReaderThatHasSeenEnoughEndsTheProgramQuietly() throws {
        let command = try Command(shell: "\"$0\" inspect cetnet-b | head -n 1")
        #expect(command.lines.count == 1)
        #expect(command.errors == "")
    }

    @Test func anOutputThatCannotBeWrittenIsAnError() throws {
        let command = try Command(shell: "\"$0\" variants > /dev/full")
        #expect(command.status == 2)
        #expect(command.errors == "Error: standard output: No space left on device\n")
    }
}
