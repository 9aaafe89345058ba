//! Ids: one UUIDv7 newtype per noun, so that a tablet's id cannot be passed for a command's.
//!
//! Stored and shown as lower-case hyphenated text. UUIDv7 sorts by creation time, which keeps the
//! indexes of big tables dense and gives lists a stable order.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Instant;

/// A text that is not a UUID where an id was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {noun} id: expected a UUID")]
pub struct InvalidId {
    noun: &'static str,
    text: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $noun:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, ordered after every id made at an earlier instant.
            #[must_use]
            pub fn new(now: Instant) -> Self {
                Self(uuid_v7(now))
            }

            /// The UUID inside.
            #[must_use]
            pub fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text)
                    .map(Self)
                    .map_err(|_invalid| InvalidId { noun: $noun, text: text.chars().take(64).collect() })
            }
        }
    )*};
}

ids! {
    /// A tablet of the inventory, whatever happens to its enrolments.
    TabletId = "tablet";
    /// One enrolment of a tablet: from an invitation to its end. A tablet enrolled again has a new one.
    EnrolmentId = "enrolment";
    /// A command in a tablet's queue; on Apple's wire its `CommandUUID`.
    CommandId = "command";
    /// An enrolment link, for a tablet or a batch.
    LinkId = "link";
    /// A certificate authority of ours, or one taken over.
    AuthorityId = "authority";
    /// A single-use SCEP challenge.
    ChallengeId = "challenge";
    /// A push certificate.
    PushCertificateId = "push certificate";
    /// A permission to bring in a tablet of another server.
    TakeoverId = "takeover";
    /// An alarm for the operators.
    AlarmId = "alarm";
    /// A token of the API.
    ApiTokenId = "API token";
    /// An organisation: the département, the académie, a collège.
    OrganisationId = "organisation";
    /// A person's account.
    AccountId = "account";
    /// A record of who created an account, or reset what opens it.
    AccountMakerId = "account maker";
    /// A role given to an account.
    RoleGrantId = "role grant";
    /// A person's session at the people's door.
    SessionId = "session";
    /// A request for a second person's signature.
    CountersignatureId = "countersignature";
    /// One act that counts against the brake (M5).
    DestructionId = "destruction";
    /// A dated campaign of restitutions above the brake's budgets (M5).
    CampaignId = "campaign";
    /// A DPO's validation of an entry of the register (C3.1.6).
    ValidationId = "validation";
    /// A recorded purge of what was kept long enough.
    PurgeId = "purge";
    /// A due piece of work.
    JobId = "job";
    /// A set of tablets that share the same combination of layers.
    SegmentId = "segment";
    /// A recorded incident (sinistre).
    IncidentId = "incident";
    /// A location warrant.
    WarrantId = "warrant";
    /// A look at a position that was kept (M1).
    PositionLookId = "look at a position";
    /// An erase order.
    EraseOrderId = "erase order";
    /// A recorded end of an enrolment.
    EnrolmentEndId = "end of enrolment";
    /// A loan (prêt).
    LoanId = "loan";
    /// A version of a layer of what is on tablets.
    ProfileVersionId = "profile version";
    /// How a published version comes to its tablets.
    RolloutId = "roll-out";
    /// An order that puts an emergency base in force (C5.3.7).
    EmergencyOrderId = "emergency order";
    /// A person to whom tablets may be lent (C4.1).
    PersonId = "person";
    /// One change to a collège's named list of users (C4.2).
    ListChangeId = "change of a list";
    /// A text of the agreement of loan, for one school year (C9.1).
    AgreementTextId = "text of the agreement";
    /// A signature under such a text, or the opposition to it (C5.2.1).
    SignatureId = "signature";
    /// A tablet given back, from its receipt to its return into stock.
    RestitutionId = "restitution";
    /// A notice to those concerned: users of a collège (C5.2.6), a holder or their guardians.
    NoticeId = "notice";
    /// A recorded decision on the end of a tablet's life here: donation, retirement or theft.
    LastDecisionId = "decision on the end of a tablet's life here";
    /// An app of the catalogue.
    AppId = "app";
    /// A change of a collège's named list of users, settled and validated as one (C4.2).
    ListId = "list";
    /// A recorded restriction of use (C5.2.5).
    RestrictionId = "restriction";
    /// An exception for a tablet that is not supervised.
    ExceptionId = "exception";
    /// A stay of a tablet at its supplier's (C5.4.5).
    RepairId = "repair";
    /// A tablet's way from one collège to another.
    TransferId = "transfer";
    /// A notice on its way to one address.
    MailId = "mail";
}

/// The millisecond of the last id, and how many ids that millisecond has had: `millis << 12 | count`.
static LAST: AtomicU64 = AtomicU64::new(0);

/// UUIDv7 at the given instant, with a counter of the millisecond in front of the random bits (RFC 9562 §6.2,
/// method 1): ids that one process makes at one instant sort in the order they were made, so that a queue keeps
/// its order. 62 bits stay random.
fn uuid_v7(now: Instant) -> Uuid {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    let next = |last: u64| if last >> 12 == millis { last.wrapping_add(1) } else { millis << 12 };
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last))).unwrap_or(0);
    let count = u16::try_from(next(last) & 0x0FFF).unwrap_or(0);

    let random = *Uuid::new_v4().as_bytes();
    let mut tail = [0_u8; 10];
    for (to, from) in tail.iter_mut().zip(count.to_be_bytes().iter().chain(random.iter().skip(8))) {
        *to = *from;
    }
    // Bytes 6 and 8 carry fixed bits; the builder overwrites just those with v7's.
    uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = TabletId::new(Instant::from_millis(1_790_000_000_000));
        assert_eq!(id.to_string().parse::<TabletId>(), Ok(id));
        assert_eq!(id.as_uuid().get_version_num(), 7);
    }

    #[test]
    fn ids_sort_by_the_instant_they_were_made() {
        let early = CommandId::new(Instant::from_millis(1_000));
        let late = CommandId::new(Instant::from_millis(2_000));
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
    }

    #[test]
    fn ids_of_one_instant_sort_in_the_order_they_were_made() {
        let instant = Instant::from_millis(1_790_000_000_123);
        let ids: Vec<_> = (0..100).map(|_count| CommandId::new(instant)).collect();
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), 100);
        // Tests run beside each other and share the counter: none of them uses this instant.
        assert!(ids.is_sorted());
    }

    #[test]
    fn a_bad_id_is_named_in_the_error() {
        let error = "42".parse::<CommandId>().unwrap_err();
        assert_eq!(error.to_string(), "`42` is not a valid command id: expected a UUID");
    }
}
