//! Campaigns: dated permissions, given by two persons, to erase more than the brake's budgets when tablets are
//! given back, in named collèges, up to a ceiling (M5).

use std::collections::BTreeSet;

use diesel::{
    ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
    TextExpressionMethods as _,
};
use governance::brake;
use types::{AccountId, CampaignId, CountersignatureId, Day, Instant, Uai};

use crate::column::Column as _;
use crate::noun::{by_key, noun, read_all};
use crate::schema::{campaigns, destructions};
use crate::{StoreError, Tx, countersignatures};

noun! {
    /// A campaign. Frozen once opened, except towards its end.
    pub struct Campaign in campaigns keyed by id {
        /// Its id.
        id: CampaignId,
        /// The collèges it is for.
        uais: BTreeSet<Uai>,
        /// Its first day.
        starts_on: Day,
        /// Its last day.
        ends_on: Day,
        /// How many tablets it lets be erased.
        ceiling: i32,
        /// Who opened it.
        opened_by: AccountId,
        /// The second person's answer it rests on; one campaign each.
        countersignature_id: CountersignatureId,
        /// Why.
        reason: String,
        /// When it was opened.
        created_at: Instant,
        /// When it was ended, before its last day or after it.
        ended_at: Option<Instant>,
    }
}

by_key!(campaigns, Campaign, id: CampaignId; insert, get);

/// Ends a campaign; `false` if it was ended before.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn end(tx: &mut Tx<'_>, id: CampaignId, now: Instant) -> Result<bool, StoreError> {
    let ended = tx.run(|connection| {
        diesel::update(
            campaigns::table.filter(campaigns::id.eq(id.to_string())).filter(campaigns::ended_at.is_null()),
        )
        .set(campaigns::ended_at.eq(now.as_millis()))
        .execute(connection)
    })?;
    Ok(ended == 1)
}

/// Ends the campaigns whose last day is past. Returns how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn end_past(tx: &mut Tx<'_>, now: Instant) -> Result<usize, StoreError> {
    tx.run(|connection| {
        diesel::update(
            campaigns::table
                .filter(campaigns::ends_on.lt(Day::of(now).stored()))
                .filter(campaigns::ended_at.is_null()),
        )
        .set(campaigns::ended_at.eq(now.as_millis()))
        .execute(connection)
    })
}

/// A campaign and how much of it was used.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// The campaign.
    pub campaign: Campaign,
    /// How many tablets were erased under it.
    pub used: u64,
}

/// The campaigns that cover a collège on a day, the first opened first, each with how much of it was used.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn running(tx: &mut Tx<'_>, uai: &Uai, day: Day) -> Result<Vec<Running>, StoreError> {
    let found: Result<Vec<Campaign>, StoreError> = read_all!(tx.run(|connection| {
        campaigns::table
            .filter(campaigns::ended_at.is_null())
            .filter(campaigns::starts_on.le(day.stored()))
            .filter(campaigns::ends_on.ge(day.stored()))
            // A code has a fixed form: between its quotes it is found nowhere but in its own place.
            .filter(campaigns::uais.like(format!("%\"{uai}\"%")))
            .order(campaigns::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }));
    found?.into_iter().map(|campaign| Ok(Running { used: used(tx, campaign.id)?, campaign })).collect()
}

/// How many tablets were erased under a campaign.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn used(tx: &mut Tx<'_>, id: CampaignId) -> Result<u64, StoreError> {
    let used: i64 = tx.run(|connection| {
        destructions::table
            .filter(destructions::campaign_id.eq(id.to_string()))
            .count()
            .get_result(connection)
    })?;
    Ok(u64::try_from(used).unwrap_or(0))
}

/// At most `limit` campaigns, the newest first, from the first one before `before`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(tx: &mut Tx<'_>, before: Option<CampaignId>, limit: u32) -> Result<Vec<Campaign>, StoreError> {
    // `g` sorts after every hexadecimal digit.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    read_all!(tx.run(|connection| {
        campaigns::table
            .filter(campaigns::id.lt(before))
            .order(campaigns::id.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// A campaign, checked again against what its second person signed. `None` if there is no such campaign, or what
/// was signed is no more: nothing passes under it then.
///
/// # Errors
/// [`StoreError::Edited`] if another plan was signed; [`StoreError::Corrupt`].
pub fn proven(tx: &mut Tx<'_>, id: CampaignId) -> Result<Option<brake::Campaign>, StoreError> {
    let Some(row) = get(tx, &id)? else { return Ok(None) };
    let Some(signed) = countersignatures::asked(tx, row.countersignature_id)? else { return Ok(None) };
    let ceiling = u32::try_from(row.ceiling).map_err(|_negative| StoreError::Corrupt {
        table: "campaigns",
        row: id.to_string(),
        column: "ceiling",
    })?;
    let row = brake::CampaignRow {
        id,
        colleges: row.uais,
        starts_on: row.starts_on,
        ends_on: row.ends_on,
        ceiling,
        reason: row.reason,
        opened_by: row.opened_by,
        countersignature: row.countersignature_id,
        created_at: row.created_at,
        ended_at: row.ended_at,
    };
    #[expect(clippy::disallowed_methods, reason = "this is the row")]
    let campaign = brake::Campaign::from_row(row, &signed)?;
    Ok(Some(campaign))
}

/// Records a campaign that two persons have just opened. Its signature is used in the same transaction.
///
/// # Errors
/// As [`insert`].
pub fn open(tx: &mut Tx<'_>, campaign: &brake::Campaign) -> Result<(), StoreError> {
    let row = campaign.to_row();
    let campaign = Campaign {
        id: row.id,
        uais: row.colleges,
        starts_on: row.starts_on,
        ends_on: row.ends_on,
        // More than there are tablets in the world.
        ceiling: i32::try_from(row.ceiling).unwrap_or(i32::MAX),
        opened_by: row.opened_by,
        countersignature_id: row.countersignature,
        reason: row.reason,
        created_at: row.created_at,
        ended_at: row.ended_at,
    };
    insert(tx, &campaign)
}

crate::declared::declares! {
    campaigns kept as Evidence {
        personal(AccountsAndAudit: Acts) { opened_by, countersignature_id, created_at, ended_at }
        personal(AccountsAndAudit: Reasons) { reason }
        not_personal("where and when tablets are given back, and how many") {
            id, uais, starts_on, ends_on, ceiling,
        }
    }
}
