//! Segments: tablets that share the same layers and can do the same, what they are given, signed once for all of them.

use std::collections::BTreeSet;

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use profiles::segment::Plan;
use types::{
    EnrolmentId, Instant, LoanMode, Platform, ProfileVersionId, Secret, SegmentId, Supervision, TabletId,
    Uai, UserKind,
};

use crate::column::{Column as _, read};
use crate::enrolments::EnrolmentState;
use crate::noun::{by_key, noun, on_each_engine};
use crate::schema::{
    deliveries, enrolments, rollouts, segment_layers, segment_payloads, segments, tablet_modes, tablets,
};
use crate::within::of_tablets_within;
use crate::{Digest, RowName, StoreError, Tx, Within};

noun! {
    /// A segment.
    pub struct Segment in segments keyed by id {
        /// Its id.
        id: SegmentId,
        /// What makes it this one: the versions of its layers, and the class of its tablets.
        key_sha256: Digest,
        /// Changes if and only if what it is given does.
        token: String,
        /// The class of its tablets, in words.
        class: String,
        /// What it is given.
        plan: serde_json::Value,
        /// Its profile, by the digest of what was signed.
        payload_sha256: Digest,
        /// When it was made.
        created_at: Instant,
        /// When what it is given last changed.
        changed_at: Instant,
    }
}

by_key!(segments, Segment, id: SegmentId; insert, get, update);

impl Segment {
    /// What it is given.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn plan(&self) -> Result<Plan, StoreError> {
        serde_json::from_value(self.plan.clone()).map_err(|_not_a_plan| StoreError::Corrupt {
            table: "segments",
            row: self.id.to_string(),
            column: "plan",
        })
    }
}

/// The segment of that key.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn by_segment_key(tx: &mut Tx<'_>, key: &Digest) -> Result<Option<Segment>, StoreError> {
    tx.run(|connection| {
        segments::table
            .filter(segments::key_sha256.eq(key.to_string()))
            .select(Stored::as_select())
            .first(connection)
            .optional()
    })?
    .map(Stored::read)
    .transpose()
}

/// The segment of an enrolment.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_enrolment(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<Option<Segment>, StoreError> {
    tx.run(|connection| {
        segments::table
            .inner_join(enrolments::table.on(enrolments::segment_id.eq(segments::id.nullable())))
            .filter(enrolments::id.eq(enrolment.to_string()))
            .select(Stored::as_select())
            .first(connection)
            .optional()
    })?
    .map(Stored::read)
    .transpose()
}

/// Says of what versions a new segment is made.
///
/// # Errors
/// [`StoreError::Refused`] for a version that was not published (C3.1.1).
pub fn set_layers(
    tx: &mut Tx<'_>,
    segment: SegmentId,
    versions: &[ProfileVersionId],
) -> Result<(), StoreError> {
    for (place, version) in (0_i32..).zip(versions) {
        tx.run(|connection| {
            diesel::insert_into(segment_layers::table)
                .values((
                    segment_layers::segment_id.eq(segment.to_string()),
                    segment_layers::place.eq(place),
                    segment_layers::version_id.eq(version.to_string()),
                ))
                .execute(connection)
        })?;
    }
    Ok(())
}

/// The versions that a segment is made of, in the order of their layers.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn layers(tx: &mut Tx<'_>, segment: SegmentId) -> Result<Vec<ProfileVersionId>, StoreError> {
    let rows: Vec<String> = tx.run(|connection| {
        segment_layers::table
            .filter(segment_layers::segment_id.eq(segment.to_string()))
            .order(segment_layers::place.asc())
            .select(segment_layers::version_id)
            .load(connection)
    })?;
    rows.into_iter().map(|id| read(id, "segment_layers", "version_id", &segment)).collect()
}

/// Whether what has this digest was signed before.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn is_signed(tx: &mut Tx<'_>, content: &Digest) -> Result<bool, StoreError> {
    let found: Option<String> = tx.run(|connection| {
        segment_payloads::table
            .find(content.to_string())
            .select(segment_payloads::id)
            .first(connection)
            .optional()
    })?;
    Ok(found.is_some())
}

/// Keeps what was signed. Of two that were signed at once, the first stays.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn keep_signed(tx: &mut Tx<'_>, content: &Digest, signed: &[u8], now: Instant) -> Result<(), StoreError> {
    let sealed = tx.vault().seal(signed, &RowName::new("segment_payloads", "signed_sealed", content))?;
    on_each_engine!(tx, |connection| {
        diesel::insert_into(segment_payloads::table)
            .values((
                segment_payloads::id.eq(content.to_string()),
                segment_payloads::signed_sealed.eq(&sealed),
                segment_payloads::created_at.eq(now.as_millis()),
            ))
            .on_conflict_do_nothing()
            .execute(connection)
    })?;
    Ok(())
}

/// The signed profile of that digest. It may hold the passwords of networks.
///
/// # Errors
/// [`StoreError::Sealed`] if it does not open.
pub fn signed(tx: &mut Tx<'_>, content: &Digest) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
    let sealed: Option<Vec<u8>> = tx.run(|connection| {
        segment_payloads::table
            .find(content.to_string())
            .select(segment_payloads::signed_sealed)
            .first(connection)
            .optional()
    })?;
    let place = RowName::new("segment_payloads", "signed_sealed", content);
    Ok(sealed.map(|sealed| tx.vault().open(&sealed, &place)).transpose()?)
}

/// How many profiles were signed.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn count_signed(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let count: i64 = tx.run(|connection| segment_payloads::table.count().get_result(connection))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// An enrolled iPad, as far as its segment depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its enrolment.
    pub enrolment: EnrolmentId,
    /// Its tablet.
    pub tablet: TabletId,
    /// The collège it is assigned to.
    pub uai: Option<Uai>,
    /// Its iPadOS, as it said.
    pub os_version: Option<String>,
    /// Whether it is supervised, as it said.
    pub supervision: Supervision,
    /// The segment it is in.
    pub segment: Option<SegmentId>,
    /// Who holds it, and where it may be used, while it is lent.
    pub loan: Option<(UserKind, LoanMode)>,
    /// The first versions that it had in another collège, and keeps.
    pub kept: BTreeSet<ProfileVersionId>,
}

type MemberRow = (
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// At most `limit` enrolled iPads after that one, in the order of their ids; those without a segment only, if asked.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn members(
    tx: &mut Tx<'_>,
    after: Option<EnrolmentId>,
    without_only: bool,
    limit: u32,
) -> Result<Vec<Member>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows: Vec<MemberRow> = tx.run(|connection| {
        let mut query = member_rows()
            .filter(enrolments::id.gt(after))
            .order(enrolments::id.asc())
            .limit(i64::from(limit))
            .into_boxed();
        if without_only {
            query =
                query.filter(enrolments::segment_id.is_null()).filter(enrolments::os_version.is_not_null());
        }
        query.load(connection)
    })?;
    rows.into_iter().filter_map(|row| member(row).transpose()).collect()
}

/// Those among these that are enrolled iPads, as they are now, in no order.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn members_among(tx: &mut Tx<'_>, enrolments: &[EnrolmentId]) -> Result<Vec<Member>, StoreError> {
    let ids: Vec<String> = enrolments.iter().map(ToString::to_string).collect();
    let rows: Vec<MemberRow> =
        tx.run(|connection| member_rows().filter(enrolments::id.eq_any(&ids)).load(connection))?;
    rows.into_iter().filter_map(|row| member(row).transpose()).collect()
}

#[diesel::dsl::auto_type]
fn member_rows() -> _ {
    let active: &'static str = EnrolmentState::Active.as_str();
    let ipad: &'static str = Platform::Ipad.as_str();
    enrolments::table
        .inner_join(tablets::table.on(enrolments::tablet_id.eq(tablets::id.nullable())))
        .left_join(tablet_modes::table.on(tablet_modes::tablet_id.eq(tablets::id)))
        .filter(enrolments::state.eq(active))
        .filter(enrolments::platform.eq(ipad))
        .select((
            enrolments::id,
            enrolments::tablet_id,
            tablets::uai,
            enrolments::os_version,
            enrolments::supervision,
            enrolments::segment_id,
            tablet_modes::holder_kind.nullable(),
            tablet_modes::mode.nullable(),
            enrolments::kept_versions,
        ))
}

fn member(row: MemberRow) -> Result<Option<Member>, StoreError> {
    let (id, tablet, uai, os_version, supervision, segment, holder, mode, kept) = row;
    let kept: Option<BTreeSet<ProfileVersionId>> = read(kept, "enrolments", "kept_versions", &id)?;
    let tablet: Option<TabletId> = read(tablet, "enrolments", "tablet_id", &id)?;
    let Some(tablet) = tablet else { return Ok(None) };
    let holder: Option<UserKind> = read(holder, "tablet_modes", "holder_kind", &id)?;
    let mode: Option<LoanMode> = read(mode, "tablet_modes", "mode", &id)?;
    Ok(Some(Member {
        tablet,
        loan: holder.zip(mode),
        kept: kept.unwrap_or_default(),
        uai: read(uai, "tablets", "uai", &id)?,
        os_version,
        supervision: read(supervision, "enrolments", "supervision", &id)?,
        segment: read(segment, "enrolments", "segment_id", &id)?,
        enrolment: read(id.clone(), "enrolments", "id", &id)?,
    }))
}

/// Moves tablets into a segment, or out of any; each is looked at when it connects next. Says how many are in it now: none,
/// also if [`prune`] took the segment since it was looked up. They are without one then, and the next walk finds them: in one
/// that is not there nobody would.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn assign(
    tx: &mut Tx<'_>,
    enrolments: &[EnrolmentId],
    segment: Option<SegmentId>,
) -> Result<usize, StoreError> {
    let ids: Vec<String> = enrolments.iter().map(ToString::to_string).collect();
    tx.run(|connection| {
        let there: Option<String> = match segment {
            Some(segment) => {
                segments::table.find(segment.to_string()).select(segments::id).first(connection).optional()?
            }
            None => None,
        };
        diesel::update(deliveries::table.filter(deliveries::enrolment_id.eq_any(&ids)))
            .set(deliveries::due_at.eq(None::<i64>))
            .execute(connection)?;
        let moved = diesel::update(enrolments::table.filter(enrolments::id.eq_any(&ids)))
            .set(enrolments::segment_id.eq(&there))
            .execute(connection)?;
        Ok(if there.is_some() { moved } else { 0 })
    })
}

/// The first versions that an enrolled tablet had in another collège, and keeps.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn kept(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<BTreeSet<ProfileVersionId>, StoreError> {
    let kept: Option<Option<String>> = tx.run(|connection| {
        let row = enrolments::table.find(enrolment.to_string());
        row.select(enrolments::kept_versions).first(connection).optional()
    })?;
    let kept: Option<BTreeSet<ProfileVersionId>> =
        read(kept.flatten(), "enrolments", "kept_versions", &enrolment)?;
    Ok(kept.unwrap_or_default())
}

/// Notes which versions a tablet is given that are the first of their layers and not everywhere yet: wherever it goes, it keeps
/// them, for nothing was in force before that it could have in their place (C3.1.1).
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn keep_first_versions(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<(), StoreError> {
    let firsts: Vec<String> = tx.run(|connection| {
        rollouts::table
            .filter(rollouts::ended_at.is_null())
            .filter(rollouts::previous_id.is_null())
            .select(rollouts::version_id)
            .load(connection)
    })?;
    let given: Vec<String> = match of_enrolment(tx, enrolment)? {
        Some(segment) if !firsts.is_empty() => tx.run(|connection| {
            segment_layers::table
                .filter(segment_layers::segment_id.eq(segment.id.to_string()))
                .filter(segment_layers::version_id.eq_any(&firsts))
                .select(segment_layers::version_id)
                .load(connection)
        })?,
        _ => Vec::new(),
    };
    if given.is_empty() {
        return Ok(());
    }
    let mut all = kept(tx, enrolment)?;
    for version in given {
        all.insert(read(version, "segment_layers", "version_id", &enrolment)?);
    }
    tx.run(|connection| {
        diesel::update(enrolments::table.find(enrolment.to_string()))
            .set(enrolments::kept_versions.eq(all.stored()))
            .execute(connection)
    })?;
    Ok(())
}

/// Everything that was delivered, or could not be, has been: the token of the segment that the tablet has now.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn set_delivered(tx: &mut Tx<'_>, enrolment: EnrolmentId, token: Option<&str>) -> Result<(), StoreError> {
    tx.run(|connection| {
        diesel::update(enrolments::table.find(enrolment.to_string()))
            .set(enrolments::reported_token.eq(token))
            .execute(connection)
    })?;
    Ok(())
}

/// A segment, and how many tablets it has.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// The segment.
    pub segment: Segment,
    /// The tablets in it.
    pub tablets: u64,
    /// Those to which everything was delivered.
    pub delivered: u64,
}

/// At most `limit` segments after that one, in the order of their ids, with their tablets within reach; those that have
/// none are left out.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn counted(
    tx: &mut Tx<'_>,
    within: &Within,
    after: Option<SegmentId>,
    limit: u32,
) -> Result<Vec<Counted>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids: Vec<Option<String>> = tx.run(|connection| {
        let query = enrolments::table
            .filter(enrolments::state.eq(EnrolmentState::Active.as_str()))
            .filter(enrolments::segment_id.gt(after))
            .select(enrolments::segment_id)
            .distinct()
            .order(enrolments::segment_id.asc())
            .limit(i64::from(limit))
            .into_boxed();
        of_tablets_within!(query, within, enrolments::tablet_id).load(connection)
    })?;
    let mut found = Vec::new();
    for id in ids.into_iter().flatten() {
        let id: SegmentId = read(id, "enrolments", "segment_id", &"a segment")?;
        let Some(segment) = get(tx, &id)? else { continue };
        let tablets = count_of(tx, within, &segment, false)?;
        let delivered = count_of(tx, within, &segment, true)?;
        found.push(Counted { segment, tablets, delivered });
    }
    Ok(found)
}

fn count_of(tx: &mut Tx<'_>, within: &Within, segment: &Segment, delivered: bool) -> Result<u64, StoreError> {
    let count: i64 = tx.run(|connection| {
        let mut query = enrolments::table
            .filter(enrolments::state.eq(EnrolmentState::Active.as_str()))
            .filter(enrolments::segment_id.eq(segment.id.to_string()))
            .select(diesel::dsl::count_star())
            .into_boxed();
        if delivered {
            query = query.filter(enrolments::reported_token.eq(&segment.token));
        }
        of_tablets_within!(query, within, enrolments::tablet_id).get_result(connection)
    })?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Forgets at most `limit` segments that no tablet is in and that were made before `before`, and what was signed for
/// them alone. Says how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn prune(tx: &mut Tx<'_>, before: Instant, limit: u32) -> Result<usize, StoreError> {
    use diesel::dsl::{exists, not};
    tx.run(|connection| {
        let used = enrolments::table.filter(enrolments::segment_id.eq(segments::id.nullable()));
        let unused: Vec<String> = segments::table
            .filter(segments::changed_at.lt(before.as_millis()))
            .filter(not(exists(used)))
            .order(segments::id.asc())
            .limit(i64::from(limit.min(crate::purge::MOST)))
            .select(segments::id)
            .load(connection)?;
        diesel::delete(segment_layers::table.filter(segment_layers::segment_id.eq_any(&unused)))
            .execute(connection)?;
        let gone =
            diesel::delete(segments::table.filter(segments::id.eq_any(&unused))).execute(connection)?;
        let needed = segments::table.filter(segments::payload_sha256.eq(segment_payloads::id));
        let orphans: Vec<String> = segment_payloads::table
            .filter(segment_payloads::created_at.lt(before.as_millis()).and(not(exists(needed))))
            .limit(i64::from(limit.min(crate::purge::MOST)))
            .select(segment_payloads::id)
            .load(connection)?;
        diesel::delete(segment_payloads::table.filter(segment_payloads::id.eq_any(orphans)))
            .execute(connection)?;
        Ok(gone)
    })
}

crate::declared::declares! {
    segments kept as Configuration {
        not_personal("what many tablets are given, and none of its own") {
            id, key_sha256, token, class, plan, payload_sha256, created_at, changed_at,
        }
    }
    segment_layers kept as Configuration {
        not_personal("the versions a segment is made of") { segment_id, place, version_id }
    }
    segment_payloads kept as Configuration {
        not_personal("the digest of what was signed") { id, created_at }
        not_personal("what was signed for many tablets, sealed: it may hold the passwords of networks") { signed_sealed }
    }
}
