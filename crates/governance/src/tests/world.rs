//! A département, an académie, two collèges, and people in them.

use std::collections::BTreeSet;

use types::{
    AccountId, CountersignatureId, Duration, Instant, OrganisationId, OrganisationKind, Role, RoleGrantId,
    Uai,
};

use crate::countersignature::{
    Asked, Content, CountersignatureRow, Countersigned, NotCountersigned, Parties, Purpose, Question,
    SecondPerson, Subject, Verdict,
};
use crate::{
    APPROVERS_WAIT, Access, Account, AccountState, Deed, GrantReach, GrantRow, Hands, Maker, Making,
    Organisation, OrganisationState, RoleGrant, Standing,
};

pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3_600);
pub(super) const DAY: Duration = Duration::from_secs(86_400);
pub(super) const MILLISECOND: Duration = Duration::from_millis(1);

/// A Wednesday afternoon in November.
pub(super) fn now() -> Instant {
    Instant::from_millis(1_795_611_600_000)
}

pub(super) fn uai(number: u32) -> Uai {
    format!("076{number:04}A").parse().unwrap()
}

pub(super) fn uais(numbers: &[u32]) -> BTreeSet<Uai> {
    numbers.iter().map(|number| uai(*number)).collect()
}

pub(super) fn departement() -> Organisation {
    organisation(OrganisationKind::Departement, None)
}

pub(super) fn academie() -> Organisation {
    organisation(OrganisationKind::Academie, None)
}

pub(super) fn college(number: u32) -> Organisation {
    organisation(OrganisationKind::College, Some(uai(number)))
}

fn organisation(kind: OrganisationKind, uai: Option<Uai>) -> Organisation {
    Organisation::new(OrganisationId::new(now()), kind, uai, OrganisationState::Active).unwrap()
}

/// Somebody in the making: by default an account in use, whose roles somebody at the machine gave a year ago.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: AccountId,
    pub(super) organisation: Organisation,
    pub(super) state: AccountState,
    pub(super) grants: Vec<GrantRow>,
}

impl Person {
    pub(super) fn of(organisation: &Organisation) -> Self {
        let id = AccountId::new(now());
        Self { id, organisation: organisation.clone(), state: AccountState::Active, grants: Vec::new() }
    }

    pub(super) fn with(self, role: Role) -> Self {
        let reach =
            if role == Role::Ati { GrantReach::Colleges(uais(&[1])) } else { GrantReach::Organisation };
        self.reaching(role, reach)
    }

    pub(super) fn reaching(mut self, role: Role, reach: GrantReach) -> Self {
        let approves = role == Role::Approver;
        let long_ago = now().minus(DAY * 365);
        self.grants.push(GrantRow {
            id: RoleGrantId::new(now()),
            account: self.id,
            role,
            reach,
            // Somebody who has left since.
            granted_by: if approves { Maker::Account(AccountId::new(long_ago)) } else { Maker::Host },
            granted_at: long_ago,
            confirmed_by: approves.then(|| AccountId::new(long_ago)),
            confirmed_at: approves.then_some(long_ago),
            effective_at: approves.then(|| long_ago.plus(APPROVERS_WAIT)),
            revoked_at: None,
            revoked_by: None,
        });
        self
    }

    pub(super) fn given(mut self, by: &Standing, at: Instant) -> Self {
        for grant in &mut self.grants {
            (grant.granted_by, grant.granted_at) = (Maker::Account(by.account()), at);
        }
        self
    }

    pub(super) fn who_is(mut self, state: AccountState) -> Self {
        self.state = state;
        self
    }

    #[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
    pub(super) fn account(&self) -> Account {
        Account::from_row(self.id, self.organisation.clone(), self.state)
    }

    #[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
    pub(super) fn standing(&self) -> Standing {
        let grants = self.grants.iter().cloned().map(|row| RoleGrant::from_row(row).unwrap()).collect();
        Standing::new(self.account(), grants).unwrap()
    }
}

pub(super) fn someone(organisation: &Organisation, role: Role) -> Standing {
    Person::of(organisation).with(role).standing()
}

/// A session in which a code was shown at this instant.
pub(super) fn session(at: Instant) -> Access {
    Access::Session { stepped_up_at: Some(at) }
}

pub(super) fn made(account: &Standing, by: &Standing, deed: Deed, at: Instant) -> Making {
    Making { account: account.account(), deed, by: Maker::Account(by.account()), at }
}

pub(super) fn nobody_made_anybody() -> Hands {
    Hands::default()
}

#[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
pub(super) fn read(row: CountersignatureRow) -> Asked {
    Asked::from_row(row).unwrap()
}

/// What was asked, and answered with yes, as it stands in its row afterwards.
pub(super) fn given(asked: &Asked, parties: Parties<'_>, at: Instant) -> Result<Asked, NotCountersigned> {
    let seen = asked.question().content.digest();
    let answer = asked.answer(Verdict::Give, seen, parties, &session(at), at)?;
    let mut row = asked.to_row();
    (row.state, row.answered_by, row.answered_at) = (answer.state(), Some(answer.by()), Some(answer.at()));
    Ok(read(row))
}

pub(super) fn question(purpose: Purpose, about: (Subject, Content), second: SecondPerson) -> Question {
    let (subject, content) = about;
    Question { purpose, subject, content, second, reason: "it is needed".to_owned() }
}

/// A question that was asked, answered with yes, and is about to be used: all in one instant.
pub(super) fn countersigned(
    question: Question,
    parties: Parties<'_>,
    at: Instant,
) -> Result<Countersigned, NotCountersigned> {
    let (purpose, subject, content) = (question.purpose, question.subject.clone(), question.content.clone());
    let asked = Asked::ask(CountersignatureId::new(at), question, parties.asker, &session(at), at).unwrap();
    Countersigned::read_back(&given(&asked, parties, at)?, purpose, &subject, &content, parties, at)
}
