//! How a decision of the rules that was not taken is told to people.

use crate::Refusal;

/// A decision of the rules that was not taken, as a person is told: what is elsewhere by now is no matter of rights.
pub(crate) fn refused(why: &lending::Refused) -> Refusal {
    match why {
        lending::Refused::RestitutionStands { .. }
        | lending::Refused::LoanStands { .. }
        | lending::Refused::RepairOver { .. }
        | lending::Refused::TransferOver => Refusal::Conflict(why.to_string()),
        _ => Refusal::Forbidden { rule: why.rule(), what: why.to_string() },
    }
}

/// Why no erasure is ordered, as a person is told.
pub(crate) fn not_erased(why: &lending::NotErased) -> Refusal {
    if let lending::NotErased::Stands(_) = why {
        return Refusal::Conflict(why.to_string());
    }
    Refusal::Forbidden { rule: why.rule(), what: why.to_string() }
}
