import CETNet
import CETNetMemory
import Foundation

/// What the exit status says.
enum ExitStatus: Int32 {
    /// Some inputs could not be used; the others were.
    case inputsFailed = 1
    /// The call or the model cannot be used, so nothing was done.
    case unusable = 2
    /// What was measured is slower than the baseline that was named.
    case slower = 3
}

/// Ends the program with a message and a status.
struct Failure: LocalizedError {
    var status: ExitStatus
    var message: String

    var errorDescription: String? { message }

    /// Runs `body` and turns whatever it throws into a failure of the given status, unless it is a failure already. That
    /// a run takes more memory than there is makes the call unusable, whatever its inputs.
    static func wrap<Value>(_ status: ExitStatus, _ body: () throws -> Value) throws(Failure) -> Value {
        do {
            return try body()
        } catch let failure as Failure {
            throw failure
        } catch ModelError.outOfMemory(let bytes) {
            throw Failure(status: .unusable, message: OutOfMemoryError(bytes: bytes).description)
        } catch let error as OutOfMemoryError {
            throw Failure(status: .unusable, message: error.description)
        } catch {
            throw Failure(status: status, message: error.localizedDescription)
        }
    }
}
