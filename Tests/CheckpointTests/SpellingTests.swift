import CETNetCheckpoint
import Testing

struct SpellingTests {
    @Test(arguments: [
        ("window_sise", "window_size"), ("Dims", "dims"), ("depth", "depths"), ("DIM", "dims"),
        ("windowsize", "window_size"), ("widths", nil), ("", nil), ("image", nil),
        (String(repeating: "d", count: 65), nil),
    ])
    func aSlipIsFoundAndNoMore(name: String, expected: String?) {
        let found = Spelling.nearest(to: name, among: ["dims", "depths", "window_size"])
        #expect(found == expected, "\(name): \(found ?? "none")")
    }

    @Test func theFirstOfEquallyNearOnesIsTaken() {
        #expect(Spelling.nearest(to: "cat", among: ["cut", "cot"]) == "cut")
        #expect(Spelling.nearest(to: "cat", among: []) == nil)
    }
}
