//! The certificate of a door, from files or issued by our own authority.
//!
//! The oldest authority of ours issues: tablets that enrolled before a rotation trust that one, and tablets
//! that enrol afterwards are given all of them.

use fleet::Fleet;
use pki::Authority;
use store::Store;
use store::authorities::{self, AuthorityKind};
use types::{Duration, Instant};
use url::Url;

use crate::config::DoorTls;
use crate::error::{DoorName, StartError};
use crate::tls::ServerIdentity;

/// How long a door's certificate lasts; a new one is issued at every start. Apple's devices take 825 days from
/// an authority that a profile installed, 398 from others.
const LIFETIME: Duration = Duration::from_secs(397 * 86_400);
/// Tablets' clocks are not ours.
const BACKDATING: Duration = Duration::from_secs(3_600);

/// Our own authorities, by their certificates (DER), oldest first.
pub(crate) async fn own_authorities(store: &Store) -> Result<Vec<Vec<u8>>, StartError> {
    let newest_first = store.read(authorities::trusted).await?;
    let own = newest_first.into_iter().rev().filter(|authority| authority.kind == AuthorityKind::Own);
    Ok(own.map(|authority| authority.certificate).collect())
}

/// The certificate and key of a door; `None` for one without TLS.
pub(crate) async fn identity(
    door: DoorName,
    tls: &DoorTls,
    reached_at: &Url,
    fleet: &Fleet,
    now: Instant,
) -> Result<Option<ServerIdentity>, StartError> {
    match tls {
        DoorTls::PlainHttp => Ok(None),
        DoorTls::Files { certificate, key } => ServerIdentity::from_files(certificate, key)
            .map(Some)
            .map_err(|source| StartError::Certificate { door, source }),
        DoorTls::Auto => own_certificate(door, reached_at, fleet, now).await.map(Some),
    }
}

async fn own_certificate(
    door: DoorName,
    reached_at: &Url,
    fleet: &Fleet,
    now: Instant,
) -> Result<ServerIdentity, StartError> {
    let failed = |problem: String| StartError::OwnCertificate { door, problem };
    let oldest = oldest_authority(fleet.store()).await?.map_err(failed)?;
    let host = reached_at.host_str().unwrap_or("localhost").trim_matches(['[', ']']).to_owned();
    let names = names(&host);
    let until = now.plus(LIFETIME).min(oldest.not_after());
    let issued = oldest
        .issue_server_certificate(&names, now.minus(BACKDATING), until)
        .map_err(|error| failed(error.to_string()))?;
    ServerIdentity::from_pem(&issued.chain_pem, &issued.key_pem)
        .map_err(|source| StartError::Certificate { door, source })
}

/// `localhost` is also reached by its numbers.
fn names(host: &str) -> Vec<&str> {
    match host {
        "localhost" | "127.0.0.1" | "::1" => vec!["localhost", "127.0.0.1", "::1"],
        other => vec![other],
    }
}

/// The oldest authority of ours, with its key, or in words why there is none.
async fn oldest_authority(store: &Store) -> Result<Result<Authority, String>, StartError> {
    let found = store
        .read(|tx| {
            let own = |row: &authorities::Authority| row.kind == AuthorityKind::Own;
            let Some(oldest) = authorities::trusted(tx)?.into_iter().rev().find(own) else { return Ok(None) };
            let key = authorities::key(tx, oldest.id)?;
            Ok::<_, store::StoreError>(key.map(|key| (oldest.certificate, key)))
        })
        .await?;
    Ok(match found {
        Some((certificate, key)) => {
            Authority::from_parts(&certificate, &key).map_err(|error| error.to_string())
        }
        None => Err("there is none; type `ardoise init`".to_owned()),
    })
}
