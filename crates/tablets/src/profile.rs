//! Configuration profiles, opened and read as a tablet does before it installs them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::x509::{X509, X509Name};
use plist::{Dictionary, Value};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::identity::name;
use crate::signed_message;
use crate::wire::{self, Entries as _};
use crate::{Error, Trust};

const PROFILE: &str = "the profile";
const MDM_PAYLOAD: &str = "the MDM payload";
const SCEP_PAYLOAD: &str = "the SCEP payload";

/// An opened profile.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its `PayloadIdentifier`: one profile of an identifier replaces another.
    pub identifier: String,
    /// Its `PayloadUUID`.
    pub uuid: String,
    /// Everything it says.
    pub contents: Dictionary,
    /// Who signed it, if it was signed: the signer's certificate is the first.
    pub signers: Vec<X509>,
}

impl Profile {
    /// Opens a profile, signed or not. A wrong signature is refused; whether the signer is trusted is said by
    /// [`Profile::is_signed_by`].
    ///
    /// # Errors
    /// When the signature is wrong, or what is inside is no profile.
    pub fn open(bytes: &[u8]) -> Result<Self, Error> {
        let (contents, signers) = if signed_message::looks_signed(bytes) {
            let opened = signed_message::open(bytes, &[], PROFILE)?;
            (wire::read(&opened.content, PROFILE)?, opened.certificates)
        } else {
            (wire::read(bytes, PROFILE)?, Vec::new())
        };
        if contents.text("PayloadType") != Some("Configuration") {
            return Err(Error::malformed(PROFILE, "its PayloadType is not Configuration"));
        }
        let profile = Self {
            identifier: contents.required("PayloadIdentifier", PROFILE)?.to_owned(),
            uuid: contents.required("PayloadUUID", PROFILE)?.to_owned(),
            contents,
            signers,
        };
        for payload in profile.payloads() {
            payload.required("PayloadType", "a payload")?;
            payload.required("PayloadIdentifier", "a payload")?;
            payload.required("PayloadUUID", "a payload")?;
        }
        Ok(profile)
    }

    /// Whether its signer chains to one of the authorities that `trust` names.
    #[must_use]
    pub fn is_signed_by(&self, trust: &Trust) -> bool {
        self.signers
            .split_first()
            .is_some_and(|(signer, between)| signed_message::chains_to(signer, between, trust.anchors()))
    }

    /// Its payloads.
    pub fn payloads(&self) -> impl Iterator<Item = &Dictionary> {
        self.contents.list("PayloadContent").iter().filter_map(Value::as_dictionary)
    }

    /// The first payload of a type.
    pub(crate) fn payload(&self, payload_type: &str) -> Option<&Dictionary> {
        self.payloads().find(|payload| payload.text("PayloadType") == Some(payload_type))
    }

    /// What the tablet keeps of it.
    pub(crate) fn installed(&self, managed: bool) -> Result<InstalledProfile, Error> {
        let signers = self.signers.iter().map(|certificate| Ok(STANDARD.encode(certificate.to_der()?)));
        let text = |key| self.contents.text(key).map(str::to_owned);
        Ok(InstalledProfile {
            identifier: self.identifier.clone(),
            uuid: self.uuid.clone(),
            version: self.contents.number("PayloadVersion").unwrap_or(1),
            display_name: text("PayloadDisplayName"),
            organization: text("PayloadOrganization"),
            description: text("PayloadDescription"),
            removal_disallowed: self.contents.flag("PayloadRemovalDisallowed").unwrap_or(false),
            managed,
            signers: signers.collect::<Result<_, Error>>()?,
            payloads: self.payloads().map(InstalledPayload::from).collect(),
        })
    }
}

/// A profile as an installed tablet remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledProfile {
    /// `PayloadIdentifier`.
    pub identifier: String,
    /// `PayloadUUID`.
    pub uuid: String,
    /// `PayloadVersion`.
    pub version: i64,
    /// `PayloadDisplayName`.
    pub display_name: Option<String>,
    /// `PayloadOrganization`.
    pub organization: Option<String>,
    /// `PayloadDescription`.
    pub description: Option<String>,
    /// `PayloadRemovalDisallowed`.
    pub removal_disallowed: bool,
    /// Whether a command installed it.
    pub managed: bool,
    /// The signer's certificates, base64 of DER.
    pub signers: Vec<String>,
    /// What it holds, without the settings themselves.
    pub payloads: Vec<InstalledPayload>,
}

/// A payload of an installed profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledPayload {
    /// `PayloadType`.
    pub kind: String,
    /// `PayloadIdentifier`.
    pub identifier: String,
    /// `PayloadUUID`.
    pub uuid: String,
    /// `PayloadVersion`.
    pub version: i64,
    /// `PayloadDisplayName`.
    pub display_name: Option<String>,
}

impl From<&Dictionary> for InstalledPayload {
    fn from(payload: &Dictionary) -> Self {
        let text = |key| payload.text(key).unwrap_or_default().to_owned();
        Self {
            kind: text("PayloadType"),
            identifier: text("PayloadIdentifier"),
            uuid: text("PayloadUUID"),
            version: payload.number("PayloadVersion").unwrap_or(1),
            display_name: payload.text("PayloadDisplayName").map(str::to_owned),
        }
    }
}

impl InstalledProfile {
    /// As ProfileList tells of it.
    pub(crate) fn told(&self) -> Dictionary {
        let payloads = self.payloads.iter().map(|payload| {
            let mut told = wire::dictionary([
                ("PayloadType", payload.kind.as_str().into()),
                ("PayloadIdentifier", payload.identifier.as_str().into()),
                ("PayloadUUID", payload.uuid.as_str().into()),
                ("PayloadVersion", payload.version.into()),
            ]);
            if let Some(name) = &payload.display_name {
                told.insert("PayloadDisplayName".to_owned(), name.as_str().into());
            }
            Value::Dictionary(told)
        });
        let signers = self.signers.iter().filter_map(|signer| STANDARD.decode(signer).ok()).map(Value::Data);
        let mut told = wire::dictionary([
            ("PayloadUUID", self.uuid.as_str().into()),
            ("PayloadIdentifier", self.identifier.as_str().into()),
            ("PayloadVersion", self.version.into()),
            ("PayloadRemovalDisallowed", self.removal_disallowed.into()),
            ("HasRemovalPasscode", false.into()),
            ("IsEncrypted", false.into()),
            ("IsManaged", self.managed.into()),
            ("SignerCertificates", Value::Array(signers.collect())),
            ("PayloadContent", Value::Array(payloads.collect())),
        ]);
        for (key, text) in [
            ("PayloadDisplayName", &self.display_name),
            ("PayloadOrganization", &self.organization),
            ("PayloadDescription", &self.description),
        ] {
            if let Some(text) = text {
                told.insert(key.to_owned(), text.as_str().into());
            }
        }
        told
    }
}

/// A profile that enrols a tablet: how to get an identity, and whose server to obey.
#[derive(Debug, Clone)]
pub struct EnrolmentProfile {
    /// The profile it was read from.
    pub profile: Profile,
    /// The server to obey.
    pub mdm: MdmPayload,
    /// Where to get an identity.
    pub scep: ScepPayload,
    /// Root certificates to trust from then on.
    pub(crate) anchors: Vec<X509>,
}

impl EnrolmentProfile {
    /// Opens an enrolment profile.
    ///
    /// # Errors
    /// When it is no profile, its signature is wrong, or it lacks an MDM or a SCEP payload.
    pub fn open(bytes: &[u8]) -> Result<Self, Error> {
        Self::of(Profile::open(bytes)?)
    }

    /// Whether a profile enrols: whether it has an MDM payload.
    pub(crate) fn is_one(profile: &Profile) -> bool {
        profile.payload("com.apple.mdm").is_some()
    }

    pub(crate) fn of(profile: Profile) -> Result<Self, Error> {
        let missing = |kind| Error::malformed(PROFILE, format!("it has no {kind} payload"));
        let mdm = MdmPayload::read(profile.payload("com.apple.mdm").ok_or_else(|| missing("MDM"))?)?;
        let scep = profile
            .payloads()
            .filter(|payload| payload.text("PayloadType") == Some("com.apple.security.scep"))
            .find(|payload| payload.text("PayloadUUID") == Some(mdm.identity_certificate_uuid.as_str()))
            .ok_or_else(|| missing("SCEP, with the UUID that IdentityCertificateUUID names,"))?;
        let scep = ScepPayload::read(scep)?;
        let anchors = profile
            .payloads()
            .filter(|payload| payload.text("PayloadType") == Some("com.apple.security.root"))
            .filter_map(|payload| payload.bytes("PayloadContent"))
            .map(|certificate| X509::from_der(certificate).or_else(|_no_der| X509::from_pem(certificate)))
            .collect::<Result<_, _>>()
            .map_err(|error| Error::malformed("a root certificate payload", error))?;
        Ok(Self { profile, mdm, scep, anchors })
    }
}

/// Whose server to obey, and how (`com.apple.mdm`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MdmPayload {
    /// Where to connect.
    pub server_url: Url,
    /// Where to check in; the same when the profile names none.
    pub check_in_url: Url,
    /// The topic of the pushes.
    pub topic: String,
    /// Whether to sign messages in `Mdm-Signature`.
    pub sign_message: bool,
    /// What the server may do, as bits.
    pub access_rights: i64,
    /// Whether to tell the server when management ends.
    pub check_out_when_removed: bool,
    /// What the server can do.
    pub server_capabilities: Vec<String>,
    /// Which payload holds the identity.
    pub identity_certificate_uuid: String,
}

impl MdmPayload {
    /// A server with all rights, which takes check-ins and reports at one address.
    #[must_use]
    pub fn new(server_url: Url, topic: &str) -> Self {
        Self {
            check_in_url: server_url.clone(),
            server_url,
            topic: topic.to_owned(),
            sign_message: false,
            access_rights: 8191,
            check_out_when_removed: true,
            server_capabilities: Vec::new(),
            identity_certificate_uuid: uuid::Uuid::new_v4().to_string().to_uppercase(),
        }
    }

    fn read(payload: &Dictionary) -> Result<Self, Error> {
        let url = |key: &'static str| {
            Url::parse(payload.required(key, MDM_PAYLOAD)?)
                .map_err(|error| Error::malformed(MDM_PAYLOAD, format!("its {key} is no address: {error}")))
        };
        let server_url = url("ServerURL")?;
        let topic = payload.required("Topic", MDM_PAYLOAD)?;
        if !topic.starts_with("com.apple.mgmt.") {
            return Err(Error::malformed(MDM_PAYLOAD, "its Topic does not begin with com.apple.mgmt."));
        }
        let access_rights = payload.number("AccessRights").unwrap_or_default();
        check_access_rights(access_rights)?;
        Ok(Self {
            check_in_url: if payload.contains_key("CheckInURL") {
                url("CheckInURL")?
            } else {
                server_url.clone()
            },
            server_url,
            topic: topic.to_owned(),
            sign_message: payload.flag("SignMessage").unwrap_or(false),
            access_rights,
            check_out_when_removed: payload.flag("CheckOutWhenRemoved").unwrap_or(false),
            server_capabilities: payload.texts("ServerCapabilities").into_iter().map(str::to_owned).collect(),
            identity_certificate_uuid: payload.required("IdentityCertificateUUID", MDM_PAYLOAD)?.to_owned(),
        })
    }

    /// Why a tablet refuses this payload as an update of the one it has, if it does.
    pub(crate) fn refusal_as_update(&self, of: &Self) -> Option<&'static str> {
        match () {
            () if self.topic != of.topic => Some("an update must not change the Topic"),
            () if self.server_url != of.server_url => Some("an update must not change the ServerURL"),
            () if self.check_in_url != of.check_in_url => Some("an update must not change the CheckInURL"),
            () if self.access_rights & !of.access_rights != 0 => Some("an update must not add AccessRights"),
            () => None,
        }
    }
}

/// Apple's rules for `AccessRights`: never none, changing needs looking, lists of apps need their rights.
fn check_access_rights(rights: i64) -> Result<(), Error> {
    let refuse = |problem| Err(Error::malformed(MDM_PAYLOAD, problem));
    match () {
        () if rights <= 0 || rights > 8191 => refuse("its AccessRights are not between 1 and 8191"),
        () if rights & 2 != 0 && rights & 1 == 0 => refuse("its AccessRights have 2 without 1"),
        () if rights & 128 != 0 && rights & 64 == 0 => refuse("its AccessRights have 128 without 64"),
        () => Ok(()),
    }
}

/// Where to get an identity (`com.apple.security.scep`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScepPayload {
    /// The server.
    pub url: Url,
    /// The authority's name, for servers that hold several.
    pub name: Option<String>,
    /// The single-use secret.
    pub challenge: Option<String>,
    /// The subject to ask for, as pairs of attribute and value.
    pub subject: Vec<(String, String)>,
    /// The size of the key, in bits.
    pub key_size: i64,
    /// What the key is for: 1 signing, 4 encryption, 5 both.
    pub key_usage: u64,
    /// The fingerprint that the authority's certificate must have.
    pub fingerprint: Option<Vec<u8>>,
}

impl ScepPayload {
    fn read(payload: &Dictionary) -> Result<Self, Error> {
        let content = payload
            .inner("PayloadContent")
            .ok_or_else(|| Error::malformed(SCEP_PAYLOAD, "its PayloadContent is missing"))?;
        let url = Url::parse(content.required("URL", SCEP_PAYLOAD)?)
            .map_err(|error| Error::malformed(SCEP_PAYLOAD, format!("its URL is no address: {error}")))?;
        let key_size = content.number("Keysize").unwrap_or(1024);
        if key_size < 2048 {
            return Err(Error::malformed(SCEP_PAYLOAD, "its Keysize is below 2048"));
        }
        Ok(Self {
            url,
            name: content.text("Name").map(str::to_owned),
            challenge: content.text("Challenge").map(str::to_owned),
            subject: subject(content),
            key_size,
            key_usage: content.get("Key Usage").and_then(Value::as_unsigned_integer).unwrap_or_default(),
            fingerprint: content.bytes("CAFingerprint").map(<[u8]>::to_vec),
        })
    }

    /// The subject as a name; a tablet that is told none names itself.
    pub(crate) fn subject_name(&self, otherwise: &str) -> Result<X509Name, Error> {
        if self.subject.is_empty() {
            return name(&[("CN", otherwise)]);
        }
        let pairs: Vec<(&str, &str)> =
            self.subject.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        name(&pairs)
    }
}

/// Apple's form of a subject: a list of lists of pairs.
fn subject(content: &Dictionary) -> Vec<(String, String)> {
    content
        .list("Subject")
        .iter()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_array)
        .filter_map(|pair| match pair.as_slice() {
            [key, value] => Some((key.as_string()?.to_owned(), value.as_string()?.to_owned())),
            _ => None,
        })
        .collect()
}
