/// The version of this package, by semantic versioning.
public enum CETNetVersion {
    /// For instance `1.2.3`; the version of the newest entry in CHANGELOG.md.
    public static let current = "0.1.0"
}
