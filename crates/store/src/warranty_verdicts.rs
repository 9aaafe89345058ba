//! What was found on a tablet, and whether the warranty covers it (C5.4.5). Judged once.

use ::incidents::{Finding, WarrantyVerdict};
use types::{AccountId, IncidentId, Instant};

use crate::noun::{by_key, noun};

noun! {
    /// A verdict on the warranty.
    pub struct Verdict in warranty_verdicts keyed by incident_id {
        /// The incident.
        incident_id: IncidentId,
        /// What was found.
        finding: Finding,
        /// Whether the maker pays.
        verdict: WarrantyVerdict,
        /// When it was judged.
        judged_at: Instant,
        /// Who judged it.
        judged_by: AccountId,
    }
}

by_key!(warranty_verdicts, Verdict, incident_id: IncidentId; insert, get);

crate::declared::declares! {
    warranty_verdicts kept as Orders {
        personal(Incidents: IncidentFacts) { finding, verdict, judged_at }
        personal(AccountsAndAudit: Acts) { judged_by }
        not_personal("a number of ours") { incident_id }
    }
}
