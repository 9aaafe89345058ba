//! The profile that makes a tablet ours: a certificate from our authority, and where to report.
//!
//! It holds one secret, a challenge that works once, for one enrolment, for a while (T-A10, T-A11).

use apple::profile::{EnrolmentProfile, EnrolmentUuids};
use store::challenges::{self, Challenge};
use store::{Digest, StoreError, Tx};
use types::{ChallengeId, EnrolmentId, Instant, Secret};
use uuid::Uuid;

use crate::{Fleet, TabletError, bearer_secret};

/// The `PayloadIdentifier` of the profile that holds an enrolment.
pub(crate) const IDENTIFIER: &str = "fr.ardoise.enrolment";

/// A challenge, before it is put into a profile.
#[derive(Debug)]
pub(crate) struct NewChallenge {
    secret: Secret<String>,
    digest: Digest,
}

impl NewChallenge {
    /// 256 random bits.
    pub(crate) fn random() -> Self {
        let secret = bearer_secret::generate("");
        let digest = bearer_secret::digest(secret.expose());
        Self { secret, digest }
    }

    /// Remembers the challenge, by its digest, for one enrolment.
    pub(crate) fn save(
        &self,
        tx: &mut Tx<'_>,
        fleet: &Fleet,
        enrolment: EnrolmentId,
        now: Instant,
    ) -> Result<(), StoreError> {
        challenges::insert(
            tx,
            &Challenge {
                id: ChallengeId::new(now),
                secret_sha256: self.digest,
                enrolment_id: enrolment,
                created_at: now,
                expires_at: now.plus(fleet.settings().challenge_lifetime),
                used_at: None,
                used_for: None,
                certificate: None,
            },
        )
    }
}

/// The profile for one enrolment, signed.
///
/// # Errors
/// What went wrong while signing, in words.
pub(crate) fn signed(
    fleet: &Fleet,
    enrolment: EnrolmentId,
    topic: &str,
    challenge: &NewChallenge,
) -> Result<Vec<u8>, String> {
    let settings = fleet.settings();
    let authorities = fleet.authorities();
    let authority = authorities.issuing().current();
    let address =
        |path: &str| settings.tablets_url.join(path).map(String::from).map_err(|error| error.to_string());
    let uuid = || Uuid::new_v4().hyphenated().to_string().to_ascii_uppercase();
    let profile = EnrolmentProfile {
        identifier: IDENTIFIER.into(),
        organization: settings.organisation.clone(),
        display_name: settings.organisation.clone(),
        description: format!(
            "Cette tablette est prêtée par {0}, qui la gère à distance. This tablet is lent and managed by {0}.",
            settings.organisation
        ),
        server_url: address("/mdm/connect")?,
        check_in_url: address("/mdm/checkin")?,
        topic: topic.to_owned(),
        server_capabilities: vec!["com.apple.mdm.bootstraptoken".into()],
        scep_url: address("/scep")?,
        challenge: challenge.secret.clone(),
        ca_fingerprint: authority.fingerprint().as_bytes().to_vec(),
        key_size: 2048,
        subject: vec![("CN".into(), enrolment.to_string())],
        anchors: settings.anchors.clone(),
        uuids: EnrolmentUuids {
            profile: uuid(),
            scep: uuid(),
            mdm: uuid(),
            anchors: settings.anchors.iter().map(|_anchor| uuid()).collect(),
        },
    };
    sign(fleet, &profile.to_xml())
}

/// Signs a profile with the key that the configuration names, or with the authority's own.
pub(crate) fn sign(fleet: &Fleet, xml: &[u8]) -> Result<Vec<u8>, String> {
    let authorities = fleet.authorities();
    let own = pki::SigningKey::of_authority(authorities.issuing().current());
    let signer = fleet.settings().profile_signer.as_ref().unwrap_or(&own);
    pki::sign_attached(xml, signer).map_err(|error| error.to_string())
}

/// The profile again, for a tablet whose certificate is to be renewed, with a challenge made now.
pub(crate) async fn renewal(
    fleet: &Fleet,
    enrolment: EnrolmentId,
    now: Instant,
) -> Result<Secret<Vec<u8>>, TabletError> {
    let challenge = NewChallenge::random();
    let saved = NewChallenge { secret: challenge.secret.clone(), digest: challenge.digest };
    let context = fleet.clone();
    let topic = fleet
        .store()
        .write(move |tx| {
            saved.save(tx, &context, enrolment, now)?;
            let row = store::enrolments::get(tx, &enrolment)?;
            // The topic of an enrolment never changes (apple: a refused update).
            row.and_then(|row| row.topic)
                .ok_or_else(|| TabletError::Internal(format!("enrolment {enrolment} has no topic")))
        })
        .await?;
    signed(fleet, enrolment, &topic, &challenge).map(Secret::new).map_err(TabletError::Internal)
}
