import ArgumentParser
import CETNet
import CETNetCheckpoint
import Foundation

@main
struct CETNetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cetnet",
        abstract: "Classify and segment images with CETNet vision models on the CPU.",
        discussion: """
            A MODEL is a directory with config.json and model.safetensors, or one .safetensors file with the \
            configuration in its metadata under the key "config". A VARIANT is a name that 'cetnet variants' lists.

            Results go to standard output, everything else to standard error. The exit status is 0 if all went well, \
            1 if some inputs failed, 2 if the call or the model cannot be used.

            EXAMPLES
              cetnet classify --model models/digits models/digits/images
              cetnet init cetnet-t --seed 1 --output /tmp/cetnet-t
              cetnet inspect cetnet-t --image-size 384
            """,
        version: CETNetVersion.current,
        subcommands: [
            Variants.self, Init.self, Quantize.self, Inspect.self, Preprocess.self, Run.self, Classify.self,
            Segment.self, Evaluate.self, Embed.self, Fit.self, Bench.self, Compare.self,
        ]
    )

    static func main() {
        // A reader that has seen enough, as in `cetnet variants | head -3`, ends the program without a word, as it
        // does other tools, even where a parent process had the signal ignored.
        signal(SIGPIPE, SIG_DFL)
        do throws(Failure) {
            try runCommand()
        } catch {
            Console.report("Error: " + printable(error.message))
            Foundation.exit(error.status.rawValue)
        }
    }

    private static func runCommand() throws(Failure) {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as Failure {
            throw failure
        } catch  where exitCode(for: error).isSuccess {
            // --help, --version and the completion scripts.
            try Console.print(fullMessage(for: error))
        } catch {
            Console.report(fullMessage(for: error))
            Foundation.exit(ExitStatus.unusable.rawValue)
        }
    }
}
