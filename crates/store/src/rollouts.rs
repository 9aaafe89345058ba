//! Roll-outs: how a published version comes to its tablets, wave by wave.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use profiles::RolloutState;
use types::{AccountId, Instant, ProfileVersionId, RolloutId};

use crate::noun::{by_key, noun, read_all};
use crate::schema::rollouts;
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
