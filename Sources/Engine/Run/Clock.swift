import Foundation

/// A clock that never goes back.
package enum Clock {
    package static var nanoseconds: UInt64 { DispatchTime.now().uptimeNanoseconds }
}
