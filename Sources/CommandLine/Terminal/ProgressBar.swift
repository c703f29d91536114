import Foundation

/// A bar on standard error that shows how much is done. Only on a terminal, and only where there is much to do.
struct ProgressBar {
    /// Fewer pieces than this are done before anyone looks for a bar.
    private static let worthShowing = 16
    private static let width = 30

    private let total: Int
    private let noun: String
    private let isShown: Bool

    init(total: Int, noun: String) {
        self.total = total
        self.noun = noun
        isShown = total >= Self.worthShowing && Console.standardErrorIsTerminal
    }

    /// Draws the bar over the one before.
    func show(_ done: Int) {
        guard isShown else { return }
        let filled = Self.width * done / total
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.width - filled)
        Console.write(toStandardError: "\r\(bar) \(done) of \(total) \(noun)\u{1b}[K")
    }

    /// Takes the bar away, so that something else can be written where it was.
    func clear() {
        guard isShown else { return }
        Console.write(toStandardError: "\r\u{1b}[K")
    }
}
