//! Roll-outs: how a published version comes to its tablets, wave by wave.

use std::collections::BTreeMap;

use diesel::{
    ExpressionMethods as _, JoinOnDsl as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _,
};
use profiles::RolloutState;
use types::{AccountId, Instant, ProfileVersionId, RolloutId, TabletId, Uai};

use crate::commands::CommandState;
use crate::noun::{by_key, noun, read_all};
use crate::schema::{commands, rollouts, tablets};
use crate::{StoreError, Tx};

noun! {
    /// A roll-out.
    pub struct Rollout in rollouts keyed by id {
        /// Its id.
        id: RolloutId,
        /// The version that comes.
        version_id: ProfileVersionId,
        /// The one before, which tablets keep until their wave.
        previous_id: ProfileVersionId,
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

/// What every id that was made at that instant, or later, does not sort before (RFC 9562, UUIDv7).
fn first_id_of(instant: Instant) -> String {
    let millis = format!("{:012x}", instant.as_millis().max(0));
    let (high, low) = millis.split_at_checked(8).unwrap_or((&millis, ""));
    format!("{high}-{low}")
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
