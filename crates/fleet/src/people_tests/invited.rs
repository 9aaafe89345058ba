//! Tablets that were invited, each with a certificate of its own, and what they say.

use std::sync::Arc;

use ::incidents::LostModeState;
use apple::checkin::CheckIn;
use apple::plist::{Dictionary, Value, to_xml};
use pki::{DeviceIdentity, LeafRequest};
use rcgen::PublicKeyData as _;
use store::Digest;
use store::certificates::{Certificate, CertificateState};
use store::enrolments::Enrolment;
use store::incidents::{Incident, IncidentState};
use store::lost_modes::LostMode;
use store::tablets::Tablet;
use types::{EnrolmentId, EnrolmentKind, IncidentId, IncidentKind, Platform, SerialNumber, TabletId, Udid};

use super::fixture::{People, days, now};
use crate::checkin::together::{Heard, Said};

/// Whose topic the pushes are of.
pub(super) const TOPIC: &str = "com.apple.mgmt.External.test";
/// Whose tablets they are.
pub(super) const COLLEGE: &str = "0761234A";

/// A tablet of the inventory, its invitation and its certificate.
pub(super) struct Invited {
    pub(super) tablet: Tablet,
    pub(super) udid: Udid,
    pub(super) enrolment: Enrolment,
    pub(super) certificate: Certificate,
    pub(super) identity: DeviceIdentity,
}

pub(super) fn udid(number: u32) -> Udid {
    format!("00008020-{number:016X}").parse().unwrap()
}

/// The `number`-th tablet is invited, as `change` has it.
pub(super) fn invited(
    people: &People,
    number: u32,
    change: impl FnOnce(&mut Enrolment, &mut Tablet),
) -> Invited {
    let serial: SerialNumber = format!("DMPXT{number:07}").parse().unwrap();
    let mut tablet = Tablet {
        id: TabletId::new(now()),
        serial,
        asset_tag: None,
        model: None,
        platform: Platform::Ipad,
        uai: Some(COLLEGE.parse().unwrap()),
        created_at: now(),
        updated_at: now(),
    };
    let mut enrolment = Enrolment {
        tablet_id: Some(tablet.id),
        topic: Some(TOPIC.into()),
        ..crate::enrol::invitation(EnrolmentKind::Link, now())
    };
    change(&mut enrolment, &mut tablet);
    let (identity, certificate) = issued(people, enrolment.id);
    Invited { udid: udid(number), tablet, enrolment, certificate, identity }
}

/// A certificate for an enrolment, not used yet.
pub(super) fn issued(people: &People, enrolment: EnrolmentId) -> (DeviceIdentity, Certificate) {
    let key = rcgen::KeyPair::generate().unwrap();
    let authorities = people.fleet.authorities();
    let leaf = authorities
        .issuing()
        .current()
        .issue(&LeafRequest {
            public_key_info: key.subject_public_key_info(),
            enrolment,
            not_before: now(),
            not_after: now().plus(days(365)),
        })
        .unwrap();
    let identity = crate::identity::from_tls(&people.fleet, &leaf.der, now()).unwrap();
    let certificate = Certificate {
        sha256: Digest::from(*identity.fingerprint().as_bytes()),
        enrolment_id: enrolment,
        authority_fingerprint: Digest::from([1; 32]),
        serial_number: "01".into(),
        state: CertificateState::Issued,
        issued_at: now(),
        not_after: now().plus(days(365)),
        first_used_at: None,
        renewed_from: None,
    };
    (identity, certificate)
}

impl Invited {
    /// The same tablet with a certificate that renews its own.
    pub(super) async fn renewed(&self, people: &People) -> Self {
        let (identity, mut certificate) = issued(people, self.enrolment.id);
        certificate.renewed_from = Some(self.certificate.sha256);
        let row = certificate.clone();
        people.fleet.store().write(move |tx| store::certificates::insert(tx, &row)).await.unwrap();
        let (tablet, udid, enrolment) = (self.tablet.clone(), self.udid.clone(), self.enrolment.clone());
        Self { tablet, udid, enrolment, certificate, identity }
    }

    /// It is sought, and in lost mode.
    pub(super) async fn lost(&self, people: &People) {
        let tablet_id = self.tablet.id;
        let incident = Incident {
            id: IncidentId::new(now()),
            tablet_id,
            kind: IncidentKind::Loss,
            state: IncidentState::Open,
            opened_at: now(),
            closed_at: None,
        };
        let lost = LostMode {
            tablet_id,
            incident_id: incident.id,
            state: LostModeState::On,
            since: now(),
            message: Some("Rapportez-moi".into()),
            phone: None,
            footnote: None,
        };
        let write = move |tx: &mut store::Tx<'_>| {
            store::incidents::insert(tx, &incident)?;
            store::lost_modes::insert(tx, &lost)
        };
        people.fleet.store().write(write).await.unwrap();
    }

    pub(super) async fn stored(&self, people: &People) {
        let (tablet, enrolment, certificate) =
            (self.tablet.clone(), self.enrolment.clone(), self.certificate.clone());
        people
            .fleet
            .store()
            .write(move |tx| {
                store::tablets::insert(tx, &tablet)?;
                store::enrolments::insert(tx, &enrolment)?;
                store::certificates::insert(tx, &certificate)
            })
            .await
            .unwrap();
    }

    pub(super) fn heard(&self, keys: &[(&str, Value)]) -> Arc<Heard> {
        let dictionary: Dictionary =
            keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let said = match CheckIn::parse(&to_xml(&dictionary)).unwrap() {
            CheckIn::Authenticate(message) => Said::Authenticate(message),
            CheckIn::TokenUpdate(message) => Said::TokenUpdate(message),
            other => panic!("{other:?}"),
        };
        let identity = self.identity.clone();
        Arc::new(Heard { identity, said, wait: days(1), now: now().plus(days(1)) })
    }

    pub(super) fn tells(&self, token: &[u8], more: &[(&str, Value)]) -> Arc<Heard> {
        let mut keys = vec![
            ("MessageType", text("TokenUpdate")),
            ("Topic", text(TOPIC)),
            ("UDID", text(self.udid.as_str())),
            ("Token", Value::Data(token.to_vec())),
            ("PushMagic", text("magic")),
        ];
        keys.retain(|(key, _)| more.iter().all(|(other, _)| other != key));
        keys.extend_from_slice(more);
        self.heard(&keys)
    }
}

pub(super) fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}
