//! The papers of incidents: the letter, and after a theft the complaint (C5.4.2). Recorded once, for good.

use ::incidents::papers::{Complaint, Letter, PaperKind};
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use types::{AccountId, Day, IncidentId, Instant};

use crate::noun::{noun, read_all};
use crate::paper_corrections::{self, PaperCorrection};
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

/// The papers of an incident as they were recorded.
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

/// The papers of an incident as they count: as they were recorded, or put right since.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn that_count(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Vec<Paper>, StoreError> {
    let recorded = of(tx, incident)?;
    let corrections = paper_corrections::of(tx, incident)?;
    Ok(recorded.into_iter().filter_map(|paper| put_right(paper, &corrections)).collect())
}

/// What was said of an incident's papers before it was put right, each with what put it right; the first said first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn former(
    tx: &mut Tx<'_>,
    incident: IncidentId,
) -> Result<Vec<(Option<Paper>, PaperCorrection)>, StoreError> {
    let recorded = of(tx, incident)?;
    let corrections = paper_corrections::of(tx, incident)?;
    let before = corrections.iter().enumerate().map(|(place, correction)| {
        let paper = recorded.iter().find(|paper| paper.paper == correction.paper)?;
        put_right(paper.clone(), corrections.get(..place).unwrap_or_default())
    });
    let before: Vec<Option<Paper>> = before.collect();
    Ok(before.into_iter().zip(corrections).collect())
}

/// A paper after what was said of it since; `None` if it was taken back. One that is given again after that came when it
/// was given again, and one that is dated later than it was recorded, when that was said: it cannot have been here before.
/// Nor can a complaint of another number at another station (C5.4.2).
fn put_right(recorded: Paper, corrections: &[PaperCorrection]) -> Option<Paper> {
    let mut paper = Some(recorded.clone());
    for correction in corrections.iter().filter(|correction| correction.paper == recorded.paper) {
        paper = corrected(&recorded, paper, correction);
    }
    paper
}

fn corrected(recorded: &Paper, before: Option<Paper>, correction: &PaperCorrection) -> Option<Paper> {
    let (reference, dated) = (correction.reference.clone()?, correction.dated?);
    let station = correction.station.clone();
    let was_here = before.filter(|before| {
        // Of one of the two a slip is put right; a complaint with neither is another one.
        let another = before.reference != reference && before.station != station;
        dated <= Day::of(before.recorded_at) && !another
    });
    let recorded_at = was_here.map_or(correction.corrected_at, |before| before.recorded_at);
    Some(Paper { reference, dated, station, recorded_at, ..recorded.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c5_4_2_a_paper_that_is_dated_after_it_was_recorded_came_when_that_was_said() {
        let now = Instant::from_millis(1_795_000_000_000);
        let days = |days: u64| now.plus(types::Duration::from_secs(days * 86_400));
        let (incident, by) = (IncidentId::new(now), AccountId::new(now));
        let complaint = Complaint {
            number: "2026/1".to_owned(),
            dated: Day::of(now),
            station: "Rouen".to_owned(),
            recorded_at: now,
        };
        let recorded = Paper::complaint(incident, &complaint, by);
        let correction = |number: i64, dated: Instant, corrected_at: Instant| PaperCorrection {
            incident_id: incident,
            paper: PaperKind::Complaint,
            number,
            reference: Some(format!("2026/{number}")),
            dated: Some(Day::of(dated)),
            station: Some("Elbeuf".to_owned()),
            reason: "wrong".to_owned(),
            corrected_at,
            corrected_by: by,
        };
        let came = |corrections: &[PaperCorrection]| {
            put_right(recorded.clone(), corrections).map(|paper| (paper.dated, paper.recorded_at))
        };
        let of_that_day = correction(1, now, days(5));
        assert_eq!(came(std::slice::from_ref(&of_that_day)), Some((Day::of(now), now)));
        let of_later = correction(1, days(4), days(5));
        assert_eq!(came(std::slice::from_ref(&of_later)), Some((Day::of(days(4)), days(5))));
        // What was here late is not in time again because its date is put right once more.
        assert_eq!(came(&[of_later, correction(2, now, days(6))]), Some((Day::of(now), days(5))));
        // Another number at another station is another complaint.
        let another = correction(7, now, days(5));
        assert_eq!(came(std::slice::from_ref(&another)), Some((Day::of(now), days(5))));
        let same_station = PaperCorrection { station: Some("Rouen".to_owned()), ..another };
        assert_eq!(came(std::slice::from_ref(&same_station)), Some((Day::of(now), now)));
        let taken_back = PaperCorrection { reference: None, dated: None, station: None, ..of_that_day };
        assert_eq!(came(std::slice::from_ref(&taken_back)), None);
        assert_eq!(came(&[taken_back, correction(2, now, days(7))]), Some((Day::of(now), days(7))));
    }
}

crate::declared::declares! {
    incident_papers kept as Orders {
        personal(Incidents: IncidentFacts) { incident_id, paper, dated, recorded_at }
        personal(Incidents: Reasons) { reference, station }
        personal(AccountsAndAudit: Acts) { recorded_by }
    }
}
