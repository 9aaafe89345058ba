//! Versions of the layers of what is on tablets, from draft to publication (C3.1.1 to C3.1.3).
//!
//! What was submitted is never changed, and what is published was approved by those who decide it: the tables refuse
//! everything else, and [`in_force`] checks it again.

use std::collections::BTreeMap;

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use profiles::{Approved, InForce, Layer, LayerKey, VersionFacts};
use types::{AccountId, Instant, ProfileVersionId, Secret, TabletId, Uai};

use crate::column::stored_enum;
use crate::noun::{by_key, noun, read_all};
use crate::schema::profile_versions;
use crate::{Digest, RowName, StoreError, Tx, layer_suspensions, profile_approvals, rollouts};

stored_enum! {
    /// How far a version has come.
    VersionState {
        /// It is being written.
        Draft = "draft",
        /// It waits for approvals.
        Submitted = "submitted",
        /// It was approved by those who decide it, and waits for its day.
        Approved = "approved",
        /// It is in force.
        Published = "published",
        /// A later one took its place.
        Superseded = "superseded",
        /// One of those who decide it refused.
        Rejected = "rejected",
        /// It was taken back.
        Withdrawn = "withdrawn",
    }
}

noun! {
    /// A version of a layer.
    pub struct ProfileVersion in profile_versions keyed by id {
        /// Its id.
        id: ProfileVersionId,
        /// The kind of its layer.
        layer_kind: String,
        /// What the layer is called among those of its kind.
        layer_name: String,
        /// The collège whose additions they are.
        uai: Option<Uai>,
        /// Its number among the versions of its layer, from 1.
        number: i32,
        /// How far it has come.
        state: VersionState,
        /// The layer's title.
        title: String,
        /// SHA-256 of what it says.
        content_sha256: Digest,
        /// The version that was edited, if it is an edit of one.
        based_on: Option<ProfileVersionId>,
        /// Who wrote it.
        author_id: AccountId,
        /// When it was begun.
        created_at: Instant,
        /// When it was last changed.
        edited_at: Instant,
        /// When it was submitted; not changed since.
        submitted_at: Option<Instant>,
        /// When it is to take effect, or did.
        takes_effect_at: Option<Instant>,
        /// Who set that.
        scheduled_by: Option<AccountId>,
        /// How it is to be rolled out, as JSON; to everyone at once, if nothing is said.
        rollout_plan: Option<String>,
        /// When it was published; published again, when that was.
        published_at: Option<Instant>,
        /// When a later one took its place.
        superseded_at: Option<Instant>,
        /// When it was rejected or taken back.
        ended_at: Option<Instant>,
        /// By whom; the calendar has no account.
        ended_by: Option<AccountId>,
        /// Why.
        ended_reason: Option<String>,
    }
}

by_key!(profile_versions, ProfileVersion, id: ProfileVersionId; get, get_all);

impl ProfileVersion {
    /// The layer it is a version of.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn layer(&self) -> Result<LayerKey, StoreError> {
        LayerKey::from_columns(&self.layer_kind, &self.layer_name).map_err(|_not_a_key| StoreError::Corrupt {
            table: "profile_versions",
            row: self.id.to_string(),
            column: "layer_name",
        })
    }
}

fn place(id: ProfileVersionId) -> RowName {
    RowName::new("profile_versions", "content_sealed", &id)
}

/// Adds a version, and seals what it says.
///
/// # Errors
/// [`StoreError::Duplicate`] if its layer has a version of that number.
pub fn insert(tx: &mut Tx<'_>, row: &ProfileVersion, content: &Secret<String>) -> Result<(), StoreError> {
    let sealed = tx.vault().seal(content.expose().as_bytes(), &place(row.id))?;
    let stored = Stored::of(row);
    tx.run(|connection| {
        diesel::insert_into(profile_versions::table)
            .values((stored, profile_versions::content_sealed.eq(sealed)))
            .execute(connection)
    })?;
    Ok(())
}

/// What a version says. It may hold passwords of networks.
///
/// # Errors
/// [`StoreError::Sealed`] if it does not open; [`StoreError::Corrupt`] if there is no such version.
pub fn content(tx: &mut Tx<'_>, id: ProfileVersionId) -> Result<Secret<String>, StoreError> {
    let corrupt =
        || StoreError::Corrupt { table: "profile_versions", row: id.to_string(), column: "content_sealed" };
    let sealed: Option<Vec<u8>> = tx.run(|connection| {
        profile_versions::table
            .find(id.to_string())
            .select(profile_versions::content_sealed)
            .first(connection)
            .optional()
    })?;
    let opened = tx.vault().open(&sealed.ok_or_else(corrupt)?, &place(id))?;
    let text = std::str::from_utf8(opened.expose()).map_err(|_not_a_text| corrupt())?;
    Ok(Secret::new(text.to_owned()))
}

/// A version that is still in this state.
macro_rules! still {
    ($id:expr, $($state:ident)|+) => {
        profile_versions::table
            .filter(profile_versions::id.eq($id.to_string()))
            .filter(profile_versions::state.eq_any([$(VersionState::$state.as_str()),+]))
    };
}

/// Writes another text into a draft; `false` if it is none any more.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn edit(
    tx: &mut Tx<'_>,
    id: ProfileVersionId,
    (title, content): (&str, &Secret<String>),
    now: Instant,
) -> Result<bool, StoreError> {
    let sealed = tx.vault().seal(content.expose().as_bytes(), &place(id))?;
    let digest = Digest::of(content.expose().as_bytes());
    let edited = tx.run(|connection| {
        diesel::update(still!(id, Draft))
            .set((
                profile_versions::title.eq(title),
                profile_versions::content_sealed.eq(sealed),
                profile_versions::content_sha256.eq(digest.to_string()),
                profile_versions::edited_at.eq(now.as_millis()),
            ))
            .execute(connection)
    })?;
    Ok(edited == 1)
}

/// Submits a draft; `false` if it is none any more.
///
/// # Errors
/// [`StoreError::Refused`] if it would be submitted before it was begun.
pub fn submit(tx: &mut Tx<'_>, id: ProfileVersionId, now: Instant) -> Result<bool, StoreError> {
    let submitted = tx.run(|connection| {
        diesel::update(still!(id, Draft))
            .set((
                profile_versions::state.eq(VersionState::Submitted.as_str()),
                profile_versions::submitted_at.eq(now.as_millis()),
            ))
            .execute(connection)
    })?;
    Ok(submitted == 1)
}

/// Counts a submitted version as approved; `false` if it waits no more.
///
/// # Errors
/// [`StoreError::Refused`] unless those who decide it approved exactly it.
pub fn approve(tx: &mut Tx<'_>, id: ProfileVersionId) -> Result<bool, StoreError> {
    let approved = tx.run(|connection| {
        diesel::update(still!(id, Submitted))
            .set(profile_versions::state.eq(VersionState::Approved.as_str()))
            .execute(connection)
    })?;
    Ok(approved == 1)
}

/// Sets when an approved version takes effect, and how it is rolled out; `false` if it is not approved, or no more.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn schedule(
    tx: &mut Tx<'_>,
    id: ProfileVersionId,
    by: AccountId,
    (at, plan): (Instant, Option<&str>),
) -> Result<bool, StoreError> {
    let scheduled = tx.run(|connection| {
        diesel::update(still!(id, Approved))
            .set((
                profile_versions::takes_effect_at.eq(at.as_millis()),
                profile_versions::scheduled_by.eq(by.to_string()),
                profile_versions::rollout_plan.eq(plan),
            ))
            .execute(connection)
    })?;
    Ok(scheduled == 1)
}

/// Publishes an approved version, or a superseded one again; `false` if it is neither.
///
/// # Errors
/// [`StoreError::Refused`] unless those who decide it approved exactly it, or before its day;
/// [`StoreError::Duplicate`] while another version of its layer is published.
pub fn publish(tx: &mut Tx<'_>, id: ProfileVersionId, now: Instant) -> Result<bool, StoreError> {
    let published = tx.run(|connection| {
        diesel::update(still!(id, Approved | Superseded))
            .set((
                profile_versions::state.eq(VersionState::Published.as_str()),
                profile_versions::published_at.eq(now.as_millis()),
                profile_versions::superseded_at.eq(None::<i64>),
            ))
            .execute(connection)
    })?;
    Ok(published == 1)
}

/// Takes a published version out of force for one that takes its place; `false` if it is not published.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn supersede(tx: &mut Tx<'_>, id: ProfileVersionId, now: Instant) -> Result<bool, StoreError> {
    let superseded = tx.run(|connection| {
        diesel::update(still!(id, Published))
            .set((
                profile_versions::state.eq(VersionState::Superseded.as_str()),
                profile_versions::superseded_at.eq(now.as_millis()),
            ))
            .execute(connection)
    })?;
    Ok(superseded == 1)
}

/// How a version ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Whether one of those who decide it refused; it was taken back otherwise.
    pub rejected: bool,
    /// By whom; the calendar has no account.
    pub by: Option<AccountId>,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Instant,
}

/// Ends a version; `false` if it had ended, or a later one took its place.
///
/// # Errors
/// [`StoreError::Refused`] for a draft, or a published version, that would be rejected.
pub fn end(tx: &mut Tx<'_>, id: ProfileVersionId, end: &End) -> Result<bool, StoreError> {
    let state = if end.rejected { VersionState::Rejected } else { VersionState::Withdrawn };
    let ended = tx.run(|connection| {
        diesel::update(still!(id, Draft | Submitted | Approved | Published))
            .set((
                profile_versions::state.eq(state.as_str()),
                profile_versions::ended_at.eq(end.at.as_millis()),
                profile_versions::ended_by.eq(end.by.map(|by| by.to_string())),
                profile_versions::ended_reason.eq(&end.reason),
            ))
            .execute(connection)
    })?;
    Ok(ended == 1)
}

/// The number that the next version of a layer has.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn next_number(tx: &mut Tx<'_>, layer: &LayerKey) -> Result<i32, StoreError> {
    let last: Option<i32> = tx.run(|connection| {
        profile_versions::table
            .filter(profile_versions::layer_kind.eq(layer.kind()))
            .filter(profile_versions::layer_name.eq(layer.name()))
            .select(diesel::dsl::max(profile_versions::number))
            .first(connection)
    })?;
    Ok(last.unwrap_or(0).saturating_add(1))
}

/// Which versions are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of one layer only.
    pub layer: Option<LayerKey>,
    /// Those in one state only.
    pub state: Option<VersionState>,
    /// What collèges add: these collèges' only, beside what is decided jointly; all, if `None`.
    pub colleges: Option<Vec<Uai>>,
}

/// At most `limit` versions, the newest first, from the first one before `before`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    filter: &Filter,
    before: Option<ProfileVersionId>,
    limit: u32,
) -> Result<Vec<ProfileVersion>, StoreError> {
    // `g` sorts after every hexadecimal digit.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    read_all!(tx.run(|connection| {
        let mut query = profile_versions::table
            .filter(profile_versions::id.lt(before))
            .order(profile_versions::id.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        if let Some(layer) = &filter.layer {
            query = query
                .filter(profile_versions::layer_kind.eq(layer.kind()))
                .filter(profile_versions::layer_name.eq(layer.name()));
        }
        if let Some(state) = filter.state {
            query = query.filter(profile_versions::state.eq(state.as_str()));
        }
        if let Some(colleges) = &filter.colleges {
            use diesel::BoolExpressionMethods as _;
            let codes: Vec<String> = colleges.iter().map(Uai::to_string).collect();
            query = query.filter(profile_versions::uai.is_null().or(profile_versions::uai.eq_any(codes)));
        }
        query.load::<Stored>(connection)
    }))
}

/// The published version of a layer.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn published(tx: &mut Tx<'_>, layer: &LayerKey) -> Result<Option<ProfileVersion>, StoreError> {
    tx.run(|connection| {
        profile_versions::table
            .filter(profile_versions::layer_kind.eq(layer.kind()))
            .filter(profile_versions::layer_name.eq(layer.name()))
            .filter(profile_versions::state.eq(VersionState::Published.as_str()))
            .select(Stored::as_select())
            .first(connection)
            .optional()
    })?
    .map(Stored::read)
    .transpose()
}

/// Every published version, in the order of their layers.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn all_published(tx: &mut Tx<'_>) -> Result<Vec<ProfileVersion>, StoreError> {
    read_all!(tx.run(|connection| {
        profile_versions::table
            .filter(profile_versions::state.eq(VersionState::Published.as_str()))
            .order((profile_versions::layer_kind.asc(), profile_versions::layer_name.asc()))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// The versions with exactly this content that wait for approvals.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn submitted_with(tx: &mut Tx<'_>, sha256: &Digest) -> Result<Vec<ProfileVersion>, StoreError> {
    read_all!(tx.run(|connection| {
        profile_versions::table
            .filter(profile_versions::content_sha256.eq(sha256.to_string()))
            .filter(profile_versions::state.eq(VersionState::Submitted.as_str()))
            .order(profile_versions::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// The ids of at most `limit` approved versions whose day has come, those due first first; each is read by itself, so that
/// one that cannot be does not keep the others.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn due(tx: &mut Tx<'_>, now: Instant, limit: u32) -> Result<Vec<ProfileVersionId>, StoreError> {
    let ids: Vec<String> = tx.run(|connection| {
        profile_versions::table
            .filter(profile_versions::state.eq(VersionState::Approved.as_str()))
            .filter(profile_versions::takes_effect_at.le(now.as_millis()))
            .order((profile_versions::takes_effect_at.asc(), profile_versions::id.asc()))
            .limit(i64::from(limit))
            .select(profile_versions::id)
            .load(connection)
    })?;
    ids.into_iter().map(|id| crate::column::read(id.clone(), "profile_versions", "id", &id)).collect()
}

/// The proof that a version was decided by those who decide it, whatever its state; `None` if there is no such version.
///
/// # Errors
/// [`StoreError::NotApproved`] if it was not.
pub fn approved(tx: &mut Tx<'_>, id: ProfileVersionId) -> Result<Option<Approved<Layer>>, StoreError> {
    let Some(row) = get(tx, &id)? else { return Ok(None) };
    proof(tx, &row).map(Some)
}

fn proof(tx: &mut Tx<'_>, row: &ProfileVersion) -> Result<Approved<Layer>, StoreError> {
    let approvals = profile_approvals::facts(tx, row.id)?;
    let facts = VersionFacts {
        id: row.id,
        layer: row.layer()?,
        content: content(tx, row.id)?,
        content_sha256: row.content_sha256,
        author: row.author_id,
    };
    Ok(Approved::<Layer>::check(&facts, &approvals)?)
}

/// What is in force at `now`, layer by layer: the published version, checked again, and the one before it while it is
/// rolled out. What a collège adds is not among them while it is suspended. Emergency bases are: prepared, and in force by
/// an order only ([`crate::emergency_orders::in_force`]).
///
/// # Errors
/// [`StoreError::NotApproved`] for a published version that those who decide it did not approve; nothing is written
/// for a tablet then.
pub fn in_force(tx: &mut Tx<'_>) -> Result<Vec<InForce>, StoreError> {
    each_in_force(tx)?.into_iter().map(|each| each.map_err(|unreadable| unreadable.error)).collect()
}

/// A published version that cannot be read, or that those who decide it did not approve.
#[derive(Debug)]
pub struct Unreadable {
    /// Its id, as it stands in its row.
    pub version: String,
    /// Its layer; `None` if not even that can be read.
    pub layer: Option<LayerKey>,
    /// What is wrong.
    pub error: StoreError,
}

/// As [`in_force`], each by itself: what cannot be read does not keep the others from tablets.
///
/// # Errors
/// Only what is about no row.
pub fn each_in_force(tx: &mut Tx<'_>) -> Result<Vec<Result<InForce, Unreadable>>, StoreError> {
    let suspended = layer_suspensions::standing(tx)?;
    let rows: Vec<Stored> = tx.run(|connection| {
        profile_versions::table
            .filter(profile_versions::state.eq(VersionState::Published.as_str()))
            .order((profile_versions::layer_kind.asc(), profile_versions::layer_name.asc()))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    })?;
    let mut found = Vec::new();
    for row in rows {
        let version = row.id.clone();
        let layer = LayerKey::from_columns(&row.layer_kind, &row.layer_name).ok();
        match row.read().and_then(|row| one_in_force(tx, &row, &suspended)) {
            Ok(None) => {}
            Ok(Some(one)) => found.push(Ok(one)),
            Err(error) if error.is_about_a_row() => found.push(Err(Unreadable { version, layer, error })),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn one_in_force(
    tx: &mut Tx<'_>,
    row: &ProfileVersion,
    suspended: &BTreeMap<ProfileVersionId, layer_suspensions::Suspension>,
) -> Result<Option<InForce>, StoreError> {
    if suspended.contains_key(&row.id) {
        return Ok(None);
    }
    let (layer, current) = (row.layer()?, proof(tx, row)?);
    let rollout = rollouts::of_version(tx, row.id)?.filter(|rollout| rollout.ended_at.is_none());
    let Some(rollout) = rollout else { return Ok(Some(InForce::everywhere(layer, current))) };
    let missing =
        || StoreError::Corrupt { table: "rollouts", row: rollout.id.to_string(), column: "previous_id" };
    let before = match rollout.previous_id {
        Some(before) => Some(approved(tx, before)?.ok_or_else(missing)?),
        None => None,
    };
    Ok(Some(InForce::rolling_out(layer, current, before, rollout.decided()?)))
}

/// The ids of every published version, and the kinds of their layers, in the order of their layers.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn ids_published(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, StoreError> {
    tx.run(|connection| {
        profile_versions::table
            .filter(profile_versions::state.eq(VersionState::Published.as_str()))
            .order((profile_versions::layer_kind.asc(), profile_versions::layer_name.asc()))
            .select((profile_versions::id, profile_versions::layer_kind))
            .load(connection)
    })
}

/// Whether a base is published: then something was decided for every tablet.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn a_base_stands(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    tx.run(|connection| {
        let bases = profile_versions::table
            .filter(profile_versions::state.eq(VersionState::Published.as_str()))
            .filter(profile_versions::layer_kind.eq(LayerKey::Base.kind()));
        diesel::select(diesel::dsl::exists(bases)).get_result(connection)
    })
}

/// What is in force for one tablet, of that collège: of each layer the version that it has now, if it has one. Emergency
/// bases are not among them, nor other collèges' additions. Which of the layers of users, modes and tablets are its own, others say.
///
/// # Errors
/// As [`in_force`].
pub fn in_force_for(
    tx: &mut Tx<'_>,
    tablet: TabletId,
    uai: Option<&Uai>,
) -> Result<Vec<(LayerKey, Approved<Layer>)>, StoreError> {
    let others = |layer: &LayerKey| match layer {
        LayerKey::Emergency(_) => true,
        LayerKey::College(of) => Some(of) != uai,
        _ => false,
    };
    let found = in_force(tx)?;
    let its_own = found.iter().filter(|it| !others(it.layer()));
    let has = |it: &InForce| Some((it.layer().clone(), it.for_tablet(tablet, uai)?.clone()));
    Ok(its_own.filter_map(has).collect())
}

crate::declared::declares! {
    profile_versions kept as Evidence {
        personal(AccountsAndAudit: Acts) { author_id, scheduled_by, ended_by }
        personal(AccountsAndAudit: Reasons) { ended_reason }
        not_personal("what all tablets of a layer are told, and since when") {
            id, layer_kind, layer_name, uai, number, state, title, content_sealed, content_sha256, based_on, created_at,
            edited_at, submitted_at, takes_effect_at, rollout_plan, published_at, superseded_at, ended_at,
        }
    }
}
