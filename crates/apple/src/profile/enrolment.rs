//! The profile that enrols a tablet: trust our authority, get a certificate, obey us.

use types::Secret;

use crate::profile::{
    ACCESS_RIGHTS_ALL, CONFIGURATION, MdmPayload, Payload, PayloadContent, PayloadHeader, Profile,
    RootCertificatePayload, ScepContent, ScepPayload, mdm, root_certificate, scep,
};
use crate::wire::Raw;

/// What an enrolment profile is made from. Identifiers follow from `identifier`, so that a re-issued
/// profile replaces the one on the tablet; UUIDs are fresh each time and come from the caller.
#[derive(Debug, Clone)]
pub struct EnrolmentProfile {
    /// The profile's `PayloadIdentifier`; its payloads are `….scep`, `….mdm`, `….anchor.1`, ….
    pub identifier: String,
    /// The name of the organisation, shown to the user.
    pub organization: String,
    /// The name of the profile, shown to the user.
    pub display_name: String,
    /// What it does, shown to the user.
    pub description: String,
    /// Where reports go; https.
    pub server_url: String,
    /// Where check-ins go; https.
    pub check_in_url: String,
    /// The push topic.
    pub topic: String,
    /// What the server can do beyond the basics, such as `com.apple.mdm.bootstraptoken`.
    pub server_capabilities: Vec<String>,
    /// Where certificates are asked for.
    pub scep_url: String,
    /// The word that lets this tablet in, once.
    pub challenge: Secret<String>,
    /// The fingerprint of the authority's certificate.
    pub ca_fingerprint: Vec<u8>,
    /// The size of the tablet's key, in bits.
    pub key_size: i64,
    /// The subject asked for, as pairs of type and value, such as `("CN", "…")`.
    pub subject: Vec<(String, String)>,
    /// Authorities to trust, DER; for a server whose certificate no public authority issued.
    pub anchors: Vec<Vec<u8>>,
    /// The UUIDs.
    pub uuids: EnrolmentUuids,
}

/// The UUIDs of an enrolment profile, fresh for each one that is issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentUuids {
    /// The profile's.
    pub profile: String,
    /// The SCEP payload's.
    pub scep: String,
    /// The management payload's.
    pub mdm: String,
    /// The anchors', one each; an anchor without one is left out.
    pub anchors: Vec<String>,
}

impl EnrolmentProfile {
    /// The profile, unsigned.
    #[must_use]
    pub fn to_profile(&self) -> Profile {
        let mut payloads: Vec<Payload> = self
            .anchors
            .iter()
            .zip(&self.uuids.anchors)
            .zip(1..)
            .map(|((certificate, uuid), number): (_, u32)| self.anchor(certificate, uuid, number))
            .collect();
        payloads.push(self.scep());
        payloads.push(self.mdm());

        let mut profile =
            Profile::new(self.identifier.clone(), self.uuids.profile.clone(), CONFIGURATION.to_owned(), 1);
        profile.payloads = Some(payloads);
        profile.display_name = Some(self.display_name.clone());
        profile.description = Some(self.description.clone());
        profile.organization = Some(self.organization.clone());
        profile
    }

    /// The profile as the bytes to sign.
    #[must_use]
    pub fn to_xml(&self) -> Vec<u8> {
        self.to_profile().to_xml()
    }

    fn anchor(&self, certificate: &[u8], uuid: &str, number: u32) -> Payload {
        let content = RootCertificatePayload::new(certificate.to_vec());
        Payload {
            header: self.header(&format!("anchor.{number}"), uuid, root_certificate::TYPE),
            content: PayloadContent::RootCertificate(Box::new(content)),
        }
    }

    fn scep(&self) -> Payload {
        let subject = self.subject.iter().map(|(kind, value)| vec![vec![kind.clone(), value.clone()]]);
        let content = ScepContent {
            subject: Some(subject.collect()),
            challenge: Some(self.challenge.clone()),
            keysize: Some(self.key_size),
            key_type: Some("RSA".to_owned()),
            key_usage: Some(5),
            ca_fingerprint: Some(self.ca_fingerprint.clone()),
            key_is_extractable: Some(false),
            ..ScepContent::new(self.scep_url.clone())
        };
        Payload {
            header: self.header("scep", &self.uuids.scep, scep::TYPE),
            content: PayloadContent::Scep(Box::new(ScepPayload::new(content))),
        }
    }

    fn mdm(&self) -> Payload {
        let content = MdmPayload {
            check_in_url: Some(self.check_in_url.clone()),
            sign_message: Some(true),
            access_rights: Some(ACCESS_RIGHTS_ALL),
            server_capabilities: Some(self.server_capabilities.clone()),
            check_out_when_removed: Some(true),
            ..MdmPayload::new(self.uuids.scep.clone(), self.topic.clone(), self.server_url.clone())
        };
        Payload {
            header: self.header("mdm", &self.uuids.mdm, mdm::TYPE),
            content: PayloadContent::Mdm(Box::new(content)),
        }
    }

    fn header(&self, suffix: &str, uuid: &str, payload_type: &str) -> PayloadHeader {
        PayloadHeader {
            identifier: format!("{}.{suffix}", self.identifier),
            uuid: uuid.to_owned(),
            payload_type: payload_type.to_owned(),
            version: 1,
            description: None,
            display_name: None,
            organization: Some(self.organization.clone()),
            extra: Raw::default(),
        }
    }
}
