//! The names under which a tablet fetches a file: signed, for one enrolment, for a time.
//!
//! The system of a tablet downloads an app by itself and shows no certificate while it does, so that the address must
//! be the proof: whoever was given one may read one file, until it expires, as long as the enrolment it was made for is
//! active. A name says everything that it stands for, under a tag that only the key file can make; nothing is looked up
//! for a name that was not made here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use store::{TAG_LENGTH, Vault, VaultError};
use types::{AppId, Digest, EnrolmentId, Instant};

/// What these tags are for: no other tag of the vault is one.
const PURPOSE: &str = "names of app files, 1";
/// What a name begins with: this layout.
const LAYOUT: u8 = 1;
/// Layout, kind, enrolment, app, file, instant.
const LENGTH: usize = 2 + 16 + 16 + 32 + 8;
/// The length of every name, in characters.
pub const NAME_LENGTH: usize = ((LENGTH + TAG_LENGTH) * 4).div_ceil(3);

/// What is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The manifest, which says where the file is.
    Manifest,
    /// The file itself.
    File,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// What is fetched.
    pub kind: Kind,
    /// For which enrolment it was made.
    pub enrolment: EnrolmentId,
    /// Of which app.
    pub app: AppId,
    /// Which file: a new version has another name.
    pub file: Digest,
    /// The first instant it is worth nothing.
    pub expires_at: Instant,
}

impl Name {
    /// The name as it stands in an address.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn sign(&self, vault: &Vault) -> Result<String, VaultError> {
        let content = self.content();
        let tag = vault.tag(PURPOSE, &content)?;
        Ok(BASE64.encode([content.as_slice(), &tag].concat()))
    }

    /// The name that stands in an address, if it was made here and has not expired.
    #[must_use]
    pub fn read(text: &str, vault: &Vault, now: Instant) -> Option<Self> {
        if text.len() != NAME_LENGTH {
            return None;
        }
        let bytes = BASE64.decode(text).ok()?;
        let (content, tag) = bytes.split_first_chunk::<LENGTH>()?;
        if !vault.is_tagged(PURPOSE, content, tag) {
            return None;
        }
        let name = Self::of(content)?;
        (now < name.expires_at).then_some(name)
    }

    fn content(&self) -> Vec<u8> {
        let kind = match self.kind {
            Kind::Manifest => 1_u8,
            Kind::File => 2,
        };
        [
            &[LAYOUT, kind],
            self.enrolment.as_uuid().as_bytes().as_slice(),
            self.app.as_uuid().as_bytes(),
            self.file.as_bytes(),
            &self.expires_at.as_millis().to_be_bytes(),
        ]
        .concat()
    }

    fn of(content: &[u8; LENGTH]) -> Option<Self> {
        let (&[LAYOUT, kind], rest) = content.split_first_chunk::<2>()? else { return None };
        let (enrolment, rest) = rest.split_first_chunk::<16>()?;
        let (app, rest) = rest.split_first_chunk::<16>()?;
        let (file, rest) = rest.split_first_chunk::<32>()?;
        let expires_at = rest.first_chunk::<8>()?;
        Some(Self {
            kind: match kind {
                1 => Kind::Manifest,
                2 => Kind::File,
                _ => return None,
            },
            enrolment: uuid::Uuid::from_bytes(*enrolment).to_string().parse().ok()?,
            app: uuid::Uuid::from_bytes(*app).to_string().parse().ok()?,
            file: Digest::from(*file),
            expires_at: Instant::from_millis(i64::from_be_bytes(*expires_at)),
        })
    }
}
