//! Enrolments: one from an invitation to its end. What is secret in one is sealed and read apart.

mod together;

use std::collections::HashMap;

use diesel::sql_types::Untyped;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{
    EnrolmentEndId, EnrolmentId, EnrolmentKind, Instant, LinkId, Platform, Secret, SegmentId, SerialNumber,
    Supervision, TabletId, TakeoverId, Uai, Udid,
};

use crate::certificates::{self, Certificate, CertificateState};
use crate::column::{read, stored_enum};
use crate::connection::AnyConnection;
use crate::noun::{by_key, find_first, hold_first, noun, read_all};
use crate::prepared::{Prepared, Value};
use crate::push_states::{self, PushState};
use crate::schema::{certificates as certificates_table, enrolments, presence, tablets};
use crate::vitals::{self, About};
use crate::within::of_tablets_within;
use crate::{Digest, RowName, StoreError, Tx, VaultError, Within};

pub use together::{
    NewToken, authenticated, hold_by_certificates, hold_live_of_tablets, hold_udids, live_by_udids,
    live_of_tablets, tokens_updated,
};

stored_enum! {
    /// How far an enrolment has come.
    EnrolmentState {
        /// A profile was given out; no tablet has used it yet.
        Invited = "invited",
        /// The tablet said Authenticate; it is not to be pushed before its TokenUpdate.
        Authenticated = "authenticated",
        /// The tablet is managed.
        Active = "active",
        /// We ended it on purpose, or the tablet checked out.
        Ended = "ended",
        /// The same tablet enrolled again.
        Superseded = "superseded",
        /// The invitation was not used in time.
        Lapsed = "lapsed",
    }
}

noun! {
    /// One enrolment of a tablet, without its secrets.
    pub struct Enrolment in enrolments keyed by id {
        /// Its id, which its certificates carry.
        id: EnrolmentId,
        /// The tablet; not known before Authenticate when a batch link invited it.
        tablet_id: Option<TabletId>,
        /// What the tablet runs.
        platform: Platform,
        /// How far it has come. At most one a tablet is authenticated or active.
        state: EnrolmentState,
        /// How it came about.
        kind: EnrolmentKind,
        /// Whether the tablet is supervised, as it said.
        supervision: Supervision,
        /// Apple's identifier of the device.
        udid: Option<Udid>,
        /// The serial number the tablet gave.
        serial: Option<SerialNumber>,
        /// The push topic it enrolled with.
        topic: Option<String>,
        /// Whether Setup Assistant waits for DeviceConfigured.
        awaiting_configuration: bool,
        /// The version of iPadOS.
        os_version: Option<String>,
        /// The build of iPadOS.
        build_version: Option<String>,
        /// The product name, such as `iPad13,18`.
        product_name: Option<String>,
        /// Apple's AccessRights bits the profile was given out with.
        access_rights: Option<i32>,
        /// The link that invited it.
        link_id: Option<LinkId>,
        /// The permission by which it was taken over.
        takeover_id: Option<TakeoverId>,
        /// The set of layers it shares with others.
        segment_id: Option<SegmentId>,
        /// The token of its segment for which everything was delivered.
        reported_token: Option<String>,
        /// The recorded end it rests on, when we ended it.
        end_id: Option<EnrolmentEndId>,
        /// When it was invited.
        created_at: Instant,
        /// When the tablet said Authenticate.
        authenticated_at: Option<Instant>,
        /// When the tablet last said TokenUpdate.
        token_updated_at: Option<Instant>,
        /// When it ended, was superseded or lapsed.
        ended_at: Option<Instant>,
    }
}

by_key!(enrolments, Enrolment, id: EnrolmentId; get, update);

/// The states of which a tablet has at most one enrolment.
const LIVE: [&str; 2] = [EnrolmentState::Authenticated.as_str(), EnrolmentState::Active.as_str()];

/// What is secret in an enrolment.
#[derive(Debug, Clone, Default)]
pub struct EnrolmentSecrets {
    /// Apple's push token.
    pub push_token: Option<Secret<Vec<u8>>>,
    /// What a push must carry.
    pub push_magic: Option<Secret<Vec<u8>>>,
    /// What clears the access code.
    pub unlock_token: Option<Secret<Vec<u8>>>,
    /// The bootstrap token.
    pub bootstrap_token: Option<Secret<Vec<u8>>>,
}

/// Adds an enrolment, with its row of presence and its push state.
///
/// # Errors
/// [`StoreError::Duplicate`] if the tablet has a live enrolment and this one would be another.
pub fn insert(tx: &mut Tx<'_>, enrolment: &Enrolment) -> Result<(), StoreError> {
    let stored = Stored::of(enrolment);
    let (id, created_at) = (enrolment.id.to_string(), enrolment.created_at.as_millis());
    tx.run(|connection| {
        diesel::insert_into(enrolments::table).values(stored).execute(connection)?;
        diesel::insert_into(presence::table)
            .values((presence::enrolment_id.eq(id), presence::last_seen_at.eq(created_at)))
            .execute(connection)
    })?;
    push_states::insert(tx, &PushState::new(enrolment.id))
}

/// The certificate with that hash and the enrolment it is bound to.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn by_certificate(
    tx: &mut Tx<'_>,
    sha256: &Digest,
) -> Result<Option<(Certificate, Enrolment)>, StoreError> {
    let Some(certificate) = certificates::get(tx, sha256)? else {
        return Ok(None);
    };
    let enrolment = get(tx, &certificate.enrolment_id)?;
    Ok(enrolment.map(|enrolment| (certificate, enrolment)))
}

/// As [`by_certificate`], and holds the enrolment until the end of the transaction: whoever else holds it, or changes
/// it, waits.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold_by_certificate(
    tx: &mut Tx<'_>,
    sha256: &Digest,
) -> Result<Option<(Certificate, Enrolment)>, StoreError> {
    vitals::about(About::Certificates(*sha256, 0));
    // A certificate is never bound again, so that its enrolment can be found before it is held; what else is known of
    // both is read afterwards.
    let owner = certificates_table::table
        .find(sha256.to_string())
        .select(certificates_table::enrolment_id)
        .single_value();
    let enrolment = hold_first!(tx, enrolments, enrolments::id.nullable().eq(owner))?;
    let certificate = certificates::get(tx, sha256)?;
    Ok(certificate.zip(enrolment))
}

/// As [`get`], and holds the enrolment until the end of the transaction.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold(tx: &mut Tx<'_>, id: EnrolmentId) -> Result<Option<Enrolment>, StoreError> {
    vitals::about(About::Enrolment(id));
    hold_first!(tx, enrolments, enrolments::id.eq(id.to_string()))
}

/// As [`live_of_tablet`], and holds the enrolment until the end of the transaction.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold_live_of_tablet(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<Enrolment>, StoreError> {
    let is_live = enrolments::tablet_id.eq(tablet.to_string()).and(enrolments::state.eq_any(LIVE));
    let enrolment = hold_first!(tx, enrolments, is_live)?;
    if let Some(enrolment) = &enrolment {
        vitals::about(About::Enrolment(enrolment.id));
    }
    Ok(enrolment)
}

/// The tablet's enrolment that is authenticated or active.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn live_of_tablet(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<Enrolment>, StoreError> {
    find_first!(
        tx,
        enrolments::table.filter(enrolments::tablet_id.eq(tablet.to_string())).filter(
            enrolments::state
                .eq(EnrolmentState::Authenticated.as_str())
                .or(enrolments::state.eq(EnrolmentState::Active.as_str())),
        )
    )
}

/// Lets nobody else enrol under that UDID until the end of the transaction: what [`live_by_udid`] says then stays
/// true. There is no row to hold when none is enrolled.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn hold_udid(tx: &mut Tx<'_>, udid: &Udid) -> Result<(), StoreError> {
    tx.run(|connection| match connection {
        AnyConnection::Postgresql(connection) => {
            Prepared::<Untyped>::new(HOLD_UDID, vec![udid.as_str().into()]).execute(connection).map(drop)
        }
        // Its only writer holds everything.
        AnyConnection::Sqlite(_) => Ok(()),
    })
}

/// One number is ours for UDIDs; two UDIDs of one hash wait for each other, and no more.
const HOLD_UDID: &str = "SELECT pg_advisory_xact_lock(8103, hashtext(?))";

/// The enrolment that is authenticated or active under that UDID, whatever its tablet (T-A1).
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn live_by_udid(tx: &mut Tx<'_>, udid: &Udid) -> Result<Option<Enrolment>, StoreError> {
    find_first!(
        tx,
        enrolments::table.filter(enrolments::udid.eq(udid.as_str())).filter(
            enrolments::state
                .eq(EnrolmentState::Authenticated.as_str())
                .or(enrolments::state.eq(EnrolmentState::Active.as_str())),
        )
    )
}

/// Every enrolment of a tablet, oldest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_tablet(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Vec<Enrolment>, StoreError> {
    read_all!(tx.run(|connection| {
        enrolments::table
            .filter(enrolments::tablet_id.eq(tablet.to_string()))
            .order(enrolments::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// At most `limit` enrolments in the order of their ids, from the first one after `after`; of one state only,
/// if one is given.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    state: Option<EnrolmentState>,
    after: Option<EnrolmentId>,
    limit: u32,
) -> Result<Vec<Enrolment>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        let mut query = enrolments::table
            .filter(enrolments::id.gt(after))
            .order(enrolments::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        if let Some(state) = state {
            query = query.filter(enrolments::state.eq(state.as_str()));
        }
        query.load::<Stored>(connection)
    }))
}

/// Lets at most `limit` of the invitations lapse that were made before `before` and that no tablet has used; what
/// certificates they got prove nothing from now on. Returns how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn lapse(tx: &mut Tx<'_>, before: Instant, now: Instant, limit: u32) -> Result<usize, StoreError> {
    tx.run(|connection| {
        let unused: Vec<String> = enrolments::table
            .filter(enrolments::state.eq(EnrolmentState::Invited.as_str()))
            .filter(enrolments::created_at.lt(before.as_millis()))
            .order(enrolments::id.asc())
            .limit(i64::from(limit))
            .select(enrolments::id)
            .load(connection)?;
        diesel::update(certificates_table::table.filter(certificates_table::enrolment_id.eq_any(&unused)))
            .set(certificates_table::state.eq(CertificateState::Superseded.as_str()))
            .execute(connection)?;
        diesel::update(enrolments::table.filter(enrolments::id.eq_any(&unused)))
            .set((
                enrolments::state.eq(EnrolmentState::Lapsed.as_str()),
                enrolments::ended_at.eq(now.as_millis()),
            ))
            .execute(connection)
    })
}

/// How many enrolments in force have another push topic than `topic`: what a push certificate of that topic
/// would lose (T-B1). A tablet that has said Authenticate keeps its topic for good.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn count_other_topics(tx: &mut Tx<'_>, topic: &str) -> Result<u64, StoreError> {
    let count: i64 = tx.run(|connection| {
        enrolments::table
            .filter(
                enrolments::state
                    .eq(EnrolmentState::Authenticated.as_str())
                    .or(enrolments::state.eq(EnrolmentState::Active.as_str())),
            )
            .filter(enrolments::topic.ne(topic))
            .count()
            .get_result(connection)
    })?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// How many enrolments stand in that state.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn count(tx: &mut Tx<'_>, state: EnrolmentState, within: &Within) -> Result<u64, StoreError> {
    let count: i64 = tx.run(|connection| {
        let query = enrolments::table
            .filter(enrolments::state.eq(state.as_str()))
            .select(diesel::dsl::count_star())
            .into_boxed();
        of_tablets_within!(query, within, enrolments::tablet_id).get_result(connection)
    })?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Every managed tablet and its collège, in the order of their ids.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn managed_tablets(tx: &mut Tx<'_>) -> Result<Vec<(TabletId, Option<Uai>)>, StoreError> {
    let found: Vec<(String, Option<String>)> = tx.run(|connection| {
        enrolments::table
            .inner_join(tablets::table.on(enrolments::tablet_id.eq(tablets::id.nullable())))
            .filter(enrolments::state.eq(EnrolmentState::Active.as_str()))
            .order(tablets::id.asc())
            .select((tablets::id, tablets::uai))
            .load(connection)
    })?;
    let mut managed = Vec::with_capacity(found.len());
    for (id, uai) in found {
        let uai = crate::column::read(uai, "tablets", "uai", &id)?;
        managed.push((crate::column::read(id.clone(), "tablets", "id", &id)?, uai));
    }
    Ok(managed)
}

/// Opens an enrolment's secrets.
///
/// # Errors
/// [`StoreError::Sealed`] if one does not open.
pub fn secrets(tx: &mut Tx<'_>, id: EnrolmentId) -> Result<EnrolmentSecrets, StoreError> {
    type Sealed = (Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>);
    let sealed: Option<Sealed> = tx.run(|connection| {
        enrolments::table
            .find(id.to_string())
            .select((
                enrolments::push_token_sealed,
                enrolments::push_magic_sealed,
                enrolments::unlock_token_sealed,
                enrolments::bootstrap_token_sealed,
            ))
            .first(connection)
            .optional()
    })?;
    let (push_token, push_magic, unlock_token, bootstrap_token) = sealed.unwrap_or_default();
    let open = |sealed: Option<Vec<u8>>, column| {
        sealed.map(|sealed| tx.vault().open(&sealed, &RowName::new("enrolments", column, &id))).transpose()
    };
    Ok(EnrolmentSecrets {
        push_token: open(push_token, "push_token_sealed")?,
        push_magic: open(push_magic, "push_magic_sealed")?,
        unlock_token: open(unlock_token, "unlock_token_sealed")?,
        bootstrap_token: open(bootstrap_token, "bootstrap_token_sealed")?,
    })
}

/// What is needed to push a tablet.
#[derive(Debug, Clone)]
pub struct PushAddress {
    /// Whose tablet.
    pub enrolment: EnrolmentId,
    /// Apple's token of the tablet.
    pub token: Secret<Vec<u8>>,
    /// The word that makes a push ours.
    pub magic: Secret<Vec<u8>>,
    /// Whether Setup Assistant waits for us.
    pub awaiting_configuration: bool,
    /// When the tablet last sent its token.
    pub token_updated_at: Option<Instant>,
}

/// A tablet that can be pushed, or one whose secrets do not open.
pub type Opened = Result<PushAddress, (EnrolmentId, VaultError)>;

/// What is needed to push each of these, in one statement, or none for nobody. One that has sent no token is absent; one whose secrets do
/// not open is an error of its own.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn push_addresses(tx: &mut Tx<'_>, of: &[EnrolmentId]) -> Result<Vec<Opened>, StoreError> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = of.iter().map(ToString::to_string).collect();
    type Row = (String, (Option<Vec<u8>>, Option<Vec<u8>>), bool, Option<i64>);
    let sealed: Vec<Row> = tx.run(|connection| {
        enrolments::table
            .filter(enrolments::id.eq_any(ids))
            .select((
                enrolments::id,
                (enrolments::push_token_sealed, enrolments::push_magic_sealed),
                enrolments::awaiting_configuration,
                enrolments::token_updated_at,
            ))
            .load(connection)
    })?;
    let mut addresses = Vec::with_capacity(sealed.len());
    for (id, secrets, awaiting_configuration, token_updated_at) in sealed {
        let (Some(token), Some(magic)) = secrets else { continue };
        let token_updated_at = token_updated_at.map(Instant::from_millis);
        let enrolment: EnrolmentId = read(id.clone(), "enrolments", "id", &id)?;
        let open =
            |sealed: &[u8], column| tx.vault().open(sealed, &RowName::new("enrolments", column, &enrolment));
        let opened = open(&token, "push_token_sealed").and_then(|token| {
            let magic = open(&magic, "push_magic_sealed")?;
            Ok(PushAddress { enrolment, token, magic, awaiting_configuration, token_updated_at })
        });
        addresses.push(opened.map_err(|error| (enrolment, error)));
    }
    Ok(addresses)
}

/// When each of these last sent its push token, in one statement.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn token_times(
    tx: &mut Tx<'_>,
    of: &[EnrolmentId],
) -> Result<HashMap<EnrolmentId, Option<Instant>>, StoreError> {
    let ids: Vec<String> = of.iter().map(ToString::to_string).collect();
    let rows: Vec<(String, Option<i64>)> = tx.run(|connection| {
        enrolments::table
            .filter(enrolments::id.eq_any(ids))
            .select((enrolments::id, enrolments::token_updated_at))
            .load(connection)
    })?;
    rows.into_iter()
        .map(|(id, at)| Ok((read(id.clone(), "enrolments", "id", &id)?, at.map(Instant::from_millis))))
        .collect()
}

/// Seals and stores the secrets that are given; an absent one keeps what is stored (a TokenUpdate without
/// UnlockToken keeps the old one). `false` if there is no such enrolment.
///
/// # Errors
/// [`StoreError::Sealed`] and the like.
pub fn set_secrets(tx: &mut Tx<'_>, id: EnrolmentId, secrets: &EnrolmentSecrets) -> Result<bool, StoreError> {
    let mut values = Vec::from(sealed(tx, id, secrets)?);
    values.push(id.to_string().into());
    let changed = tx.run(|connection| Prepared::<Untyped>::new(SEALED, values).execute(connection))?;
    Ok(changed > 0)
}

/// What is not told leaves what is.
const SEALED: &str = "UPDATE enrolments SET push_token_sealed = coalesce(?, push_token_sealed), \
    push_magic_sealed = coalesce(?, push_magic_sealed), unlock_token_sealed = coalesce(?, unlock_token_sealed), \
    bootstrap_token_sealed = coalesce(?, bootstrap_token_sealed) WHERE id = ?";

/// The secrets, sealed: push token, push magic, unlock token, bootstrap token.
fn sealed(
    tx: &Tx<'_>,
    id: EnrolmentId,
    secrets: &EnrolmentSecrets,
) -> Result<[Value<'static>; 4], StoreError> {
    let seal = |secret: &Option<Secret<Vec<u8>>>, column| {
        secret
            .as_ref()
            .map(|secret| tx.vault().seal(secret.expose(), &RowName::new("enrolments", column, &id)))
            .transpose()
            .map(Value::from)
    };
    Ok([
        seal(&secrets.push_token, "push_token_sealed")?,
        seal(&secrets.push_magic, "push_magic_sealed")?,
        seal(&secrets.unlock_token, "unlock_token_sealed")?,
        seal(&secrets.bootstrap_token, "bootstrap_token_sealed")?,
    ])
}

/// Forgets the bootstrap token: the tablet sent an empty one.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn forget_bootstrap_token(tx: &mut Tx<'_>, id: EnrolmentId) -> Result<(), StoreError> {
    tx.run(|connection| {
        diesel::update(enrolments::table.find(id.to_string()))
            .set(enrolments::bootstrap_token_sealed.eq(None::<Vec<u8>>))
            .execute(connection)
    })?;
    Ok(())
}

/// Forgets every secret of an enrolment that has ended: none of them can be read afterwards (T-A5).
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn forget_secrets(tx: &mut Tx<'_>, id: EnrolmentId) -> Result<(), StoreError> {
    let none = None::<Vec<u8>>;
    tx.run(|connection| {
        diesel::update(enrolments::table.find(id.to_string()))
            .set((
                enrolments::push_token_sealed.eq(&none),
                enrolments::push_magic_sealed.eq(&none),
                enrolments::unlock_token_sealed.eq(&none),
                enrolments::bootstrap_token_sealed.eq(&none),
            ))
            .execute(connection)
    })?;
    Ok(())
}

crate::declared::declares! {
    enrolments kept as Equipment {
        personal(DeviceManagement: DeviceIdentifiers) { udid, serial }
        personal(DeviceManagement: DeviceSecrets) {
            push_token_sealed, push_magic_sealed, unlock_token_sealed, bootstrap_token_sealed,
        }
        personal(DeviceManagement: DeviceState) {
            supervision, os_version, build_version, product_name, reported_token,
        }
        personal(DeviceManagement: ContactTimes) { authenticated_at, token_updated_at, ended_at }
        not_personal("how the enrolment came about and how far it has come") {
            id, tablet_id, platform, state, kind, topic, awaiting_configuration, access_rights, link_id,
            takeover_id, segment_id, end_id, created_at, kept_versions,
        }
    }
}
