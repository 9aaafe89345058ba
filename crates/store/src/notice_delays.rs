//! Until when an authority asked that nobody be told of its warrants (M1). Each delay stays recorded; the last one holds.

use ::incidents::papers::AuthorityReference;
use ::incidents::{AuthorityDelay, NoticeDue, NoticeOccasion};
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, Day, IncidentId, Instant};

use crate::noun::{find_first, noun, read_all};
use crate::schema::notice_delays;
use crate::{StoreError, Tx};

noun! {
    /// A delay that an authority asked for.
    pub struct NoticeDelay in notice_delays keyed by incident_id {
        /// The incident.
        incident_id: IncidentId,
        /// The day on which notices go.
        until: Day,
        /// How the authority names its request.
        reference: String,
        /// When it was recorded.
        recorded_at: Instant,
        /// Who recorded it.
        recorded_by: AccountId,
    }
}

/// Records a delay.
///
/// # Errors
/// [`StoreError::Refused`] for an incident that no authority asked for.
pub fn record(
    tx: &mut Tx<'_>,
    incident: IncidentId,
    delay: &AuthorityDelay,
    by: AccountId,
    now: Instant,
) -> Result<(), StoreError> {
    let stored = Stored::of(&NoticeDelay {
        incident_id: incident,
        until: delay.until(),
        reference: delay.reference().as_str().to_owned(),
        recorded_at: now,
        recorded_by: by,
    });
    tx.run(|connection| diesel::insert_into(notice_delays::table).values(stored).execute(connection))?;
    Ok(())
}

/// The delays of an incident, the one that was recorded first first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Vec<NoticeDelay>, StoreError> {
    read_all!(tx.run(|connection| {
        notice_delays::table
            .filter(notice_delays::incident_id.eq(incident.to_string()))
            .order(notice_delays::recorded_at.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// Records for an incident that goes on from another what an authority asked for there, as it was recorded there.
///
/// # Errors
/// [`StoreError::Refused`] for an incident that no authority asked for.
pub fn go_on(tx: &mut Tx<'_>, from: IncidentId, to: IncidentId) -> Result<(), StoreError> {
    for delay in of(tx, from)? {
        let stored = Stored::of(&NoticeDelay { incident_id: to, ..delay });
        tx.run(|connection| diesel::insert_into(notice_delays::table).values(stored).execute(connection))?;
    }
    Ok(())
}

/// The delay that was recorded last.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn last(tx: &mut Tx<'_>, incident: IncidentId) -> Result<Option<NoticeDelay>, StoreError> {
    find_first!(
        tx,
        notice_delays::table
            .filter(notice_delays::incident_id.eq(incident.to_string()))
            .order(notice_delays::recorded_at.desc())
    )
}

impl NoticeDelay {
    /// When a notice of something that happened at `at` goes under this delay.
    #[must_use]
    pub fn due(&self, occasion: NoticeOccasion, at: Instant) -> NoticeDue {
        NoticeDue { occasion, due_at: self.until.starts_at().max(at) }
    }

    /// How the authority names its request, as the rules want it.
    #[must_use]
    pub fn authority(&self) -> Option<AuthorityReference> {
        AuthorityReference::new(&self.reference)
    }
}

crate::declared::declares! {
    notice_delays kept as Orders {
        personal(Incidents: IncidentFacts) { until, recorded_at }
        personal(Incidents: Reasons) { reference }
        personal(AccountsAndAudit: Acts) { recorded_by }
        not_personal("a number of ours") { incident_id }
    }
}
