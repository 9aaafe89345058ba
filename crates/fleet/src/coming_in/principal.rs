//! Who asks: a [`Principal`] comes only from a session or a token that was checked, from the calendar, or from
//! the machine itself.
//!
//! It says who someone is, never what they may do: that is read anew, in the transaction of each act, from the
//! rows of their account. A role that was taken back while a request waited counts for nothing.

use governance::sign_in;
use governance::{Access, NotAllowed, Permission, Place, Reach, Standing};
use store::api_tokens::ApiToken;
use store::sessions::Session;
use store::standings::{self, Bearer, Named};
use store::{Tx, Within};
use types::{AccountId, Actor, ApiTokenId, Instant, SessionId};

use crate::{Fleet, Refusal};

/// How the holder of an account came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By a session.
    Session(SessionId),
    /// By a token of the API.
    Token {
        /// The token.
        id: ApiTokenId,
        /// When a code of the second factor came with this very request.
        code_at: Option<Instant>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Account { id: AccountId, way: Way },
    Calendar,
    Host,
}

/// Who asks. Every use case takes one and authorises first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    who: Who,
}

/// A person as their rows describe them in this transaction: what they may do, and how they came in.
#[derive(Debug)]
pub(crate) struct Person {
    /// Their account, its organisation and its roles.
    pub(crate) standing: Standing,
    /// Their session or token.
    pub(crate) access: Access,
}

impl Person {
    /// Whoever bears a session that goes on.
    pub(super) fn by_session(bearer: Bearer<Session>, now: Instant) -> Result<Self, Refusal> {
        let Bearer { credential: session, standing } = bearer;
        goes_on(&session, now)?;
        Ok(Self { standing, access: Access::Session { stepped_up_at: session.stepped_up_at } })
    }

    /// Whoever bears a token that is in force; `code_at` is when a code of the second factor came with it.
    pub(super) fn by_token(
        bearer: Bearer<ApiToken>,
        code_at: Option<Instant>,
        now: Instant,
    ) -> Result<Self, Refusal> {
        let Bearer { credential: token, standing } = bearer;
        if !is_in_force(&token, now) {
            return Err(Refusal::NotAuthenticated);
        }
        let scope =
            token.scope.parse().map_err(|error: types::InvalidName| Refusal::Internal(error.to_string()))?;
        Ok(Self { standing, access: Access::Token { scope, colleges: token.reach, stepped_up_at: code_at } })
    }
}

impl Principal {
    /// The holder of an account, whose session or token [`super::admit`] has just checked.
    pub(crate) const fn of_account(id: AccountId, way: Way) -> Self {
        Self { who: Who::Account { id, way } }
    }

    /// The calendar: due work. `clippy.toml` bans this function outside `jobs`.
    #[must_use]
    pub const fn calendar() -> Self {
        Self { who: Who::Calendar }
    }

    /// Whoever runs a command on the machine itself, which owns the key file and the database. They see to the
    /// machine; tablets and people are none of their business, except for the first accounts (C3.1.7).
    /// `clippy.toml` bans this function outside `ardoise`.
    #[must_use]
    pub const fn host() -> Self {
        Self { who: Who::Host }
    }

    /// The actor that the audit log names.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        match self.who {
            Who::Account { id, .. } => Actor::Account(id),
            Who::Calendar => Actor::Calendar,
            Who::Host => Actor::Host,
        }
    }

    /// Their account and the way they came in, if it is a person.
    pub(crate) const fn account(&self) -> Option<(AccountId, Way)> {
        match self.who {
            Who::Account { id, way } => Some((id, way)),
            Who::Calendar | Who::Host => None,
        }
    }

    /// Their account, if they have one: whoever is at the machine itself has none.
    pub(crate) fn actor_account(&self) -> Option<AccountId> {
        self.account().map(|(id, _way)| id)
    }

    /// Passes whoever is at the machine itself.
    pub(crate) fn must_be_host(&self) -> Result<(), Refusal> {
        if self.who == Who::Host {
            Ok(())
        } else {
            Err(Refusal::OtherHands("by whoever runs `ardoise` on the server’s machine"))
        }
    }

    /// Passes the calendar.
    pub(crate) fn must_be_calendar(&self) -> Result<(), Refusal> {
        if self.who == Who::Calendar {
            Ok(())
        } else {
            Err(Refusal::OtherHands("by the calendar, when it is due"))
        }
    }

    /// The person, read anew.
    ///
    /// # Errors
    /// [`Refusal::NotAuthenticated`] when the session or token ended since the door looked at it;
    /// [`Refusal::OtherHands`] for the calendar and the host, who are no person.
    pub(crate) fn person(&self, tx: &mut Tx<'_>, now: Instant) -> Result<Person, Refusal> {
        let (id, way) = self.account().ok_or(Refusal::OtherHands("by a person who signs in"))?;
        let person = match way {
            Way::Session(session) => {
                let bearer = standings::of_session(tx, Named::Id(session))?;
                Person::by_session(bearer.ok_or(Refusal::NotAuthenticated)?, now)?
            }
            Way::Token { id, code_at } => {
                let bearer = standings::of_token(tx, Named::Id(id))?;
                Person::by_token(bearer.ok_or(Refusal::NotAuthenticated)?, code_at, now)?
            }
        };
        if person.standing.account() == id { Ok(person) } else { Err(Refusal::NotAuthenticated) }
    }

    /// Where this may be done by whoever asks.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] says what is missing.
    pub(crate) fn may(
        &self,
        tx: &mut Tx<'_>,
        permission: Permission,
        now: Instant,
    ) -> Result<Reach, Refusal> {
        let person = self.person(tx, now)?;
        Ok(person.standing.may(permission, &person.access, now)?)
    }

    /// The rows of a list that whoever asks may see.
    ///
    /// # Errors
    /// As [`Principal::may`].
    pub(crate) fn may_list(
        &self,
        tx: &mut Tx<'_>,
        permission: Permission,
        now: Instant,
    ) -> Result<Within, Refusal> {
        Ok(within(self.may(tx, permission, now)?))
    }

    /// Passes whoever may do this to the whole fleet, or to the server.
    ///
    /// # Errors
    /// As [`Principal::may`].
    pub(crate) fn may_everywhere(
        &self,
        tx: &mut Tx<'_>,
        permission: Permission,
        now: Instant,
    ) -> Result<(), Refusal> {
        covers(&self.may(tx, permission, now)?, permission, &Place::Fleet)
    }

    /// Passes whoever may do this at that place. What is elsewhere is refused, not hidden: for what has a number of
    /// its own, ask [`Principal::may`] and answer that there is none (T-C1).
    ///
    /// # Errors
    /// As [`Principal::may`].
    pub(crate) fn may_at(
        &self,
        tx: &mut Tx<'_>,
        permission: Permission,
        place: &Place,
        now: Instant,
    ) -> Result<(), Refusal> {
        covers(&self.may(tx, permission, now)?, permission, place)
    }

    /// Passes whoever may do this somewhere: doors ask before they read a long body. The use case asks again.
    ///
    /// # Errors
    /// As [`Principal::may`].
    pub async fn require(&self, fleet: &Fleet, permission: Permission, now: Instant) -> Result<(), Refusal> {
        let principal = self.clone();
        fleet.store().read(move |tx| principal.may(tx, permission, now).map(|_somewhere| ())).await
    }
}

/// The rows of a list that this reach has.
pub(crate) fn within(reach: Reach) -> Within {
    match reach {
        Reach::Everything => Within::Everything,
        Reach::Organisation(organisation) => Within::Organisation(organisation),
        Reach::Colleges(colleges) => Within::Colleges(colleges),
        // What is one's own stands in no list of a collège.
        Reach::Own(_) => Within::Colleges(std::collections::BTreeSet::new()),
    }
}

fn covers(reach: &Reach, permission: Permission, place: &Place) -> Result<(), Refusal> {
    if reach.covers(place) { Ok(()) } else { Err(NotAllowed::OutOfReach { permission }.into()) }
}

/// Passes a session that goes on.
fn goes_on(session: &Session, now: Instant) -> Result<(), Refusal> {
    let rule = sign_in::Session {
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
        revoked_at: session.revoked_at,
    };
    rule.goes_on(now).map_err(|_ended| Refusal::NotAuthenticated)
}

/// Whether a token is worth something now. One without an account is older than accounts, and opens nothing.
pub(super) fn is_in_force(token: &ApiToken, now: Instant) -> bool {
    token.account_id.is_some() && token.revoked_at.is_none() && token.expires_at.is_some_and(|end| now < end)
}
