//! The accounts with which an organisation begins (C3.1.7).
//!
//! They come from outside. Until two people manage accounts there, the département may invite them, under the
//! signature of a second person of its own; or the host may, as long as the département has nobody who could
//! sign. From then on each organisation manages its own.

use serde_json::json;
use types::{CountersignatureId, Instant, OrganisationId, OrganisationKind};

use super::manage::{NotManaged, OtherManagers, Taken, free, signed, takes_part};
use super::{Email, Login, Maker};
use crate::countersignature::{Content, Countersigned, Purpose, Subject};
use crate::{Access, Organisation, Permission, Standing};

/// How many people an organisation needs who manage accounts: with fewer, nothing that takes two can be done.
const ENOUGH_MANAGERS: u32 = 2;
/// How many people the département needs before the host no longer speaks for it.
const ENOUGH_PEOPLE: u32 = 2;

/// How many accounts in use the département has that could be a second person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepartementPeople(pub u32);

/// The decision that an organisation gets an account from outside, with which it manages the rest.
#[derive(Debug, PartialEq, Eq)]
pub struct FirstAccount {
    organisation: OrganisationId,
    by: Maker,
    countersignature: Option<CountersignatureId>,
}

impl FirstAccount {
    /// What a second person of the département is asked about.
    #[must_use]
    pub fn question(into: OrganisationId, login: &Login, email: Option<&Email>) -> (Subject, Content) {
        let content = json!({ "email": email, "login": login, "organisation": into });
        (Subject::Organisation(into), Content::of_plain(&content))
    }

    /// The organisation that gets it.
    #[must_use]
    pub fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    /// Who made it: the invitation is theirs, and they count as its maker.
    #[must_use]
    pub fn by(&self) -> Maker {
        self.by
    }

    /// Under which signature, unless the host made it.
    #[must_use]
    pub fn countersignature(&self) -> Option<CountersignatureId> {
        self.countersignature
    }
}

/// Somebody of the département invites one of the first two who manage accounts in another organisation,
/// under the signature of a second person of the département.
///
/// Two of the département who invite one each, and sign for each other, give the organisation two accounts
/// that nobody stands behind together, so that it need not wait 30 days for its first joint decision.
///
/// # Errors
/// [`NotManaged`].
pub fn first_account(
    into: &Organisation,
    names: (&Login, Option<&Email>, Taken),
    managers: OtherManagers,
    proof: Countersigned,
    by: &Standing,
    access: &Access,
    now: Instant,
) -> Result<FirstAccount, NotManaged> {
    let (login, email, taken) = names;
    by.may(Permission::ManageOrganisations, access, now)?;
    takes_part(into)?;
    if into.kind() == OrganisationKind::Departement || managers.0 >= ENOUGH_MANAGERS {
        return Err(NotManaged::ManagesItself);
    }
    let (subject, content) = FirstAccount::question(into.id(), login, email);
    signed(&proof, Purpose::FirstAccount, &subject, &content, by)?;
    free(taken)?;
    Ok(FirstAccount {
        organisation: into.id(),
        by: Maker::Account(by.account()),
        countersignature: Some(proof.id()),
    })
}

/// The host makes the département's accounts, whenever it must, and one of the first two of another
/// organisation as long as the département has nobody who could sign for it.
///
/// # Errors
/// [`NotManaged`].
pub fn first_account_by_host(
    into: &Organisation,
    taken: Taken,
    managers: OtherManagers,
    people: DepartementPeople,
) -> Result<FirstAccount, NotManaged> {
    takes_part(into)?;
    if into.kind() != OrganisationKind::Departement {
        if managers.0 >= ENOUGH_MANAGERS {
            return Err(NotManaged::ManagesItself);
        }
        if people.0 >= ENOUGH_PEOPLE {
            return Err(NotManaged::NotTheHost);
        }
    }
    free(taken)?;
    Ok(FirstAccount { organisation: into.id(), by: Maker::Host, countersignature: None })
}
