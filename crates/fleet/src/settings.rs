//! What the configuration decides for the use cases. Plain values, checked by `server` before they come here.

use apple::OsVersion;
use lending::EraseTerms;
use lending::calendar::ReminderDays;
use pki::SigningKey;
use pki::scep::LegacyPolicy;
use store::shared_folder::SharedFolder;
use types::{Duration, QuietHours};
use url::Url;

/// How this département enrols and speaks to its tablets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name that a tablet shows as its manager.
    pub organisation: String,
    /// Where tablets reach their door: an `https` URL without a path.
    pub tablets_url: Url,
    /// How long a SCEP challenge may wait to be used.
    pub challenge_lifetime: Duration,
    /// How long an identity certificate lasts; its renewal starts 60 days before it ends.
    pub identity_lifetime: Duration,
    /// Whether SCEP messages in single DES, SHA-1 and the like are served (`scep.allow_legacy`).
    pub scep_legacy: LegacyPolicy,
    /// The oldest system with which a tablet may enrol automatically, such as `17.4`.
    pub minimum_os: Option<OsVersion>,
    /// How long the Setup Assistant of a new tablet waits at most for what was decided (`enrolment.setup_minutes`).
    pub setup_waits: Duration,
    /// Who signs enrolment profiles; `None`: our own authority. A tablet shows a profile as verified when the
    /// signer is one that it trusts already.
    pub profile_signer: Option<SigningKey>,
    /// Certificates (DER) that a profile asks the tablet to trust, when its door has none of a public authority.
    pub anchors: Vec<Vec<u8>>,
    /// Whether tablets of another server may move here.
    pub takeover: TakeoverPolicy,
    /// When tablets are woken only for what is urgent; `None`: never.
    pub quiet_hours: Option<QuietHours>,
    /// Where uploaded apps lie; `None` for commands on the machine itself, which upload none.
    pub shared_folder: Option<SharedFolder>,
    /// How long an erasure waits for whoever held the tablet, and how long its order lasts.
    pub erasures: EraseTerms,
    /// What a location warrant is asked for unless told, and the most that it may be (M1).
    pub warrants: incidents::Limits,
    /// What a tablet in lost mode shows unless told.
    pub lost_mode: LostModeWords,
    /// How apps are taken in.
    pub uploads: UploadLimits,
    /// How holders and guardians are told.
    pub notices: NoticeSettings,
}

/// How holders and guardians are told what they must know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoticeSettings {
    /// Whether there is a mail server (`mail.host`). Without one, letters are printed and handed over.
    pub by_mail: bool,
    /// How many days before a tablet is due its holder is reminded (`lending.reminder_days`).
    pub reminders: ReminderDays,
}

/// What bounds the uploads of apps on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UploadLimits {
    /// The longest app, in bytes (`limits.app_bytes`).
    pub longest: u64,
    /// How many are taken in at once (`limits.app_uploads`).
    pub at_once: u32,
    /// How long one may take from its first byte to its last (`limits.app_upload_seconds`).
    pub within: Duration,
    /// How much of the disk stays free, in bytes (`limits.free_megabytes`).
    pub stays_free: u64,
}

/// The département's own words for a tablet in lost mode. Empty ones are ours, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LostModeWords {
    /// The message.
    pub message: String,
    /// A phone number.
    pub phone: String,
    /// The text at the bottom.
    pub footnote: String,
}

/// Whether tablets of another server may move here by an audited import (T-A6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeoverPolicy {
    /// They may not: the default.
    Closed,
    /// They may, each within its own window.
    Open,
}
