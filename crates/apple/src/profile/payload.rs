//! One payload of a profile: the keys that all have, and those of its kind.

use crate::plist::{Dictionary, Value};
use crate::profile::{MdmPayload, RootCertificatePayload, ScepPayload, mdm, root_certificate, scep};
use crate::wire::{Kind, Raw, Wire, WireError, message};

message! {
    /// The keys that all payloads have.
    pub struct PayloadHeader {
        required {
            /// The name, unique in the profile.
            identifier: String = "PayloadIdentifier",
            /// Changes with the content.
            uuid: String = "PayloadUUID",
            /// The kind.
            payload_type: String = "PayloadType",
            /// 1.
            version: i64 = "PayloadVersion",
        }
        optional {
            /// What it is for.
            description: String = "PayloadDescription",
            /// What people see.
            display_name: String = "PayloadDisplayName",
            /// Who made it.
            organization: String = "PayloadOrganization",
        }
    }
}

/// A payload.
#[derive(Debug, Clone)]
pub struct Payload {
    /// The keys that all payloads have.
    pub header: PayloadHeader,
    /// The others.
    pub content: PayloadContent,
}

/// The keys of a payload that belong to its kind.
#[derive(Debug, Clone)]
pub enum PayloadContent {
    /// A certificate to ask for.
    Scep(Box<ScepPayload>),
    /// The management.
    Mdm(Box<MdmPayload>),
    /// An authority to trust.
    RootCertificate(Box<RootCertificatePayload>),
    /// Anything else.
    Other(Raw),
}

impl PayloadContent {
    fn from_dictionary(payload_type: &str, dictionary: Raw) -> Result<Self, WireError> {
        Ok(match payload_type {
            scep::TYPE => Self::Scep(Box::new(ScepPayload::from_dictionary(&dictionary)?)),
            mdm::TYPE => Self::Mdm(Box::new(MdmPayload::from_dictionary(&dictionary)?)),
            root_certificate::TYPE => {
                Self::RootCertificate(Box::new(RootCertificatePayload::from_dictionary(&dictionary)?))
            }
            _ => Self::Other(dictionary),
        })
    }

    fn to_dictionary(&self) -> Dictionary {
        match self {
            Self::Scep(payload) => payload.to_dictionary(),
            Self::Mdm(payload) => payload.to_dictionary(),
            Self::RootCertificate(payload) => payload.to_dictionary(),
            Self::Other(raw) => raw.clone().into_inner(),
        }
    }

    /// The kind, if it is one of those that are typed here.
    fn payload_type(&self) -> Option<&'static str> {
        match self {
            Self::Scep(_) => Some(scep::TYPE),
            Self::Mdm(_) => Some(mdm::TYPE),
            Self::RootCertificate(_) => Some(root_certificate::TYPE),
            Self::Other(_) => None,
        }
    }
}

impl Payload {
    /// Reads a payload.
    ///
    /// # Errors
    /// Names the path of a key that is missing or has the wrong type.
    pub fn from_dictionary(dictionary: &Dictionary) -> Result<Self, WireError> {
        let mut header = PayloadHeader::from_dictionary(dictionary)?;
        let rest = std::mem::take(&mut header.extra);
        let content = PayloadContent::from_dictionary(&header.payload_type, rest)?;
        Ok(Self { header, content })
    }

    /// Writes it. A typed content decides the kind, whatever the header says.
    #[must_use]
    pub fn to_dictionary(&self) -> Dictionary {
        let mut dictionary = self.header.to_dictionary();
        if let Some(payload_type) = self.content.payload_type() {
            dictionary.insert("PayloadType".to_owned(), Value::from(payload_type));
        }
        for (key, value) in self.content.to_dictionary() {
            if !dictionary.contains_key(&key) {
                dictionary.insert(key, value);
            }
        }
        dictionary
    }
}

impl Wire for Payload {
    const KIND: Kind = Kind::Open;

    fn read(value: &Value) -> Result<Self, WireError> {
        match value {
            Value::Dictionary(dictionary) => Self::from_dictionary(dictionary),
            other => Err(WireError::wrong_type("a dictionary", other)),
        }
    }

    fn write(&self) -> Value {
        Value::Dictionary(self.to_dictionary())
    }
}
