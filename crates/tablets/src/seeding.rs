//! Tablets as they are long after their enrolment, made without a server: for loads, and for moving a fleet in.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::authority::{Authority, Purpose, Validity};
use crate::enrolment::random_hex;
use crate::profile::{InstalledPayload, InstalledProfile, MdmPayload};
use crate::state::{Enrolment, Home, Stage, State};
use crate::{Error, Hardware, Identity, KeyPool};

/// The identifier of the profile by which seeded tablets believe to be enrolled.
const PROFILE: &str = "simulated.enrolment";

/// What seeded tablets share. They are enrolled from their own point of view; whether a server agrees depends on
/// whether it trusts the authority, and was told of them.
///
/// ```no_run
/// # fn example(home: &tablets::Home) -> Result<(), tablets::Error> {
/// use tablets::{Authority, KeyPool, MdmPayload, Seeding, Validity};
/// let now = tablets::Clock::system().now();
/// let authority = Authority::new(&[("CN", "Former server")], Validity::days(now, 3650))?;
/// let mdm = MdmPayload::new("https://mdm.example.org/mdm".parse().unwrap(), "com.apple.mgmt.External.x");
/// let seeding = Seeding::new(authority, KeyPool::in_memory(4)?, mdm, Validity::days(now, 365));
/// let (state, identity) = seeding.tablet("DMPX00000001")?;
/// home.save(&state, Some(&identity))?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Seeding {
    authority: Authority,
    keys: KeyPool,
    mdm: MdmPayload,
    validity: Validity,
    /// Keys of the pool as PEM, by their number: writing one takes longer than the rest of a tablet's files.
    written: Mutex<HashMap<u64, String>>,
}

impl Seeding {
    /// Tablets certified by `authority`, with keys of the pool, who obey the server of `mdm`.
    #[must_use]
    pub fn new(authority: Authority, keys: KeyPool, mdm: MdmPayload, validity: Validity) -> Self {
        Self { authority, keys, mdm, validity, written: Mutex::default() }
    }

    /// The keys that its tablets share.
    #[must_use]
    pub const fn keys(&self) -> &KeyPool {
        &self.keys
    }

    /// The tablet of a serial number, with a certificate and push tokens of its own.
    ///
    /// # Errors
    /// When OpenSSL refuses.
    pub fn tablet(&self, serial: &str) -> Result<(State, Identity), Error> {
        let mut state = State::new(Hardware::ipad(serial));
        let key = self.keys.key(state.hardware.own_number());
        let subject =
            [("CN", state.hardware.udid.as_str()), ("O", "Simulated tablets"), ("serialNumber", serial)];
        let certificate = self.authority.certify(&subject, &key, &Purpose::Client, self.validity)?;
        state.identities = 1;
        state.enrolment = Some(Enrolment {
            mdm: self.mdm.clone(),
            profile_identifier: PROFILE.to_owned(),
            push_token: random_hex(32)?,
            push_magic: uuid::Uuid::new_v4().to_string().to_uppercase(),
            unlock_token: random_hex(256)?,
            awaiting_configuration: false,
            stage: Stage::Enrolled,
            anchors: String::new(),
            automated: false,
        });
        state.profiles.insert(PROFILE.to_owned(), self.profile());
        Ok((state, Identity::new(certificate, key)))
    }

    /// Makes the tablet of a serial number and keeps it.
    ///
    /// # Errors
    /// When OpenSSL refuses, or the tablet cannot be written.
    pub fn keep(&self, home: &Home, serial: &str) -> Result<(State, Identity), Error> {
        let (state, identity) = self.tablet(serial)?;
        let pem = identity.certificate_pem()? + &self.key_pem(&identity, &state)?;
        home.save_written(&state, Some(&pem))?;
        Ok((state, identity))
    }

    fn key_pem(&self, identity: &Identity, state: &State) -> Result<String, Error> {
        let length = u64::try_from(self.keys.len()).unwrap_or(1);
        let place = state.hardware.own_number().checked_rem(length).unwrap_or_default();
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pem) = written.get(&place) {
            return Ok(pem.clone());
        }
        let pem = identity.key_pem()?;
        written.insert(place, pem.clone());
        Ok(pem)
    }

    fn profile(&self) -> InstalledProfile {
        InstalledProfile {
            identifier: PROFILE.to_owned(),
            uuid: self.mdm.identity_certificate_uuid.clone(),
            version: 1,
            display_name: Some("Simulated enrolment".to_owned()),
            organization: None,
            description: None,
            removal_disallowed: false,
            managed: true,
            signers: Vec::new(),
            payloads: vec![InstalledPayload {
                kind: "com.apple.mdm".to_owned(),
                identifier: format!("{PROFILE}.mdm"),
                uuid: uuid::Uuid::new_v4().to_string().to_uppercase(),
                version: 1,
                display_name: None,
            }],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Clock, Ipad, Trust};

    fn seeding() -> Seeding {
        let now = Clock::system().now();
        let authority = Authority::new(&[("CN", "A former server")], Validity::days(now, 10)).unwrap();
        let mdm = MdmPayload::new(
            "https://localhost/mdm".parse().unwrap(),
            "com.apple.mgmt.External.00000000-0000-4000-8000-000000000001",
        );
        Seeding::new(authority, KeyPool::in_memory(2).unwrap(), mdm, Validity::days(now, 5))
    }

    #[test]
    fn seeded_tablets_differ_in_all_that_must_differ_and_are_enrolled() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path()).unwrap();
        let seeding = seeding();
        let serials: Vec<String> = (0..8).map(|number| format!("DMPX{number:08}")).collect();
        let mut seen = BTreeSet::new();
        for serial in &serials {
            let (state, identity) = seeding.keep(&home, serial).unwrap();
            let enrolment = state.enrolment.unwrap();
            let secrets = [enrolment.push_token, enrolment.push_magic, enrolment.unlock_token];
            seen.extend(secrets);
            seen.extend([state.hardware.udid, identity.fingerprint()]);
        }
        assert_eq!(
            seen.len(),
            serials.len() * 5,
            "one of token, magic, unlock token, UDID, certificate is shared"
        );
        assert_eq!(home.serials().unwrap(), serials);

        let trust = Trust::only(&seeding.authority.certificate_pem().unwrap()).unwrap();
        for serial in &serials {
            let builder =
                Ipad::builder().serial(serial.as_str()).trust(trust.clone()).keys(seeding.keys.clone());
            let ipad = builder.home(home.clone()).build().unwrap();
            assert!(ipad.is_enrolled());
            let identity = ipad.identity().unwrap();
            let key = seeding.authority.identity().certificate().public_key().unwrap();
            assert!(identity.certificate().verify(&key).unwrap(), "the authority signed it");
            assert!(identity.certificate().public_key().unwrap().public_eq(identity.key()));
        }
    }
}
