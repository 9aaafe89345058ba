//! Roll-outs: how a published version comes to its tablets, wave by wave.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _, OptionalExtension as _,
    QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use profiles::RolloutState;
use types::{AccountId, Instant, ProfileVersionId, RolloutId, TabletId, Uai};

use crate::commands::CommandState;
use crate::deliveries::Pending;
use crate::enrolments::EnrolmentState;
use crate::noun::{by_key, noun, read_all};
use crate::schema::{commands, enrolments, rollouts, rule_states, segment_layers, segments, tablets};
use crate::{StoreError, Tx};

noun! {
    /// A roll-out.
    pub struct Rollout in rollouts keyed by id {
        /// Its id.
        id: RolloutId,
        /// The version that comes.
        version_id: ProfileVersionId,
        /// The one before, which tablets keep until their wave; `None` where nothing of the layer was in force.
        previous_id: Option<ProfileVersionId>,
        /// Its plan, as JSON.
        plan: String,
        /// How far it has come.
        state: RolloutState,
        /// The wave that runs, the first being 0.
        wave: i32,
        /// Since when.
        wave_since: Instant,
        /// Why it was last stopped or rolled back.
        reason: Option<String>,
        /// Who started it.
        started_by: AccountId,
        /// When.
        started_at: Instant,
        /// When it reached everyone, or was rolled back.
        ended_at: Option<Instant>,
    }
}

by_key!(rollouts, Rollout, id: RolloutId; insert, get);

impl Rollout {
    /// As decisions read it.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a plan that is none.
    pub fn decided(&self) -> Result<profiles::Rollout, StoreError> {
        let corrupt = |column| StoreError::Corrupt { table: "rollouts", row: self.id.to_string(), column };
        Ok(profiles::Rollout {
            version: self.version_id,
            plan: profiles::RolloutPlan::from_json(&self.plan).map_err(|_not_a_plan| corrupt("plan"))?,
            state: self.state,
            wave: usize::try_from(self.wave).map_err(|_negative| corrupt("wave"))?,
            wave_since: self.wave_since,
        })
    }
}

/// Where a roll-out goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The state it gets.
    pub state: RolloutState,
    /// The wave that runs then.
    pub wave: i32,
    /// Since when.
    pub wave_since: Instant,
    /// Why it is stopped or rolled back.
    pub reason: Option<String>,
    /// When it is over, if it is.
    pub ended_at: Option<Instant>,
}

/// Moves a roll-out on; `false` if it is no longer where it was.
///
/// # Errors
/// [`StoreError::Refused`] for a step back.
pub fn step(tx: &mut Tx<'_>, was: &Rollout, step: &Step) -> Result<bool, StoreError> {
    let moved = tx.run(|connection| {
        diesel::update(
            rollouts::table
                .filter(rollouts::id.eq(was.id.to_string()))
                .filter(rollouts::state.eq(was.state.as_str()))
                .filter(rollouts::wave.eq(was.wave)),
        )
        .set((
            rollouts::state.eq(step.state.as_str()),
            rollouts::wave.eq(step.wave),
            rollouts::wave_since.eq(step.wave_since.as_millis()),
            rollouts::reason.eq(&step.reason),
            rollouts::ended_at.eq(step.ended_at.map(Instant::as_millis)),
        ))
        .execute(connection)
    })?;
    Ok(moved == 1)
}

/// The roll-out of a version.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_version(tx: &mut Tx<'_>, version: ProfileVersionId) -> Result<Option<Rollout>, StoreError> {
    tx.run(|connection| {
        rollouts::table
            .filter(rollouts::version_id.eq(version.to_string()))
            .select(Stored::as_select())
            .first(connection)
            .optional()
    })?
    .map(Stored::read)
    .transpose()
}

/// What carries a configuration to a tablet.
const CONFIGURES: [&str; 5] =
    ["InstallProfile", "RemoveProfile", "DeclarativeManagement", "Settings", "InstallApplication"];

/// What a tablet answered last to what configures it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The tablet.
    pub tablet: TabletId,
    /// Its collège.
    pub uai: Option<Uai>,
    /// Whether it refused, or failed.
    pub failed: bool,
}

/// What tablets answered to what configures them and was queued since that instant: each tablet once, by its last
/// answer. Of at most the last `limit` answers.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn answered_since(tx: &mut Tx<'_>, since: Instant, limit: u32) -> Result<Vec<Answered>, StoreError> {
    let found: Vec<(String, Option<String>, String)> = tx.run(|connection| {
        commands::table
            .inner_join(tablets::table.on(commands::tablet_id.eq(tablets::id)))
            .filter(commands::id.ge(first_id_of(since)))
            .filter(commands::request_type.eq_any(CONFIGURES))
            .filter(
                commands::state.eq_any([CommandState::Acknowledged.as_str(), CommandState::Failed.as_str()]),
            )
            .order(commands::id.desc())
            .limit(i64::from(limit))
            .select((tablets::id, tablets::uai, commands::state))
            .load(connection)
    })?;
    let mut last = BTreeMap::new();
    for (id, uai, state) in found {
        let tablet: TabletId = crate::column::read(id.clone(), "tablets", "id", &id)?;
        let uai = crate::column::read(uai, "tablets", "uai", &id)?;
        let failed = state == CommandState::Failed.as_str();
        last.entry(tablet).or_insert(Answered { tablet, uai, failed });
    }
    Ok(last.into_values().collect())
}

/// How a tablet that is given a version stands, as it reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The tablet.
    pub tablet: TabletId,
    /// Its collège.
    pub uai: Option<Uai>,
    /// Whether it reported a rule as failed, since then. Otherwise it reported that everything it can be given at once is
    /// in force: apps and updates come when they come.
    pub failed: bool,
}

/// How the tablets stand that are in a segment with that version: those that reported a failure since that instant, and
/// those that reported all of it as in force. Whoever reported neither is not among them.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn reported(
    tx: &mut Tx<'_>,
    version: ProfileVersionId,
    since: Instant,
) -> Result<Vec<Reported>, StoreError> {
    let tokens: BTreeMap<String, String> = tx.run(|connection| {
        let with_it = segment_layers::table
            .filter(segment_layers::version_id.eq(version.to_string()))
            .select(segment_layers::segment_id);
        segments::table
            .filter(segments::id.eq_any(with_it))
            .select((segments::id, segments::token))
            .load::<(String, String)>(connection)
            .map(|rows| rows.into_iter().collect())
    })?;
    let mut found = Vec::new();
    for (segment, token) in &tokens {
        let pending: Vec<(String, String, String, i64)> = tx.run(|connection| {
            rule_states::table
                .inner_join(enrolments::table.on(enrolments::id.eq(rule_states::enrolment_id)))
                .filter(enrolments::segment_id.eq(segment))
                .select((
                    rule_states::enrolment_id,
                    rule_states::rule,
                    rule_states::state,
                    rule_states::since,
                ))
                .load(connection)
        })?;
        let (mut failing, mut unfinished) = (BTreeSet::new(), BTreeSet::new());
        for (enrolment, rule, state, at) in pending {
            if state == Pending::Failed.as_str() {
                if at >= since.as_millis() {
                    failing.insert(enrolment.clone());
                }
                unfinished.insert(enrolment);
            } else if !(rule.starts_with("app ") || rule == "os-update") {
                unfinished.insert(enrolment);
            }
        }
        let members: Vec<(String, String, Option<String>, Option<String>)> = tx.run(|connection| {
            enrolments::table
                .inner_join(tablets::table.on(enrolments::tablet_id.eq(tablets::id.nullable())))
                .filter(enrolments::segment_id.eq(segment))
                .filter(enrolments::state.eq(EnrolmentState::Active.as_str()))
                .select((enrolments::id, tablets::id, tablets::uai, enrolments::reported_token))
                .load(connection)
        })?;
        for (enrolment, tablet, uai, delivered) in members {
            let failed = failing.contains(&enrolment);
            let applied = delivered.as_deref() == Some(token) && !unfinished.contains(&enrolment);
            if failed || applied {
                let uai = crate::column::read(uai, "tablets", "uai", &tablet)?;
                let tablet = crate::column::read(tablet.clone(), "tablets", "id", &tablet)?;
                found.push(Reported { tablet, uai, failed });
            }
        }
    }
    Ok(found)
}

/// What every id that was made at that instant, or later, does not sort before (RFC 9562, UUIDv7).
fn first_id_of(instant: Instant) -> String {
    let millis = format!("{:012x}", instant.as_millis().max(0));
    let (high, low) = millis.split_at_checked(8).unwrap_or((&millis, ""));
    format!("{high}-{low}")
}

/// The ids of those that run or pause, the oldest first; each is read by itself, so that one that cannot be does not keep
/// the others.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn ids_under_way(tx: &mut Tx<'_>) -> Result<Vec<RolloutId>, StoreError> {
    let ids: Vec<String> = tx.run(|connection| {
        rollouts::table
            .filter(rollouts::ended_at.is_null())
            .order(rollouts::id.asc())
            .select(rollouts::id)
            .load(connection)
    })?;
    ids.into_iter().map(|id| crate::column::read(id.clone(), "rollouts", "id", &id)).collect()
}

/// Those that run or pause, the oldest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn under_way(tx: &mut Tx<'_>) -> Result<Vec<Rollout>, StoreError> {
    read_all!(tx.run(|connection| {
        rollouts::table
            .filter(rollouts::ended_at.is_null())
            .order(rollouts::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    rollouts kept as Evidence {
        personal(AccountsAndAudit: Acts) { started_by }
        personal(AccountsAndAudit: Reasons) { reason }
        not_personal("which version comes to which tablets, and when") {
            id, version_id, previous_id, plan, state, wave, wave_since, started_at, ended_at,
        }
    }
}
