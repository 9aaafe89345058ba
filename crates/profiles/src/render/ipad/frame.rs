//! What surrounds the payloads: names that stay and names that change with the content.

use apple::ddm::{Declaration, DeclarationKind};
use apple::plist::{self, Dictionary};
use apple::profile::{Payload, PayloadContent, PayloadHeader, Profile};
use apple::wire::Raw;
use serde_json::{Value as Json, json};
use types::Digest;
use uuid::Builder;

use crate::catalogue::Shape;
use crate::names::NotAName;

/// Whose configuration it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    prefix: String,
    organisation: String,
}

/// A prefix or name that cannot frame a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAFrame {
    /// The prefix.
    #[error(transparent)]
    Prefix(NotAName),
    /// The name of the organisation.
    #[error(transparent)]
    Organisation(NotAName),
}

impl Frame {
    /// Names every identifier begins with, in the reverse order of a domain of one's own, and who made the profile.
    ///
    /// # Errors
    /// One of them has another shape.
    pub fn new(prefix: &str, organisation: &str) -> Result<Self, NotAFrame> {
        if !Shape::BundleId.fits(prefix) {
            let expected = "the reverse of a domain of one's own, such as fr.departement.ardoise";
            return Err(NotAFrame::Prefix(NotAName::new(prefix, expected)));
        }
        if !Shape::Word.fits(organisation) || organisation.trim().is_empty() {
            let expected = "the name of an organisation, 1 to 128 printable characters";
            return Err(NotAFrame::Organisation(NotAName::new(organisation, expected)));
        }
        Ok(Self { prefix: prefix.to_owned(), organisation: organisation.to_owned() })
    }

    /// Who made the profile.
    pub(crate) fn organisation(&self) -> &str {
        &self.organisation
    }

    /// A name that stays: what has it replaces what had it.
    pub(crate) fn identifier(&self, suffix: &str) -> String {
        format!("{}.{suffix}", self.prefix)
    }

    /// A payload. Its UUID follows from its content, so that it changes with it and only then.
    pub(crate) fn payload(&self, suffix: &str, kind: &str, title: &str, content: Dictionary) -> Payload {
        let identifier = self.identifier(&format!("profile.{suffix}"));
        let header = PayloadHeader {
            uuid: uuid(&identifier, &plist::to_xml(&content)),
            identifier,
            payload_type: kind.to_owned(),
            version: 1,
            description: None,
            display_name: Some(title.to_owned()),
            organization: Some(self.organisation.clone()),
            extra: Raw::default(),
        };
        Payload { header, content: PayloadContent::Other(Raw::from(content)) }
    }

    /// The profile around its payloads.
    pub(super) fn profile(&self, payloads: Vec<Payload>, removable: bool) -> Profile {
        let title = format!("Configuration de la tablette ({})", self.organisation);
        self.around("profile", title, payloads, removable)
    }

    /// A smaller profile beside it, for supervised tablets: their users cannot remove it (C5.3.2).
    pub(crate) fn named_profile(&self, suffix: &str, title: &str, payloads: Vec<Payload>) -> Profile {
        self.around(suffix, title.to_owned(), payloads, false)
    }

    fn around(&self, suffix: &str, title: String, payloads: Vec<Payload>, removable: bool) -> Profile {
        let mut profile = Profile::new(
            self.identifier(suffix),
            // Written below, from all the rest.
            String::new(),
            "Configuration".to_owned(),
            1,
        );
        profile.display_name = Some(title);
        profile.description =
            Some("Réglages décidés par le département et l’académie pour les tablettes prêtées.".to_owned());
        profile.organization = Some(self.organisation.clone());
        profile.removal_disallowed = (!removable).then_some(true);
        profile.payloads = Some(payloads);
        profile.uuid = uuid(&profile.identifier, &profile.to_xml());
        profile
    }

    /// A configuration. Its token follows from its content.
    pub(crate) fn configuration(&self, suffix: &str, declaration_type: &str, payload: Json) -> Declaration {
        self.declaration(DeclarationKind::Configuration, suffix, declaration_type, payload)
    }

    /// What puts configurations in force.
    pub(crate) fn activation(&self, configurations: &[Declaration]) -> Declaration {
        let names: Vec<&str> = configurations.iter().map(|one| one.identifier.as_str()).collect();
        let payload = json!({ "StandardConfigurations": names });
        self.declaration(DeclarationKind::Activation, "activation", "com.apple.activation.simple", payload)
    }

    fn declaration(
        &self,
        kind: DeclarationKind,
        suffix: &str,
        declaration_type: &str,
        payload: Json,
    ) -> Declaration {
        Declaration {
            kind,
            declaration_type: declaration_type.to_owned(),
            identifier: self.identifier(suffix),
            server_token: server_token(declaration_type, &payload),
            payload,
        }
    }
}

/// The token of a declaration, which follows from its content.
pub(crate) fn server_token(declaration_type: &str, payload: &Json) -> String {
    Digest::of(format!("{declaration_type}\n{payload}").as_bytes()).to_string().chars().take(32).collect()
}

/// A UUID (RFC 9562, version 8) that follows from a name and what has it.
fn uuid(identifier: &str, content: &[u8]) -> String {
    let digest = Digest::of(&[identifier.as_bytes(), b"\n", content].concat());
    let mut bytes = [0; 16];
    for (byte, of) in bytes.iter_mut().zip(digest.as_bytes()) {
        *byte = *of;
    }
    Builder::from_custom_bytes(bytes).into_uuid().hyphenated().to_string().to_uppercase()
}

/// A short name for something whose own name does not fit into an identifier, such as a network.
pub(super) fn short(name: &str) -> String {
    Digest::of(name.as_bytes()).to_string().chars().take(12).collect()
}
