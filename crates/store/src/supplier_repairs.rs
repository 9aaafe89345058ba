//! How the supplier names a repair, and the serial number of what came back, if it is another tablet (C5.4.5).

use types::{AccountId, IncidentId, Instant, SerialNumber};

use crate::noun::{by_key, noun};

noun! {
    /// A repair by the supplier.
    pub struct SupplierRepair in supplier_repairs keyed by incident_id {
        /// The incident.
        incident_id: IncidentId,
        /// How the supplier names it.
        reference: String,
        /// The serial number of the tablet that came back instead.
        exchanged_serial: Option<SerialNumber>,
        /// When that was last written.
        recorded_at: Instant,
        /// By whom.
        recorded_by: AccountId,
    }
}

by_key!(supplier_repairs, SupplierRepair, incident_id: IncidentId; insert, get, update);

crate::declared::declares! {
    supplier_repairs kept as Orders {
        personal(AccountsAndAudit: Acts) { recorded_at, recorded_by }
        not_personal("what the supplier calls a repair, and tablets") { incident_id, reference, exchanged_serial }
    }
}
