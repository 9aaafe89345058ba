//! Why somebody could not sign a request now: told where they look at it, before they try.

use governance::NotAllowed;
use governance::countersignature::{NotCountersigned, Purpose};
use store::countersignatures::{self as rows, Countersignature};
use store::{StoreError, Tx};
use types::Instant;

use super::Both;
use super::shown::{Sentence, sentence};
use crate::Refusal;
use crate::coming_in::Person;
use crate::incidents::warrants;

/// Whether whoever looks at a request could sign it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signable {
    /// They could: all that judges their yes was tried.
    Yes,
    /// They could not.
    No(Sentence),
    /// Nothing speaks against them, and what else judges their yes is tried when they sign.
    Untried,
    /// It waits no more: its state says so.
    Over,
}

/// Whether whoever reads a request that waits could sign it now. That a code must be shown first is told when they sign.
pub(super) fn signable(
    tx: &mut Tx<'_>,
    reader: &Person,
    row: &Countersignature,
    now: Instant,
) -> Result<Signable, Refusal> {
    // One that nobody can read takes no other from the list.
    Ok(unless_unreadable(tried(tx, reader, row, now))?.unwrap_or_else(|| Signable::No(unreadable())))
}

/// What came of reading a request; `None` if what is stored of it cannot be read.
pub(super) fn unless_unreadable<T>(read: Result<T, Refusal>) -> Result<Option<T>, Refusal> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(
            Refusal::Internal(_)
            | Refusal::Store(StoreError::Corrupt { .. } | StoreError::Edited(_) | StoreError::Sealed(_)),
        ) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Of a request that cannot be read.
pub(super) fn unreadable() -> Sentence {
    sentence("what was asked cannot be read", "ce qui était demandé ne peut pas être lu")
}

/// Whether nothing but both persons judges a yes when it is given.
const fn is_judged_by_the_persons_alone(purpose: Purpose) -> bool {
    match purpose {
        Purpose::RecoverAccount
        | Purpose::FirstAccount
        | Purpose::ExceedBudget
        | Purpose::OpenCampaign
        | Purpose::ReleaseBrake
        | Purpose::ReadoptOrphans
        | Purpose::GiveAway
        | Purpose::ReleaseTablet => true,
        Purpose::ConfirmApprover
        | Purpose::Approve
        | Purpose::EraseStolen
        | Purpose::GrantWarrant
        | Purpose::ExtendWarrant => false,
    }
}

fn tried(
    tx: &mut Tx<'_>,
    reader: &Person,
    row: &Countersignature,
    now: Instant,
) -> Result<Signable, Refusal> {
    let Some(asked) = rows::asked(tx, row.id)? else {
        return Ok(Signable::No(sentence(
            "what was asked was forgotten",
            "ce qui était demandé a été effacé",
        )));
    };
    let me = reader.standing.account();
    let both = Both::of(tx, asked.asked_by(), me, now)?;
    if let Err(why) = asked.may_be_signed(both.parties(), &reader.access, now) {
        return Ok(Signable::No(of_the_persons(&why)));
    }
    let purpose = asked.question().purpose;
    if is_judged_by_the_persons_alone(purpose) {
        return Ok(Signable::Yes);
    }
    if !matches!(purpose, Purpose::GrantWarrant | Purpose::ExtendWarrant) {
        return Ok(Signable::Untried);
    }
    match warrants::would_grant(tx, &asked, me, now) {
        Ok(Ok(_grant)) => Ok(Signable::Yes),
        Ok(Err(why)) => Ok(Signable::No(of_the_incident(&why))),
        Err(Refusal::Worded(said)) => Ok(Signable::No(said.in_words())),
        Err(failure) => Err(failure),
    }
}

/// Who may sign at all.
fn of_the_persons(why: &NotCountersigned) -> Sentence {
    let french = match why {
        NotCountersigned::NotAllowed(NotAllowed::NotActive { .. }) => {
            "votre compte n’est pas en service : voyez qui gère les comptes de votre organisation".to_owned()
        }
        NotCountersigned::NotAllowed(NotAllowed::OrganisationClosed) => {
            "l’organisation de votre compte est fermée".to_owned()
        }
        NotCountersigned::NotAllowed(
            NotAllowed::OnlyLooks { .. } | NotAllowed::TakesASession { .. } | NotAllowed::OutOfReach { .. },
        )
        | NotCountersigned::BeyondTheToken => {
            "le jeton avec lequel vous lisez ne permet pas de répondre : connectez-vous".to_owned()
        }
        NotCountersigned::NotAllowed(_) => "aucun de vos rôles ne vous en donne le droit".to_owned(),
        NotCountersigned::Oneself => {
            "la personne qui demande ne répond pas : il en faut une seconde".to_owned()
        }
        NotCountersigned::Concerned => {
            "la personne dont il s’agit ne répond pas : il en faut une troisième".to_owned()
        }
        NotCountersigned::OneHand => {
            "les deux comptes ont été créés ou réinitialisés par une même main depuis moins de 30 jours, ou l’un par l’autre : \
             une autre personne doit répondre (C3.1.7)"
                .to_owned()
        }
        NotCountersigned::RoleFromTheAsker => {
            "le rôle qui vous permettrait de répondre vous a été donné depuis moins de 30 jours par la personne qui demande, ou \
             par une même main qu’elle : une autre personne doit répondre (C3.1.7)"
                .to_owned()
        }
        NotCountersigned::NotTheSecond { second } => format!("c’est à {} de répondre", second.in_french()),
        NotCountersigned::AskerLeft => {
            "la personne qui demande en a perdu le droit depuis : la demande ne va pas plus loin".to_owned()
        }
        NotCountersigned::Ended { .. }
        | NotCountersigned::InTheFuture { .. }
        | NotCountersigned::NotSeen
        | NotCountersigned::ForAnother { .. }
        | NotCountersigned::Stale { .. }
        | NotCountersigned::Used { .. }
        | NotCountersigned::OtherParties => "cette demande ne se signe plus : demandez à nouveau".to_owned(),
    };
    sentence(why.to_string(), french)
}

/// Whether the warrant would be granted by them, now.
fn of_the_incident(why: &incidents::Refusal) -> Sentence {
    let rule = why.rule();
    sentence(format!("{why} ({rule})"), format!("{} ({rule})", why.in_french()))
}

#[cfg(test)]
mod tests {
    use incidents::IncidentState;
    use incidents::papers::PaperKind;
    use types::IncidentKind;

    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_and_a_database_that_does_not_answer_is_no_such_thing() {
        let corrupt =
            StoreError::Corrupt { table: "countersignatures", row: "1".to_owned(), column: "purpose" };
        for read in [Refusal::Internal("no question about a warrant".to_owned()), Refusal::Store(corrupt)] {
            assert!(matches!(unless_unreadable::<()>(Err(read)), Ok(None)));
        }
        assert!(matches!(unless_unreadable(Ok(1)), Ok(Some(1))));
        let down = Refusal::Store(StoreError::Unavailable("gone".to_owned()));
        assert!(unless_unreadable::<()>(Err(down)).is_err());
    }

    #[test]
    fn m1_each_reason_for_which_a_warrant_is_not_signed_has_french_words_of_its_own() {
        let now = Instant::from_millis(1_795_000_000_000);
        let missing = |paper| incidents::Refusal::PaperMissing { paper, since: now };
        let reasons = [
            incidents::Refusal::Closed,
            incidents::Refusal::WrongKind { kind: IncidentKind::Fault },
            incidents::Refusal::NotSought { state: IncidentState::Found },
            incidents::Refusal::NotValidated,
            incidents::Refusal::GrantsToThemselves,
            incidents::Refusal::GrantsAsDeclarant,
            incidents::Refusal::HeadOfAnother,
            missing(PaperKind::Letter),
            missing(PaperKind::Complaint),
            incidents::Refusal::HadOne,
            incidents::Refusal::NothingToExtend,
            incidents::Refusal::NoReason,
        ];
        let french: std::collections::BTreeSet<String> =
            reasons.iter().map(|why| of_the_incident(why).french).collect();
        assert_eq!(french.len(), reasons.len(), "{french:?}");
        let said = of_the_incident(&incidents::Refusal::GrantsAsDeclarant);
        assert!(said.english.contains("declared the incident") && said.english.ends_with("(M1)"));
        assert!(said.french.contains("a déclaré le sinistre"));
    }

    #[test]
    fn c3_1_7_each_reason_for_which_somebody_is_no_second_person_has_french_words_of_its_own() {
        let reasons = [
            NotCountersigned::Oneself,
            NotCountersigned::Concerned,
            NotCountersigned::OneHand,
            NotCountersigned::RoleFromTheAsker,
            NotCountersigned::AskerLeft,
            NotCountersigned::NotAllowed(NotAllowed::OrganisationClosed),
            NotCountersigned::BeyondTheToken,
            NotCountersigned::NotSeen,
        ];
        let french: std::collections::BTreeSet<String> =
            reasons.iter().map(|why| of_the_persons(why).french).collect();
        assert_eq!(french.len(), reasons.len(), "{french:?}");
        assert_eq!(of_the_persons(&NotCountersigned::Oneself).english, NotCountersigned::Oneself.to_string());
    }
}
