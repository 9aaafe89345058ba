//! Tablets that were never enrolled through the doors: a fleet whose size matters, whose tablets never come, or come as
//! if they had long been there.

use lending::PersonName;
use store::authorities::{self, Authority, AuthorityKind, AuthorityState};
use store::certificates::{self, Certificate, CertificateState};
use store::enrolments::{self, Enrolment, EnrolmentSecrets, EnrolmentState};
use store::loans::{self, Loan, Standing};
use store::school_years::{self, SchoolYear};
use store::tablets::{self, Tablet};
use store::{Store, StoreError, Tx};
use types::{
    AccountId, AuthorityId, Day, Digest, Duration, EnrolmentId, EnrolmentKind, Instant, LoanId, PersonId,
    Platform, Secret, SerialNumber, Supervision, TabletId, Uai, UserKind,
};

use crate::lent;

/// How long the certificates last of tablets at work.
const YEAR: Duration = Duration::from_secs(365 * 86_400);
/// Rows in one transaction.
const BATCH: usize = 500;

/// Puts enrolled iPads in the database, in the collèges by turns. What system they have, nobody knows.
///
/// # Errors
/// [`StoreError`].
pub async fn enrolled(
    store: &Store,
    serials: &[SerialNumber],
    colleges: &[Uai],
    now: Instant,
) -> Result<(), StoreError> {
    enrolled_with(store, serials, colleges, &[], now).await
}

/// The same, with these systems by turns: all tablets of a collège have one, then the next.
///
/// # Errors
/// [`StoreError`].
pub async fn enrolled_with(
    store: &Store,
    serials: &[SerialNumber],
    colleges: &[Uai],
    systems: &[&str],
    now: Instant,
) -> Result<(), StoreError> {
    let mut turns = colleges.iter().cycle().cloned();
    let round = colleges.len().max(1);
    let mut systems = systems.iter().flat_map(|system| std::iter::repeat_n(*system, round)).cycle();
    for batch in serials.chunks(BATCH) {
        let rows: Vec<(Tablet, Enrolment)> = batch
            .iter()
            .map(|serial| {
                let (tablet, enrolment) = row(serial, turns.next(), now);
                (tablet, Enrolment { os_version: systems.next().map(str::to_owned), ..enrolment })
            })
            .collect();
        store
            .write(move |tx| {
                for (tablet, enrolment) in &rows {
                    tablets::insert(tx, tablet)?;
                    enrolments::insert(tx, enrolment)?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
    }
    Ok(())
}

fn row(serial: &SerialNumber, uai: Option<Uai>, now: Instant) -> (Tablet, Enrolment) {
    let tablet = Tablet {
        id: TabletId::new(now),
        serial: serial.clone(),
        asset_tag: None,
        model: Some("iPad (10e génération)".to_owned()),
        platform: Platform::Ipad,
        uai,
        created_at: now,
        updated_at: now,
    };
    let enrolment = Enrolment {
        id: EnrolmentId::new(now),
        tablet_id: Some(tablet.id),
        platform: Platform::Ipad,
        state: EnrolmentState::Active,
        kind: EnrolmentKind::Automated,
        supervision: Supervision::Supervised,
        udid: None,
        serial: Some(serial.clone()),
        topic: None,
        awaiting_configuration: false,
        os_version: None,
        build_version: None,
        product_name: None,
        access_rights: None,
        link_id: None,
        takeover_id: None,
        segment_id: None,
        reported_token: None,
        end_id: None,
        created_at: now,
        authenticated_at: Some(now),
        token_updated_at: Some(now),
        ended_at: None,
    };
    (tablet, enrolment)
}

/// A tablet that enrolled long ago, by what it has of it.
#[derive(Debug, Clone)]
pub struct AtWork {
    /// Its serial number.
    pub serial: SerialNumber,
    /// Apple's identifier of the device.
    pub udid: String,
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
    /// Apple's token of it.
    pub push_token: Vec<u8>,
    /// The word that makes a push ours.
    pub push_magic: String,
}

/// Puts tablets in the database that enrolled long ago, and whose certificates `authority` (DER) issued: they are served
/// as soon as the authorities are loaded again.
///
/// # Errors
/// [`StoreError`].
pub async fn at_work(
    store: &Store,
    authority: &[u8],
    topic: &str,
    tablets_at_work: &[AtWork],
    colleges: &[Uai],
    now: Instant,
) -> Result<(), StoreError> {
    let fingerprint = digest(authority);
    let row_of_authority = Authority {
        id: AuthorityId::new(now),
        kind: AuthorityKind::Further,
        state: AuthorityState::Current,
        certificate: authority.to_vec(),
        fingerprint,
        created_at: now,
    };
    store.write(move |tx| authorities::insert(tx, &row_of_authority, None)).await?;
    let mut turns = colleges.iter().cycle().cloned();
    for batch in tablets_at_work.chunks(BATCH) {
        let rows: Vec<_> = batch
            .iter()
            .map(|one| {
                let (tablet, enrolment) = row(&one.serial, turns.next(), now);
                let enrolment =
                    Enrolment { udid: one.udid.parse().ok(), topic: Some(topic.to_owned()), ..enrolment };
                let certificate = Certificate {
                    sha256: digest(&one.certificate),
                    enrolment_id: enrolment.id,
                    authority_fingerprint: fingerprint,
                    serial_number: String::new(),
                    state: CertificateState::Confirmed,
                    issued_at: now,
                    not_after: now.plus(YEAR),
                    first_used_at: Some(now),
                    renewed_from: None,
                };
                let secrets = EnrolmentSecrets {
                    push_token: Some(Secret::new(one.push_token.clone())),
                    push_magic: Some(Secret::new(one.push_magic.clone().into_bytes())),
                    unlock_token: None,
                    bootstrap_token: None,
                };
                (tablet, enrolment, certificate, secrets)
            })
            .collect();
        store
            .write(move |tx| {
                for (tablet, enrolment, certificate, secrets) in &rows {
                    tablets::insert(tx, tablet)?;
                    enrolments::insert(tx, enrolment)?;
                    enrolments::set_secrets(tx, enrolment.id, secrets)?;
                    certificates::insert(tx, certificate)?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
    }
    Ok(())
}

/// Lends tablets of the inventory, one to each of as many pupils of a collège, as use cases would have left it. Their
/// numbers, in the order of the serial numbers.
///
/// # Errors
/// [`StoreError`], if one is not in the inventory or is lent.
pub async fn lent(
    store: &Store,
    serials: &[SerialNumber],
    college: &Uai,
    now: Instant,
) -> Result<Vec<LoanId>, StoreError> {
    let mut ids = Vec::with_capacity(serials.len());
    let signers = lent::signers(store, college, now).await?;
    for batch in serials.chunks(BATCH) {
        let (batch, college) = (batch.to_vec(), college.clone());
        let lent = store
            .write(move |tx| {
                let year = school_year(tx, now)?;
                let missing = |_invalid| StoreError::Corrupt {
                    table: "persons",
                    row: college.to_string(),
                    column: "name_sealed",
                };
                let name: PersonName = "Zoé Exemple".parse().map_err(missing)?;
                let people: Vec<_> =
                    batch.iter().map(|_serial| (PersonId::new(now), lent::pupil(name.clone()))).collect();
                lent::put_on_list(tx, signers, &college, &year, &people, now)?;
                batch
                    .iter()
                    .zip(&people)
                    .map(|(serial, (person, _entry))| lend(tx, serial, *person, &college, &year, now))
                    .collect::<Result<Vec<_>, _>>()
            })
            .await?;
        ids.extend(lent);
    }
    Ok(ids)
}

/// The label of the school year of a day, dated if it was not.
fn school_year(tx: &mut Tx<'_>, now: Instant) -> Result<String, StoreError> {
    let today = Day::of(now);
    if let Some(year) = school_years::on(tx, today)? {
        return Ok(year.label);
    }
    let text = today.to_string();
    let (year, rest) = text.split_once('-').unwrap_or((&text, ""));
    let year: i32 = year.parse().unwrap_or(2026);
    let first = if rest >= "09" { year } else { year - 1 };
    let day = |text: String| text.parse::<Day>().unwrap_or(today);
    let dated = SchoolYear {
        label: format!("{first}-{}", first + 1),
        starts_on: day(format!("{first}-09-01")),
        ends_on: day(format!("{}-08-31", first + 1)),
        summer_starts_on: day(format!("{}-07-04", first + 1)),
        summer_ends_on: day(format!("{}-08-31", first + 1)),
    };
    school_years::insert(tx, &dated)?;
    Ok(dated.label)
}

fn lend(
    tx: &mut Tx<'_>,
    serial: &SerialNumber,
    person_id: PersonId,
    college: &Uai,
    school_year: &str,
    now: Instant,
) -> Result<LoanId, StoreError> {
    let missing = |column| StoreError::Corrupt { table: "tablets", row: serial.to_string(), column };
    let tablet = tablets::by_serial(tx, serial)?.ok_or_else(|| missing("serial"))?;
    let loan = Loan {
        id: LoanId::new(now),
        tablet_id: tablet.id,
        person_id,
        holder_kind: UserKind::Pupil,
        uai: college.clone(),
        school_year: school_year.to_owned(),
        state: Standing::Lent,
        suspension: None,
        began_at: now,
        changed_at: now,
        ended_because: None,
        ended_on: None,
        ended_reference: None,
        handed_over_by: AccountId::new(now),
        accessories: ["charger".to_owned()].into(),
        condition: "neuf".parse().map_err(|_invalid| missing("condition"))?,
        reserve: std::collections::BTreeSet::new(),
        reserve_signed_by: None,
        deposited_since: None,
    };
    loans::insert(tx, &loan)?;
    Ok(loan.id)
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::from(openssl::sha::sha256(bytes))
}
