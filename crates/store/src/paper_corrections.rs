//! What is true instead of a paper of an incident that was recorded wrongly (C5.4.2). Papers are appended and so are these: who
//! put what right, when and why, stays beside what was said before.

use ::incidents::papers::PaperKind;
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use types::{AccountId, Day, IncidentId, Instant};

use crate::noun::{by_key, noun, read_all};
use crate::schema::paper_corrections;
use crate::{StoreError, Tx};

noun! {
    /// A paper as it is put right. One without a reference says that there is no such paper.
    pub struct PaperCorrection in paper_corrections keyed by incident_id {
        /// The incident.
        incident_id: IncidentId,
        /// Which paper.
        paper: PaperKind,
        /// The how-manieth correction of it, from 1.
        number: i64,
        /// How it is called in truth.
        reference: Option<String>,
        /// Its true date.
        dated: Option<Day>,
        /// The police or gendarmerie station, of a complaint.
        station: Option<String>,
        /// Why it is put right.
        reason: String,
        /// When that was recorded.
        corrected_at: Instant,
        /// Who recorded it.
        corrected_by: AccountId,
    }
}

by_key!(paper_corrections, PaperCorrection, incident_id: IncidentId; insert);

/// The corrections of an incident's papers: of each paper, the first one first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Vec<PaperCorrection>, StoreError> {
    read_all!(tx.run(|connection| {
        paper_corrections::table
            .filter(paper_corrections::incident_id.eq(incident.to_string()))
            .order((paper_corrections::paper.asc(), paper_corrections::number.asc()))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    paper_corrections kept as Orders {
        personal(Incidents: IncidentFacts) { incident_id, paper, number, dated, corrected_at }
        personal(Incidents: Reasons) { reference, station, reason }
        personal(AccountsAndAudit: Acts) { corrected_by }
    }
}
