//! After a restore: what destroys and is older than the restore is void (M5, T-C24). A database of last week
//! must not wipe a tablet that was found and lent again since.
//!
//! What opens a door and may have been closed since the backup is closed again: sessions, people's tokens, waiting
//! invitations. The switch of the brake stays as it was: thrown, it must not be released by a restore; released,
//! it would stop nothing, since nothing that destroys is left. What was counted stays counted. Roles and the DPO's
//! validations stay, too: nobody could act without them, and whoever may is to look at them.

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use lending::last_decision::LastKind;
use types::Instant;

use crate::column::read;
use crate::commands::CommandState;
use crate::countersignatures::CountersignatureState;
use crate::destructions::DestructionState;
use crate::schema::{
    accounts, api_tokens, campaigns, commands, countersignatures, destructions, enrolment_ends, erase_orders,
    last_decisions, sessions, warrants,
};
use crate::warrants::OrderState;
use crate::{StoreError, Tx, settings};

const RESTORED_AT: &str = "restored_at";

/// What a restore made void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Voided {
    /// Pending commands that rest on an order. Turning lost mode *off* is ordinary, and is not among them.
    pub commands: usize,
    /// Erase orders that were open.
    pub erase_orders: usize,
    /// Warrants that were open.
    pub warrants: usize,
    /// Recorded ends of enrolments that were not carried out.
    pub enrolment_ends: usize,
    /// Orders that the brake held.
    pub destructions: usize,
    /// Requests for a second person that waited, or whose answer was not used.
    pub countersignatures: usize,
    /// Campaigns that were open.
    pub campaigns: usize,
    /// Sessions that were not revoked.
    pub sessions: usize,
    /// People's tokens that were not revoked.
    pub api_tokens: usize,
    /// Invitations and reset tokens that waited.
    pub invitations: usize,
}

impl Voided {
    /// What was made void, by name, for the audit log and for people.
    #[must_use]
    pub fn as_json(&self) -> serde_json::Value {
        serde_json::json!({
            "commands": self.commands,
            "erase_orders": self.erase_orders,
            "warrants": self.warrants,
            "enrolment_ends": self.enrolment_ends,
            "destructions": self.destructions,
            "countersignatures": self.countersignatures,
            "campaigns": self.campaigns,
            "sessions": self.sessions,
            "api_tokens": self.api_tokens,
            "invitations": self.invitations,
        })
    }
}

/// Voids what destroys, and records the instant of the restore. Run once on a restored database, before it is
/// served.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn void_after_restore(tx: &mut Tx<'_>, now: Instant) -> Result<Voided, StoreError> {
    let open = OrderState::Open.as_str();
    let ended = OrderState::Ended.as_str();
    let voided = tx.run(|connection| {
        // One that was taken back since must not stand again: head and département decide anew.
        diesel::update(
            last_decisions::table
                .filter(last_decisions::kind.eq(LastKind::Theft.as_str()))
                .filter(last_decisions::withdrawn_at.is_null()),
        )
        .set(last_decisions::withdrawn_at.eq(now.as_millis()))
        .execute(connection)?;
        Ok(Voided {
            commands: diesel::update(
                commands::table.filter(commands::pending.and(commands::gate.ne("ordinary"))),
            )
            .set(commands::state.eq(CommandState::Void.as_str()))
            .execute(connection)?,
            erase_orders: diesel::update(erase_orders::table.filter(erase_orders::state.eq(open)))
                .set(erase_orders::state.eq(ended))
                .execute(connection)?,
            warrants: diesel::update(warrants::table.filter(warrants::state.eq(open)))
                .set((warrants::state.eq(ended), warrants::ended_at.eq(now.as_millis())))
                .execute(connection)?,
            enrolment_ends: diesel::update(enrolment_ends::table.filter(enrolment_ends::state.eq(open)))
                .set(enrolment_ends::state.eq(ended))
                .execute(connection)?,
            destructions: diesel::update(
                destructions::table.filter(destructions::state.eq(DestructionState::Held.as_str())),
            )
            .set(destructions::state.eq(DestructionState::Void.as_str()))
            .execute(connection)?,
            countersignatures: diesel::update(
                countersignatures::table.filter(
                    countersignatures::state.eq(CountersignatureState::Waiting.as_str()).or(
                        countersignatures::state
                            .eq(CountersignatureState::Given.as_str())
                            .and(countersignatures::used_at.is_null()),
                    ),
                ),
            )
            .set(countersignatures::state.eq(CountersignatureState::Void.as_str()))
            .execute(connection)?,
            campaigns: diesel::update(campaigns::table.filter(campaigns::ended_at.is_null()))
                .set(campaigns::ended_at.eq(now.as_millis()))
                .execute(connection)?,
            sessions: diesel::update(sessions::table.filter(sessions::revoked_at.is_null()))
                .set(sessions::revoked_at.eq(now.as_millis()))
                .execute(connection)?,
            api_tokens: diesel::update(
                api_tokens::table
                    .filter(api_tokens::account_id.is_not_null())
                    .filter(api_tokens::revoked_at.is_null()),
            )
            .set(api_tokens::revoked_at.eq(now.as_millis()))
            .execute(connection)?,
            invitations: diesel::update(accounts::table.filter(accounts::invitation_sha256.is_not_null()))
                .set((
                    accounts::invitation_sha256.eq(None::<String>),
                    accounts::invitation_expires_at.eq(None::<i64>),
                ))
                .execute(connection)?,
        })
    })?;
    // Nobody answers a request whose command is void.
    crate::position_requests::give_up(tx, "a restore made it void", now)?;
    // What waited for an order that is void may be ordered anew, once somebody has looked.
    crate::restitutions::give_back(tx, now)?;
    settings::set(tx, RESTORED_AT, &now.as_millis().to_string())?;
    Ok(voided)
}

/// When this database was last restored.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn restored_at(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    let Some(text) = settings::get(tx, RESTORED_AT)? else {
        return Ok(None);
    };
    let corrupt = || StoreError::Corrupt { table: "settings", row: RESTORED_AT.to_owned(), column: "value" };
    let millis = text.parse::<i64>().map_err(|_not_a_number| corrupt())?;
    read(millis, "settings", "value", &RESTORED_AT).map(Some)
}
