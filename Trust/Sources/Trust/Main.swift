import Foundation

/// What takes too long for a test; Scripts/soak.sh, mutate.sh and denormals.sh run it.
@main enum Trust {
    static let usage = """
        USAGE: Trust soak SECONDS | mutate TARGET COUNT CORPUS | denormals
        """

    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let passed: Bool
        switch (arguments.first, arguments.count) {
        case ("soak", 2): passed = try await Soak(seconds: number(arguments.last!)).run()
        case ("mutate", 4):
            let rest = Array(arguments.dropFirst())
            passed = Mutations(target: rest[0], count: number(rest[1]), corpus: rest[2]).run()
        case ("denormals", 1): passed = try Denormals.run()
        default: fail(usage)
        }
        exit(passed ? 0 : 1)
    }

    static func number(_ text: String) -> Int {
        guard let number = Int(text), number > 0 else { fail("expected a number above 0, found '\(text)'") }
        return number
    }

    static func fail(_ message: String) -> Never {
        FileHandle.standardError.write(Data("Error: \(message)\n".utf8))
        exit(2)
    }
}
