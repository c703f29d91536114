import CETNetCheckpoint
import Foundation
import Testing

struct JSONValueTests {
    private func parse(_ text: String) throws -> JSONValue {
        try Data(text.utf8).withUnsafeBytes { try JSONValue($0) }
    }

    @Test func parsesEveryKindOfValue() throws {
        let text =
            #" {"a": [1, -2, 0.5, 1e3, -0.0], "b": {"c": null, "d": true, "e": false}, "#
            + #""": "\"\\\/\b\f\n\r\t\u00fc\ud83d\ude00ü"} "#
        #expect(
            try parse(text)
                == .object([
                    .init("a", .array([.integer(1), .integer(-2), .number(0.5), .number(1000), .number(0)])),
                    .init("b", .object([.init("c", .null), .init("d", .bool(true)), .init("e", .bool(false))])),
                    .init("", .string("\"\\/\u{8}\u{C}\n\r\tü😀ü")),
                ]))
    }

    @Test func whatIsWrittenIsParsedBack() throws {
        let value = JSONValue.object([
            .init(
                "numbers",
                .array([.integer(.max), .integer(.min), .number(0.1), .number(1e300), .number(.leastNormalMagnitude)])),
            .init("text \u{0}\n\"\\", .string("\u{1F}ü😀\u{7F}")),
            .init("empty", .object([])), .init("none", .array([])), .init("null", .null), .init("yes", .bool(true)),
        ])
        #expect(try parse(value.description) == value)
        #expect(
            JSONValue.object([
                .init("a", .array([.integer(1), .integer(2)])), .init("b", .object([.init("c", .null)])),
            ])
            .description == "{\n  \"a\": [1, 2],\n  \"b\": {\n    \"c\": null\n  }\n}")
    }

    @Test(arguments: [
        ("", 0, "a value", "the end of the text"), ("[1,]", 3, "a value", "']'"), ("{\"a\" 1}", 5, "':'", "'1'"),
        ("{a:1}", 1, "a string", "'a'"), ("[1 2]", 3, "',' or ']'", "'2'"), ("{\"a\":1 2}", 7, "',' or '}'", "'2'"),
        ("01", 0, "a number", "\"01\""), ("1.", 0, "a number", "\"1.\""), (".5", 0, "a value", "'.'"),
        ("-", 0, "a number", "\"-\""), ("1e", 0, "a number", "\"1e\""), ("+1", 0, "a value", "'+'"),
        ("1e999", 0, "a finite number", "\"1e999\""), ("nul", 0, "a value", "'n'"), ("NaN", 0, "a value", "'N'"),
        ("\"a", 2, "'\"'", "the end of the text"), ("\"\\u12g4\"", 5, "four hexadecimal digits", "'g'"),
        ("\"\\udc00\"", 2, "a pair of surrogates", "half of one"),
        ("\"\\ud800\\u0041\"", 2, "a pair of surrogates", "half of one"),
        ("{\"a\":1,\"a\":2}", 11, "every key once", "a second \"a\""), ("1 1", 2, "the end of the text", "'1'"),
        ("\"\u{9}\"", 1, "no control character in a string", "byte 0x9"),
    ])
    func malformedTextsAreRefusedWithTheirReason(_ text: String, _ offset: Int, _ expected: String, _ found: String) {
        #expect(throws: JSONSyntaxError(offset: offset, expected: expected, found: found)) { try parse(text) }
    }

    @Test func nestingIsLimited() throws {
        let depth = JSONValue.maximumDepth
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try parse(nested(depth)) }
        #expect(throws: JSONSyntaxError.self) { try parse(nested(depth + 1)) }
        #expect(throws: JSONSyntaxError.self) { try parse(String(repeating: "{\"a\":", count: 1_000_000)) }
    }

    @Test(arguments: [0, 1]) func noMoreValuesThanTheLimit(excess: Int) {
        // The array itself is a value, too.
        let count = JSONValue.maximumValues - 1 + excess
        var spaced = Array("[".utf8) + [UInt8](repeating: UInt8(ascii: "0"), count: 2 * count - 1) + Array("]".utf8)
        for index in stride(from: 2, to: spaced.count - 1, by: 2) { spaced[index] = UInt8(ascii: ",") }
        let value = spaced.withUnsafeBytes { bytes in try? JSONValue(bytes) }
        #expect((value != nil) == (excess == 0), "\(count) numbers in an array")
    }
}
