//! When an incident was noticed in truth, where that was declared wrongly (C5.4.2). The declaration is frozen and these are
//! appended: who put it right, when and why, stays beside what was said before.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use types::{AccountId, IncidentId, Instant};

use crate::noun::{by_key, noun, read_all};
use crate::schema::noticed_corrections;
use crate::{StoreError, Tx};

noun! {
    /// When an incident was noticed, put right.
    pub struct NoticedCorrection in noticed_corrections keyed by incident_id {
        /// The incident.
        incident_id: IncidentId,
        /// The how-manieth correction of it, from 1.
        number: i64,
        /// When it was noticed in truth.
        noticed_at: Instant,
        /// Why it is put right.
        reason: String,
        /// When that was recorded.
        corrected_at: Instant,
        /// Who recorded it.
        corrected_by: AccountId,
    }
}

by_key!(noticed_corrections, NoticedCorrection, incident_id: IncidentId; insert);

/// How it was put right when an incident was noticed, the first time first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Vec<NoticedCorrection>, StoreError> {
    read_all!(tx.run(|connection| {
        noticed_corrections::table
            .filter(noticed_corrections::incident_id.eq(incident.to_string()))
            .order(noticed_corrections::number.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    noticed_corrections kept as Orders {
        personal(Incidents: IncidentFacts) { incident_id, number, noticed_at, corrected_at }
        personal(Incidents: Reasons) { reason }
        personal(AccountsAndAudit: Acts) { corrected_by }
    }
}
