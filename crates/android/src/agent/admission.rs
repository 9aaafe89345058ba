//! What a key opens: a first configuration, one tablet's own view, or nothing.
//!
//! A tablet never makes itself known: its serial number is in the inventory, or it is told nothing (C3.3.4). The key of an
//! enrolment is counted and expires, and takes over no tablet that has its own key already. Whatever is refused is refused with
//! the same bytes, whatever the reason; the reason is for people.

use types::Instant;

use crate::words::{Words, words};

/// What is recorded of the key of an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnrolmentKeyFacts {
    /// How many tablets it may enrol.
    pub most: u32,
    /// How many it did.
    pub used: u32,
    /// The first instant at which it is refused.
    pub expires_at: Instant,
    /// Whether somebody took it back.
    pub revoked: bool,
}

/// How the tablet of a serial number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tablet {
    /// It is not in the inventory.
    Unknown,
    /// It is in the inventory as an iPad.
    OtherPlatform,
    /// The key is for tablets of another collège, or for another tablet.
    NotForThisKey,
    /// It is in the inventory, and not enrolled.
    Free,
    /// It began to enrol under this very key, and was not heard under its own yet.
    Begun,
    /// It is enrolled: it was heard under its own key, or began under another one.
    Enrolled,
    /// It left for good, and nobody took it in again.
    Left,
}

/// What the key of an enrolment gives a tablet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// A new enrolment, which is counted, and a key of its own.
    First,
    /// The enrolment that it began, with a new key of its own in place of the one that it may never have read. Not counted.
    Again,
}

/// Why it gives nothing. The tablet is told the same of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The key was taken back.
    Revoked,
    /// The key's time passed.
    Expired,
    /// It enrolled as many as it may.
    UsedUp,
    /// Not in the inventory (C3.3.4).
    Unknown,
    /// An iPad by the inventory.
    OtherPlatform,
    /// Another tablet's or another collège's key.
    NotForThisKey,
    /// It has its own key (T-A9).
    Enrolled,
    /// It left for good.
    Left,
}

/// Whether the key of an enrolment admits a tablet.
///
/// # Errors
/// [`NotAdmitted`], with the reason for people.
pub fn admit(key: &EnrolmentKeyFacts, tablet: Tablet, now: Instant) -> Result<Admitted, NotAdmitted> {
    if key.revoked {
        return Err(NotAdmitted::Revoked);
    }
    if now >= key.expires_at {
        return Err(NotAdmitted::Expired);
    }
    match tablet {
        Tablet::Unknown => Err(NotAdmitted::Unknown),
        Tablet::OtherPlatform => Err(NotAdmitted::OtherPlatform),
        Tablet::NotForThisKey => Err(NotAdmitted::NotForThisKey),
        Tablet::Left => Err(NotAdmitted::Left),
        Tablet::Enrolled => Err(NotAdmitted::Enrolled),
        // It was counted when it began.
        Tablet::Begun => Ok(Admitted::Again),
        Tablet::Free if key.used >= key.most => Err(NotAdmitted::UsedUp),
        Tablet::Free => Ok(Admitted::First),
    }
}

impl NotAdmitted {
    /// What happened, and what to do next.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::Revoked => words(
                "this code was taken back: scan another one",
                "ce code a été retiré : scannez-en un autre",
            ),
            Self::Expired => {
                words("this code has expired: make a new one", "ce code a expiré : créez-en un nouveau")
            }
            Self::UsedUp => words(
                "this code has set up as many tablets as it may: make a new one",
                "ce code a installé autant de tablettes que permis : créez-en un nouveau",
            ),
            Self::Unknown => words(
                "this serial number is not in the inventory: take the tablet in first",
                "ce numéro de série n’est pas à l’inventaire : enregistrez d’abord la tablette",
            ),
            Self::OtherPlatform => words(
                "the inventory has an iPad under this serial number: correct it",
                "l’inventaire porte un iPad sous ce numéro de série : corrigez-le",
            ),
            Self::NotForThisKey => words(
                "this code is for another tablet or another collège: scan its own",
                "ce code est pour une autre tablette ou un autre collège : scannez le sien",
            ),
            Self::Enrolled => words(
                "this tablet is enrolled: end its enrolment, or erase it by an order, before it is set up again",
                "cette tablette est inscrite : mettez fin à son inscription, ou effacez-la sur ordre, avant de la réinstaller",
            ),
            Self::Left => words(
                "this tablet has left for good: take it in again, with a reason, before it is set up",
                "cette tablette est sortie du parc : réintégrez-la, avec un motif, avant de l’installer",
            ),
        }
    }
}

/// How a tablet's own key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnKey {
    /// It is the key that the tablet uses.
    Current,
    /// It was given out, and the tablet was not heard under it yet.
    Next,
    /// The tablet was heard under a newer one.
    Former,
    /// The enrolment ended on purpose.
    Ended,
}

/// What a tablet's own key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// Its own view.
    View,
    /// Its own view, and from now on no other key opens it: the former one, and that of the enrolment, are shut.
    ViewAndShutOthers,
    /// 403: the tablet keeps what it has.
    Retired,
    /// What an unknown key opens: 404, the same bytes. A key that was superseded is somebody else's by now (T-A5).
    Nothing,
}

/// What a tablet's own key opens.
#[must_use]
pub const fn open(key: OwnKey) -> Opened {
    match key {
        OwnKey::Current => Opened::View,
        OwnKey::Next => Opened::ViewAndShutOthers,
        OwnKey::Former => Opened::Nothing,
        OwnKey::Ended => Opened::Retired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Instant = Instant::from_millis(1_795_500_000_000);
    const LATER: Instant = Instant::from_millis(1_795_500_000_001);

    fn key() -> EnrolmentKeyFacts {
        EnrolmentKeyFacts { most: 30, used: 29, expires_at: LATER, revoked: false }
    }

    const TABLETS: [Tablet; 7] = [
        Tablet::Unknown,
        Tablet::OtherPlatform,
        Tablet::NotForThisKey,
        Tablet::Free,
        Tablet::Begun,
        Tablet::Enrolled,
        Tablet::Left,
    ];

    #[test]
    fn t_a9_c3_3_4_only_a_tablet_of_the_inventory_that_has_no_key_of_its_own_is_admitted() {
        let table = TABLETS.map(|tablet| admit(&key(), tablet, NOW));
        let expected = [
            Err(NotAdmitted::Unknown),
            Err(NotAdmitted::OtherPlatform),
            Err(NotAdmitted::NotForThisKey),
            Ok(Admitted::First),
            Ok(Admitted::Again),
            Err(NotAdmitted::Enrolled),
            Err(NotAdmitted::Left),
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn a_key_is_counted_and_expires_and_whoever_began_may_finish() {
        let full = EnrolmentKeyFacts { used: 30, ..key() };
        assert_eq!(admit(&full, Tablet::Free, NOW), Err(NotAdmitted::UsedUp));
        assert_eq!(admit(&full, Tablet::Begun, NOW), Ok(Admitted::Again));
        for tablet in TABLETS {
            assert_eq!(admit(&key(), tablet, LATER), Err(NotAdmitted::Expired));
            let revoked = EnrolmentKeyFacts { revoked: true, ..key() };
            assert_eq!(admit(&revoked, tablet, NOW), Err(NotAdmitted::Revoked));
        }
    }

    #[test]
    fn t_a5_a_key_that_was_superseded_opens_nothing_and_one_that_we_ended_says_so() {
        let keys = [OwnKey::Current, OwnKey::Next, OwnKey::Former, OwnKey::Ended].map(open);
        assert_eq!(keys, [Opened::View, Opened::ViewAndShutOthers, Opened::Nothing, Opened::Retired]);
    }

    #[test]
    fn every_reason_says_what_to_do_in_both_languages() {
        let all = [
            NotAdmitted::Revoked,
            NotAdmitted::Expired,
            NotAdmitted::UsedUp,
            NotAdmitted::Unknown,
            NotAdmitted::OtherPlatform,
            NotAdmitted::NotForThisKey,
            NotAdmitted::Enrolled,
            NotAdmitted::Left,
        ];
        for words in all.map(NotAdmitted::words) {
            assert!(words.english.contains(": ") && words.french.contains(" : "), "{}", words.english);
        }
    }

    proptest! {
        #[test]
        fn no_key_admits_more_than_it_may_nor_after_its_time(
            most in 0_u32..5,
            attempts in prop::collection::vec((0_usize..7, 0_i64..10), 0..40),
            expires in 0_i64..10,
        ) {
            let expires_at = Instant::from_millis(expires);
            let mut key = EnrolmentKeyFacts { most, used: 0, expires_at, revoked: false };
            for (tablet, at) in attempts {
                let tablet = TABLETS[tablet];
                let admitted = admit(&key, tablet, Instant::from_millis(at));
                prop_assert!(admitted.is_err() || at < expires);
                if admitted == Ok(Admitted::First) {
                    prop_assert_eq!(tablet, Tablet::Free);
                    key.used += 1;
                }
            }
            prop_assert!(key.used <= most);
        }
    }
}
