//! A tablet goes from one collège to another: both consent, each by a person of its own, and nobody holds it or has data on
//! it. It stays the département's (C3.3.2).

use types::{AccountId, Instant, TransferId, Uai};

use crate::Refused;
use crate::list::Signed;

/// A tablet that is to go, as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToMove {
    /// Whether it is lent.
    pub lent: bool,
    /// Whether nobody held it since it was last proven erased.
    pub clean: bool,
    /// Whether an incident about it is open.
    pub incident_open: bool,
    /// Whether the supplier has it, or it is retired or given away.
    pub set_aside: bool,
}

impl ToMove {
    /// Lets it go, if nothing of anybody's is on it.
    ///
    /// # Errors
    /// [`Refused::StaysHere`] with the first reason.
    pub fn may_go(&self) -> Result<(), Refused> {
        let why = if self.lent {
            "it is lent, and a loan is of the collège that made it: receive it first"
        } else if !self.clean {
            "it is not proven erased since it was last held: finish its restitution"
        } else if self.incident_open {
            "an incident about it is open"
        } else if self.set_aside {
            "it is at the supplier’s, retired or given away"
        } else {
            return Ok(());
        };
        Err(Refused::StaysHere(why))
    }
}

/// Who consents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The collège that gives.
    Gives,
    /// The collège that takes.
    Takes,
}

/// A transfer, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    transfer: TransferId,
    from: Uai,
    to: Uai,
    given: Option<Signed>,
    taken: Option<Signed>,
    over: bool,
}

impl Transfer {
    /// A transfer is proposed. It is done when both sides have consented.
    ///
    /// # Errors
    /// [`Refused::StaysHere`] for a tablet that is there already, or that cannot go.
    pub fn propose(transfer: TransferId, from: Uai, to: Uai, what: &ToMove) -> Result<Self, Refused> {
        if from == to {
            return Err(Refused::StaysHere("it is of that collège already"));
        }
        what.may_go()?;
        Ok(Self { transfer, from, to, given: None, taken: None, over: false })
    }

    /// A transfer as its row holds it. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    #[must_use]
    pub fn from_row(
        transfer: TransferId,
        (from, to): (Uai, Uai),
        (given, taken): (Option<Signed>, Option<Signed>),
        over: bool,
    ) -> Self {
        Self { transfer, from, to, given, taken, over }
    }

    /// Its id.
    #[must_use]
    pub fn transfer(&self) -> TransferId {
        self.transfer
    }

    /// The consents: of whoever gives, and of whoever takes.
    #[must_use]
    pub fn consents(&self) -> (Option<Signed>, Option<Signed>) {
        (self.given, self.taken)
    }

    /// Whether both sides consented: the tablet goes.
    #[must_use]
    pub fn is_agreed(&self) -> bool {
        self.given.is_some() && self.taken.is_some()
    }

    /// The side on which somebody speaks who decides for these collèges; the one that has not consented, if they decide
    /// for both.
    ///
    /// # Errors
    /// [`Refused::NotTheirSide`].
    pub fn side(&self, decides: impl Fn(&Uai) -> bool) -> Result<Side, Refused> {
        match (decides(&self.from), decides(&self.to)) {
            (true, true) if self.given.is_some() => Ok(Side::Takes),
            (true, _) => Ok(Side::Gives),
            (false, true) => Ok(Side::Takes),
            (false, false) => Err(Refused::NotTheirSide { from: self.from.clone(), to: self.to.clone() }),
        }
    }

    /// One side consents, if the tablet can go as it is now. What a side said, it said once.
    ///
    /// # Errors
    /// [`Refused::TransferOver`]; [`Refused::SamePerson`] for whoever consented for the other side;
    /// [`Refused::StaysHere`].
    pub fn consent(&self, side: Side, by: AccountId, what: &ToMove, now: Instant) -> Result<Self, Refused> {
        if self.over {
            return Err(Refused::TransferOver);
        }
        what.may_go()?;
        let signed = Signed { by, at: now };
        let (given, taken) = match side {
            Side::Gives => (Some(self.given.unwrap_or(signed)), self.taken),
            Side::Takes => (self.given, Some(self.taken.unwrap_or(signed))),
        };
        if let (Some(given), Some(taken)) = (given, taken)
            && given.by == taken.by
        {
            return Err(Refused::SamePerson);
        }
        Ok(Self { given, taken, ..self.clone() })
    }

    /// Takes it back, or refuses it: either side may, as long as it was not done.
    ///
    /// # Errors
    /// [`Refused::TransferOver`].
    pub fn withdraw(&self) -> Result<Self, Refused> {
        if self.over { Err(Refused::TransferOver) } else { Ok(Self { over: true, ..self.clone() }) }
    }
}
