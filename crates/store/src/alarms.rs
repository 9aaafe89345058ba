//! Alarms for the operators. One is open for a kind and what it is about; raised again, it is counted.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _, QueryDsl as _,
    RunQueryDsl as _, SelectableHelper as _,
};
use types::{AlarmId, EnrolmentId, Instant, TabletId, Uai};

use crate::column::{Column as _, read_ids};
use crate::noun::{by_key, noun, on_each_engine, read_all};
use crate::schema::{alarms, tablets};
use crate::{StoreError, Tx, Within};

noun! {
    /// An alarm.
    pub struct Alarm in alarms keyed by id {
        /// Its id.
        id: AlarmId,
        /// What happened, such as `identity-of-another-tablet`.
        kind: String,
        /// What it is about: an enrolment, else a tablet, else whatever the caller names.
        subject: String,
        /// The tablet.
        tablet_id: Option<TabletId>,
        /// The enrolment.
        enrolment_id: Option<EnrolmentId>,
        /// When it was first raised.
        raised_at: Instant,
        /// When it was last raised.
        last_raised_at: Instant,
        /// How often it was raised.
        times: i64,
        /// What is known, as it was when it was last raised.
        detail: serde_json::Value,
        /// When somebody settled it.
        settled_at: Option<Instant>,
    }
}

by_key!(alarms, Alarm, id: AlarmId; get);

/// An alarm to raise.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlarm {
    /// What happened.
    pub kind: String,
    /// What it is about when it is neither an enrolment nor a tablet, such as an unknown serial number.
    pub about: Option<String>,
    /// The tablet.
    pub tablet: Option<TabletId>,
    /// The enrolment.
    pub enrolment: Option<EnrolmentId>,
    /// What is known; never a secret or a position.
    pub detail: serde_json::Value,
}

/// Raises an alarm, or counts it if the same one is open. `true` if it is new.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn raise(tx: &mut Tx<'_>, alarm: &NewAlarm, now: Instant) -> Result<bool, StoreError> {
    let subject = alarm
        .enrolment
        .map(|id| id.to_string())
        .or_else(|| alarm.tablet.map(|id| id.to_string()))
        .or_else(|| alarm.about.clone())
        .unwrap_or_default();
    let counted = tx.run(|connection| {
        diesel::update(
            alarms::table
                .filter(alarms::kind.eq(&alarm.kind))
                .filter(alarms::subject.eq(&subject))
                .filter(alarms::settled_at.is_null()),
        )
        .set((
            alarms::times.eq(alarms::times + 1),
            alarms::last_raised_at.eq(now.as_millis()),
            alarms::detail.eq(alarm.detail.stored()),
        ))
        .execute(connection)
    })?;
    if counted > 0 {
        return Ok(false);
    }
    let stored = Stored::of(&Alarm {
        id: AlarmId::new(now),
        kind: alarm.kind.clone(),
        subject,
        tablet_id: alarm.tablet,
        enrolment_id: alarm.enrolment,
        raised_at: now,
        last_raised_at: now,
        times: 1,
        detail: alarm.detail.clone(),
        settled_at: None,
    });
    // Raised by two at the same time: the second meets the first's row, and is run again or leaves it.
    let raised = on_each_engine!(tx, |connection| {
        diesel::insert_into(alarms::table).values(stored).on_conflict_do_nothing().execute(connection)
    })?;
    Ok(raised == 1)
}

/// Whether an alarm of that kind about that subject was ever raised, settled or not.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn was_raised(tx: &mut Tx<'_>, kind: &str, subject: &str) -> Result<bool, StoreError> {
    tx.run(|connection| {
        let raised = alarms::table.filter(alarms::kind.eq(kind)).filter(alarms::subject.eq(subject));
        diesel::select(diesel::dsl::exists(raised)).get_result(connection)
    })
}

/// Whether an alarm of that kind about that subject is open.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn is_open(tx: &mut Tx<'_>, kind: &str, subject: &str) -> Result<bool, StoreError> {
    tx.run(|connection| {
        let open = alarms::table
            .filter(alarms::kind.eq(kind))
            .filter(alarms::subject.eq(subject))
            .filter(alarms::settled_at.is_null());
        diesel::select(diesel::dsl::exists(open)).get_result(connection)
    })
}

/// The tablets that an alarm of that kind is open about.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn tablets_of_open(tx: &mut Tx<'_>, kind: &str) -> Result<Vec<TabletId>, StoreError> {
    let ids: Vec<Option<String>> = tx.run(|connection| {
        alarms::table
            .filter(alarms::kind.eq(kind))
            .filter(alarms::settled_at.is_null())
            .select(alarms::tablet_id)
            .load(connection)
    })?;
    read_ids(ids.into_iter().flatten().collect(), "alarms", "tablet_id")
}

/// At most `limit` open alarms within reach, the latest first. Within an organisation or collèges: those about
/// its tablets, and about themselves.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn open(tx: &mut Tx<'_>, within: &Within, limit: u32) -> Result<Vec<Alarm>, StoreError> {
    let within = match within {
        Within::Organisation(id) => {
            let uai = crate::organisations::get(tx, id)?.and_then(|organisation| organisation.uai);
            &Within::Colleges(uai.into_iter().collect())
        }
        other => other,
    };
    read_all!(tx.run(|connection| {
        let query = alarms::table
            .filter(alarms::settled_at.is_null())
            .order((alarms::last_raised_at.desc(), alarms::id.desc()))
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        let query = match within {
            Within::Colleges(colleges) => {
                let its = tablets::table
                    .filter(tablets::uai.eq_any(Within::codes(colleges)))
                    .select(tablets::id.nullable());
                let themselves: Vec<String> = colleges.iter().map(about_college).collect();
                query.filter(
                    alarms::tablet_id.eq_any(its).assume_not_null().or(alarms::subject.eq_any(themselves)),
                )
            }
            Within::Everything | Within::Organisation(_) => query,
        };
        query.load::<Stored>(connection)
    }))
}

/// What an alarm about a collège itself names as its subject.
#[must_use]
pub fn about_college(uai: &Uai) -> String {
    format!("college:{uai}")
}

/// Settles the open alarm of that kind about that subject, if there is one: what it was about is over.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn settle_about(tx: &mut Tx<'_>, kind: &str, subject: &str, now: Instant) -> Result<bool, StoreError> {
    let settled = tx.run(|connection| {
        let open = alarms::table
            .filter(alarms::kind.eq(kind))
            .filter(alarms::subject.eq(subject))
            .filter(alarms::settled_at.is_null());
        diesel::update(open).set(alarms::settled_at.eq(now.as_millis())).execute(connection)
    })?;
    Ok(settled > 0)
}

/// Settles an alarm; `false` if it is not open. Raised again, it is a new one.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn settle(tx: &mut Tx<'_>, id: AlarmId, now: Instant) -> Result<bool, StoreError> {
    let settled = tx.run(|connection| {
        diesel::update(
            alarms::table.filter(alarms::id.eq(id.to_string())).filter(alarms::settled_at.is_null()),
        )
        .set(alarms::settled_at.eq(now.as_millis()))
        .execute(connection)
    })?;
    Ok(settled == 1)
}

crate::declared::declares! {
    alarms kept as Alarms {
        personal(DeviceManagement: DeviceIdentifiers) { subject, detail }
        personal(DeviceManagement: ContactTimes) { raised_at, last_raised_at }
        not_personal("what happened, in our words, and our own numbers") {
            id, kind, tablet_id, enrolment_id, times, settled_at,
        }
    }
}
