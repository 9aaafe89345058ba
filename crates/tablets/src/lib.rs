//! Simulated tablets and stand-ins for Apple: for tests, demonstrations and loads of any server that manages tablets.
//!
//! Nothing here is shared with a server: property lists are plain [`plist::Value`]s, cryptography is OpenSSL's,
//! and what OpenSSL cannot write is written by hand. A mistake in the server's parser is therefore not mirrored.
//!
//! | what | where |
//! | --- | --- |
//! | an iPad that enrols, polls, obeys, is erased | [`Ipad`], [`Conversation`] |
//! | many of them | [`Fleet`] |
//! | an Android tablet with the open agent, without any connection of its own | [`Agent`] |
//! | tablets that were enrolled elsewhere | [`Seeding`] |
//! | the authority of its maker, for `MachineInfo` | [`AppleDeviceAuthority`] |
//! | Apple's push service, and certificates for it | [`Apns`], [`PushAuthority`] |

mod agent;
mod answers;
mod apns;
mod apple_device_authority;
mod authority;
mod check_ins;
mod clock;
mod conversation;
mod declarations;
mod der;
mod enrolment;
mod error;
mod faults;
mod fleet;
mod hardware;
mod http;
mod identity;
mod ipad;
mod keys;
mod messages;
mod outcome;
mod profile;
mod proofs;
mod push_authority;
mod scep;
mod scep_message;
mod seeding;
mod sessions;
mod signed_message;
mod state;
mod trust;
mod wire;

pub use agent::{
    Agent, AgentHardware, AgentReply, AgentRequest, AgentServer, AgentState, Did, InstalledApp, Lane, Next,
};
pub use answers::Status;
pub use apns::{Apns, ApnsFault, Push};
pub use apple_device_authority::AppleDeviceAuthority;
pub use authority::{Authority, Purpose, Validity};
pub use check_ins::ReturnToService;
pub use clock::Clock;
pub use conversation::{Conversation, Handled};
pub use error::Error;
pub use faults::Faults;
pub use fleet::{Fleet, Waking, Woken};
pub use hardware::Hardware;
pub use http::{HangUp, HttpClient, Reply, Request};
pub use identity::Identity;
pub use ipad::{Ipad, IpadBuilder};
pub use keys::KeyPool;
pub use messages::write_message;
pub use outcome::Outcome;
pub use profile::{EnrolmentProfile, InstalledPayload, InstalledProfile, MdmPayload, Profile, ScepPayload};
pub use proofs::{ForwardedCertificate, Proofs, Signing};
pub use push_authority::{PushAuthority, PushCertificate};
pub use scep::{Capabilities, CertificateRequest, EnvelopeCipher, RenewalStyle, ScepClient, ScepStyle, Via};
pub use seeding::Seeding;
pub use sessions::Sessions;
pub use signed_message::{Digest, Encoding, Parameters, SignatureStyle};
pub use state::{App, Declaration, Enrolment, Home, LostMode, Position, Settings, Stage, State};
pub use trust::Trust;
