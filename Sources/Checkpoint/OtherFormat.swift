/// What people have in hand where a safetensors file is asked for, told by how it begins.
enum OtherFormat {
    /// How many bytes from the start suffice to tell.
    static let prefixLength = 256

    /// What the bytes are and what to do about it; `nil` for what may be a safetensors file.
    static func recognize(_ bytes: UnsafeRawBufferPointer) -> (found: String, advice: String)? {
        // The JSON object of a safetensors file; the eight bytes before it, a length, may look like anything.
        if bytes.count > 8, bytes[8] == UInt8(ascii: "{") { return nil }
        let start = bytes.prefix(prefixLength)
        func begins(with text: String) -> Bool { start.starts(with: text.utf8) }
        if begins(with: "version https://git-lfs") {
            return ("a Git LFS pointer, which stands for the file", "run `git lfs pull` in its repository")
        }
        // torch.save writes a ZIP archive since PyTorch 1.6, before that a pickle of protocol 2.
        if begins(with: "PK\u{3}\u{4}") || start.starts(with: [0x80, 2]) {
            return ("a checkpoint in PyTorch's own format", converter + " makes a model of it")
        }
        let text = String(decoding: start, as: UTF8.self).lowercased()
            .drop { $0.isWhitespace || $0 == "\u{FEFF}" }
        if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") {
            return (
                "a web page", "download the file itself (on the hub: \"resolve\" in place of \"blob\" in its address)"
            )
        }
        if text.hasPrefix("{") {
            return ("a JSON text", "name the folder that it is in, or the .safetensors file")
        }
        return nil
    }
}
