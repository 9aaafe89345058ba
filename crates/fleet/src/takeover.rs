//! Tablets of another server that may move here: an audited import, off unless the settings open it (T-A6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use governance::Permission;
use pki::{AuthorityKind as Vouches, TrustedAuthorities};
use serde_json::json;
use store::authorities::{self, Authority, AuthorityKind, AuthorityState};
use store::takeovers::{self, Takeover};
use store::{Digest, Tx, audit as log, tablets};
use types::{AuthorityId, Duration, Instant, TabletId, TakeoverId};

use crate::audit::{self, Change};
use crate::csv_import::BadLine;
use crate::page::{Listed, Page};
use crate::takeover_import::{self, TakeoverLine};
use crate::{Fleet, Principal, Refusal, TakeoverPolicy};

/// The longest that a tablet may take to move.
pub const LONGEST_WINDOW: Duration = Duration::from_secs(90 * 86_400);
/// What the audit log calls the import of one tablet.
const IMPORTED: &str = "takeover.import";
/// Entries of the audit log that are looked through for one part of the list.
const LOOKED_THROUGH: usize = 5_000;
/// Entries in one read.
const BATCH: u32 = 500;

/// What another server hands over.
#[derive(Debug, Clone)]
pub struct Handover {
    /// The certificate of the authority that issued its tablets' certificates, PEM or DER.
    pub authority: Vec<u8>,
    /// Its tablets: JSON lines or CSV.
    pub tablets: String,
    /// How long each tablet may take to move.
    pub window: Duration,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Tablets that may move now.
    pub tablets: u64,
    /// Whether the authority was not known before.
    pub new_authority: bool,
}

/// Lets the tablets of another server move here, each within its own window.
///
/// # Errors
/// [`Refusal::Conflict`] when the settings do not open it; [`Refusal::BadInventory`] names every bad line: a
/// serial that the inventory lacks (C3.3.4), a certificate that was imported before. Nothing is half done.
pub async fn import(
    fleet: &Fleet,
    principal: &Principal,
    handover: Handover,
    now: Instant,
) -> Result<Imported, Refusal> {
    if fleet.settings().takeover == TakeoverPolicy::Closed {
        return Err(Refusal::Conflict(
            "no tablets are taken over here; set `takeover.enabled = true` in the configuration for as long as it takes".into(),
        ));
    }
    let Handover { authority, tablets, window } = handover;
    if window.is_zero() || window > LONGEST_WINDOW {
        return Err(Refusal::invalid("window_days", "a window lasts from one day to 90"));
    }
    let fingerprint = TrustedAuthorities::none()
        .add(Vouches::TakenOver, &authority)
        .map_err(|error| Refusal::invalid("authority", error))?;
    let authority = der(&authority)?;
    let lines = takeover_import::read(&tablets).map_err(Refusal::BadInventory)?;
    let principal = principal.clone();
    let imported = fleet
        .store()
        .write(move |tx| {
            principal.may_everywhere(tx, Permission::TakeOver, now)?;
            let fingerprint = Digest::from(*fingerprint.as_bytes());
            let new_authority = trust(tx, &authority, fingerprint, now)?;
            let ids = admitted(tx, &lines)?;
            for (line, tablet) in lines.iter().zip(ids) {
                let row = row(line, fingerprint, &principal, now, window);
                takeovers::insert(tx, &row, &line.push_token, &line.push_magic, line.unlock_token.as_ref())?;
                let detail = json!({
                    "takeover": row.id,
                    "certificate_sha256": row.certificate_sha256.to_string(),
                    "authority_sha256": fingerprint.to_string(),
                    "window_ends_at": row.window_ends_at,
                });
                audit::record(
                    tx,
                    &principal,
                    Change::new(IMPORTED).tablet(Some(tablet)).detail(detail),
                    now,
                )?;
            }
            let tablets = u64::try_from(lines.len()).unwrap_or(u64::MAX);
            Ok::<_, Refusal>(Imported { tablets, new_authority })
        })
        .await?;
    fleet.reload_authorities().await?;
    Ok(imported)
}

/// The tablets that may move, or have moved, in the order of their import. A part may hold less than was asked
/// and still have a next one.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<i64>,
    now: Instant,
) -> Result<Listed<Takeover>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            principal.may_everywhere(tx, Permission::ViewTablets, now)?;
            imported(tx, &page)
        })
        .await
}

/// The log of imports is the list of them: each tablet has one entry.
fn imported(tx: &mut Tx<'_>, page: &Page<i64>) -> Result<Listed<Takeover>, Refusal> {
    let wanted = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let mut after = page.after.unwrap_or(0);
    let (mut items, mut looked_through) = (Vec::new(), 0);
    loop {
        let entries = log::list(tx, &log::Filter::default(), Some(after), BATCH)?;
        if entries.is_empty() {
            return Ok(Listed { items, next: None });
        }
        for entry in entries {
            if items.len() == wanted || looked_through == LOOKED_THROUGH {
                return Ok(Listed { items, next: Some(after.to_string()) });
            }
            looked_through += 1;
            after = entry.seq;
            let id =
                entry.detail.as_ref().and_then(|detail| detail.get("takeover")).and_then(|id| id.as_str());
            if let (IMPORTED, Some(Ok(id))) = (entry.action.as_str(), id.map(str::parse::<TakeoverId>)) {
                items.extend(takeovers::get(tx, &id)?);
            }
        }
    }
}

/// The tablets of these lines, or every line that cannot be imported.
fn admitted(tx: &mut Tx<'_>, lines: &[TakeoverLine]) -> Result<Vec<TabletId>, Refusal> {
    let (mut ids, mut mistakes) = (Vec::new(), Vec::new());
    for line in lines {
        let mut bad = |problem: String| mistakes.push(BadLine { line: line.line, problem });
        match tablets::by_serial(tx, &line.serial)? {
            Some(tablet) => ids.push(tablet.id),
            None => {
                bad(format!("serial `{}` is not in the inventory; import the inventory first", line.serial))
            }
        }
        if takeovers::is_known(tx, &Digest::from(*line.certificate.as_bytes()))? {
            bad(format!("the certificate of `{}` was imported before", line.serial));
        }
    }
    if mistakes.is_empty() { Ok(ids) } else { Err(Refusal::BadInventory(mistakes)) }
}

/// Trusts the other server's authority; `false` if it was trusted before.
fn trust(tx: &mut Tx<'_>, certificate: &[u8], fingerprint: Digest, now: Instant) -> Result<bool, Refusal> {
    if authorities::trusted(tx)?.iter().any(|known| known.fingerprint == fingerprint) {
        return Ok(false);
    }
    let authority = Authority {
        id: AuthorityId::new(now),
        kind: AuthorityKind::Further,
        state: AuthorityState::Current,
        certificate: certificate.to_vec(),
        fingerprint,
        created_at: now,
    };
    authorities::insert(tx, &authority, None)?;
    Ok(true)
}

fn row(
    line: &TakeoverLine,
    authority: Digest,
    principal: &Principal,
    now: Instant,
    window: Duration,
) -> Takeover {
    Takeover {
        id: TakeoverId::new(now),
        udid: line.udid.clone(),
        serial: line.serial.clone(),
        topic: line.topic.clone(),
        certificate_sha256: Digest::from(*line.certificate.as_bytes()),
        authority_fingerprint: authority,
        imported_at: now,
        imported_by: principal.actor().to_string(),
        window_ends_at: now.plus(window),
        used_at: None,
        enrolment_id: None,
    }
}

/// The DER of a file that holds one certificate, which `pki` has just read as such.
fn der(file: &[u8]) -> Result<Vec<u8>, Refusal> {
    if file.first() == Some(&0x30) {
        return Ok(file.to_vec());
    }
    let unreadable = || Refusal::invalid("authority", "must be one certificate, PEM or DER");
    let text = std::str::from_utf8(file).map_err(|_not_text| unreadable())?;
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----").ok_or_else(unreadable)?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----").ok_or_else(unreadable)?;
    let packed: String = body.chars().filter(|character| !character.is_whitespace()).collect();
    STANDARD.decode(packed).map_err(|_not_base64| unreadable())
}
