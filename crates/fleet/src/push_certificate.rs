//! The push certificate, by which tablets are woken. One of another topic would lose them all (T-B1).

use governance::Permission;
use pki::PushCertificate as Checked;
use serde_json::json;
use store::enrolments;
use store::push_certificates::{self, PushCertificate, PushCertificateState};
use types::{Duration, Instant, PushCertificateId, Secret};

use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal, push};

const DAY: Duration = Duration::from_secs(86_400);

/// The push certificate as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its topic, from its subject.
    pub topic: String,
    /// The last instant it is valid.
    pub not_after: Instant,
    /// Whole days that are left; 0 when it has expired.
    pub days_left: u64,
    /// When it was installed.
    pub installed_at: Instant,
}

/// Installs a push certificate. `texts` hold the certificate and its key as PEM, in one text or in several.
///
/// # Errors
/// [`Refusal::Invalid`] when key and certificate do not match, it has expired, or it cannot be read;
/// [`Refusal::Conflict`] with the number of tablets that one of this topic would lose.
pub async fn set(
    fleet: &Fleet,
    principal: &Principal,
    texts: &[Secret<String>],
    passphrase: Option<&Secret<String>>,
    now: Instant,
) -> Result<Shown, Refusal> {
    let texts: Vec<&str> = texts.iter().map(|text| text.expose().as_str()).collect();
    let checked = Checked::from_pem(&texts, passphrase, now)
        .map_err(|error| Refusal::invalid("push_certificate", error))?;
    let row = PushCertificate {
        id: PushCertificateId::new(now),
        topic: checked.topic().to_owned(),
        chain_pem: checked.chain_pem().to_owned(),
        not_after: checked.not_after(),
        state: PushCertificateState::Current,
        created_at: now,
    };
    let key = Secret::new(checked.key_pem().expose().clone().into_bytes());
    let fingerprint = checked.fingerprint().to_string();
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            principal.may_everywhere(tx, Permission::ManagePushCertificate, now)?;
            let lost = enrolments::count_other_topics(tx, &row.topic)?;
            if lost > 0 {
                return Err(Refusal::Conflict(format!(
                    "{lost} tablet(s) are enrolled with another topic and could never be woken with a certificate \
                     for `{}`; renew the certificate that they know, with the same Apple Account",
                    row.topic
                )));
            }
            push_certificates::make_current(tx, &row, &key)?;
            push::try_again_with_a_new_certificate(tx, now)?;
            let detail = json!({ "topic": row.topic, "not_after": row.not_after, "sha256": fingerprint });
            audit::record(tx, &principal, Change::new("push-certificate.set").detail(detail), now)?;
            Ok(shown(&row, now))
        })
        .await
}

/// The push certificate in use, if there is one.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn show(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Option<Shown>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            principal.may_everywhere(tx, Permission::ViewTablets, now)?;
            Ok(push_certificates::current(tx)?.map(|row| shown(&row, now)))
        })
        .await
}

fn shown(row: &PushCertificate, now: Instant) -> Shown {
    Shown {
        topic: row.topic.clone(),
        not_after: row.not_after,
        days_left: row.not_after.since(now).as_secs() / DAY.as_secs(),
        installed_at: row.created_at,
    }
}
