import CETNetReporting

// What nearly every command prints with.

typealias CSV = CETNetReporting.CSV
typealias JSON = CETNetReporting.JSON
typealias TextTable = CETNetReporting.TextTable
typealias Figures = CETNetReporting.Figures
