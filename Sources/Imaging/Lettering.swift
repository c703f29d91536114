import CETNetPreprocessing

/// Letters of 5×7 dots for legends inside of pictures: ASCII alone, other characters become question marks.
enum Lettering {
    /// Dots from the start of a letter to that of the next, and from the top of a line to its bottom.
    static let (advance, height) = (6, 8)

    /// Five columns of each printable character, two digits each; the lowest bit is the top.
    private static let columns =
        "000000000000005F00000007000700147F147F14242A7F2A12231308646236495522500005030000"
        + "001C2241000041221C0014083E081408083E08080050300000080808080800606000002010080402"
        + "3E5149453E00427F400042615149462141454B311814127F1027454545393C4A4949300171090503"
        + "3649494936064949291E003636000000563600000814224100141414141400412214080201510906"
        + "324979413E7E1111117E7F494949363E414141227F4141221C7F494949417F090909013E4149497A"
        + "7F0808087F00417F41002040413F017F081422417F404040407F020C027F7F0408107F3E4141413E"
        + "7F090909063E4151215E7F09192946464949493101017F01013F4040403F1F2040201F3F4038403F"
        + "631408146307087008076151494543007F41410002040810200041417F0004020102044040404040"
        + "000102040020545454787F484444383844444420384444487F3854545418087E0901020C5252523E"
        + "7F0804047800447D40002040443D007F1028440000417F40007C041804787C080404783844444438"
        + "7C14141408081414187C7C080404084854545420043F4440203C4040207C1C2040201C3C4030403C"
        + "44281028440C5050503C4464544C44000836410000007F000000413608000804081008"

    private static let glyphs: [UInt8] = {
        let digits = Array(columns.utf8).map { UInt8($0 < 65 ? $0 - 48 : $0 - 55) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }()

    /// Calls `dot` with the column and row of every dot of a text in one line, from its upper left.
    static func draw(_ text: String, _ dot: (_ column: Int, _ row: Int) -> Void) {
        for (index, character) in text.enumerated() {
            let code = Int(character.asciiValue ?? 63)
            let glyph = ((32...126).contains(code) ? code - 32 : 63 - 32) * 5
            for column in 0..<5 {
                for row in 0..<7 where glyphs[glyph + column] >> row & 1 == 1 { dot(index * advance + column, row) }
            }
        }
    }
}
