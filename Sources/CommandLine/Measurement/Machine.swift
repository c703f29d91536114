import CETNetEngine
import Foundation

/// What a measurement ran on.
enum Machine {
    /// The processor's name, as its maker writes it; "unknown" where the system does not say.
    static let processorName: String = {
        #if os(macOS)
            return systemValue("machdep.cpu.brand_string") ?? "unknown"
        #else
            guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return "unknown" }
            return processorName(inProcessorInformation: text)
        #endif
    }()

    /// Finds the name in the text of Linux's `/proc/cpuinfo`.
    static func processorName(inProcessorInformation text: String) -> String {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            // ARM systems call it "Model" or do not have it.
            if parts.count == 2, ["model name", "Model"].contains(parts[0]), !parts[1].isEmpty { return parts[1] }
        }
        return "unknown"
    }

    /// The instruction set's name, such as `x86_64`.
    static let architecture: String = {
        var names = utsname()
        uname(&names)
        return withUnsafeBytes(of: names.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }()

    /// The operating system's name and version.
    static var operatingSystem: String { ProcessInfo.processInfo.operatingSystemVersionString }

    /// Processors that are switched on; this process may be allowed fewer.
    static var processorCount: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// How Linux chooses the first processor's frequency, `performance` for instance; `nil` where nobody says, as in
    /// most virtual machines.
    static var governor: String? {
        let path = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
        return (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The commit of the checkout that this program lies in; `nil` elsewhere. A program that was not built again is
    /// older.
    static let commit: String? = {
        var folder = (Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0]))
            .resolvingSymlinksInPath().deletingLastPathComponent()
        while folder.path != "/", !FileManager.default.fileExists(atPath: folder.path + "/Package.swift") {
            folder.deleteLastPathComponent()
        }
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git", "-C", folder.path, "rev-parse", "HEAD"]
        (process.standardOutput, process.standardError) = (pipe, FileHandle.nullDevice)
        guard folder.path != "/", (try? process.run()) != nil else { return nil }
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return process.terminationStatus == 0 ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
    }()

    /// OpenBLAS's version, such as `0.3.21`.
    static var openBLASVersion: String { ofOpenBLAS { openBLASVersion(inConfiguration: OpenBLAS.configuration) } }

    /// Something about OpenBLAS, where it is installed.
    private static func ofOpenBLAS(_ property: () -> String) -> String {
        (try? OpenBLAS.load()) == nil ? "not installed" : property()
    }

    /// Finds the version in what `openblas_get_config` returns, for instance `OpenBLAS 0.3.21 DYNAMIC_ARCH …`.
    static func openBLASVersion(inConfiguration text: String) -> String {
        let words = text.split(separator: " ")
        guard let name = words.firstIndex(of: "OpenBLAS"), name + 1 < words.count else { return "unknown" }
        return String(words[name + 1])
    }

    /// How the OpenBLAS that is loaded makes threads: `sequential`, `pthreads` or `OpenMP`. The engine gives each call
    /// one thread whatever the flavour.
    static var openBLASThreading: String {
        ofOpenBLAS {
            switch OpenBLAS.parallel {
            case 0: "sequential"
            case 1: "pthreads"
            case 2: "OpenMP"
            case let flavour: "unknown (\(flavour))"
            }
        }
    }

    /// The core that OpenBLAS chose its kernels for, such as `SkylakeX`.
    static var openBLASCore: String { ofOpenBLAS { OpenBLAS.coreName } }

    #if os(macOS)
        private static func systemValue(_ name: String) -> String? {
            var size = 0
            guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 0 else { return nil }
            var bytes = [UInt8](repeating: 0, count: size)
            guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    #endif
}
