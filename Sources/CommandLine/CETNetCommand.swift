import ArgumentParser

@main
struct CETNetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "cetnet")
}
