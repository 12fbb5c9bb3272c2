/// One value for each window, without an array of its own.
package struct PerWindow<Value> {
    private var hour: Value
    private var day: Value
    private var week: Value
    private var month: Value
    private var total: Value

    package init(_ value: (BudgetWindow) -> Value) {
        hour = value(.hour)
        day = value(.day)
        week = value(.week)
        month = value(.month)
        total = value(.total)
    }

    /// The same value for each.
    package static func all(_ value: Value) -> PerWindow { PerWindow { _ in value } }

    package subscript(window: BudgetWindow) -> Value {
        get {
            switch window {
            case .hour: hour
            case .day: day
            case .week: week
            case .month: month
            case .total: total
            }
        }
        set {
            switch window {
            case .hour: hour = newValue
            case .day: day = newValue
            case .week: week = newValue
            case .month: month = newValue
            case .total: total = newValue
            }
        }
    }
}

extension PerWindow: Equatable where Value: Equatable {}
extension PerWindow: Sendable where Value: Sendable {}
