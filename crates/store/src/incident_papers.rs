//! The papers of incidents: the letter, and after a theft the complaint (C5.4.2). Recorded once, for good.

use ::incidents::papers::{Complaint, Letter, PaperKind};
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use types::{AccountId, Day, IncidentId, Instant};

use crate::noun::{noun, read_all};
use crate::schema::incident_papers;
use crate::{StoreError, Tx};

noun! {
    /// A paper of an incident.
    pub struct Paper in incident_papers keyed by incident_id {
        /// The incident.
        incident_id: IncidentId,
        /// Which paper.
        paper: PaperKind,
        /// The reference of the letter, or the number of the complaint.
        reference: String,
        /// Its date.
        dated: Day,
        /// The police or gendarmerie station, of a complaint.
        station: Option<String>,
        /// When it was recorded here.
        recorded_at: Instant,
        /// Who recorded it.
        recorded_by: AccountId,
    }
}

impl Paper {
    /// The row of a letter.
    #[must_use]
    pub fn letter(incident: IncidentId, letter: &Letter, by: AccountId) -> Self {
        Self {
            incident_id: incident,
            paper: PaperKind::Letter,
            reference: letter.reference.clone(),
            dated: letter.dated,
            station: None,
            recorded_at: letter.recorded_at,
            recorded_by: by,
        }
    }

    /// The row of a complaint.
    #[must_use]
    pub fn complaint(incident: IncidentId, complaint: &Complaint, by: AccountId) -> Self {
        Self {
            incident_id: incident,
            paper: PaperKind::Complaint,
            reference: complaint.number.clone(),
            dated: complaint.dated,
            station: Some(complaint.station.clone()),
            recorded_at: complaint.recorded_at,
            recorded_by: by,
        }
    }
}

/// Records a paper.
///
/// # Errors
/// [`StoreError::Duplicate`] or [`StoreError::Refused`] if the incident has that paper.
pub fn insert(tx: &mut Tx<'_>, paper: &Paper) -> Result<(), StoreError> {
    let stored = Stored::of(paper);
    tx.run(|connection| diesel::insert_into(incident_papers::table).values(stored).execute(connection))?;
    Ok(())
}

/// The papers of an incident.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Vec<Paper>, StoreError> {
    read_all!(tx.run(|connection| {
        incident_papers::table
            .filter(incident_papers::incident_id.eq(incident.to_string()))
            .order(incident_papers::paper.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    incident_papers kept as Orders {
        personal(Incidents: IncidentFacts) { incident_id, paper, dated, recorded_at }
        personal(Incidents: Reasons) { reference, station }
        personal(AccountsAndAudit: Acts) { recorded_by }
    }
}
