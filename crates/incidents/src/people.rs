//! Who declares, and who is the second person.

use types::{AccountId, Uai};

/// Whoever declared an incident: an ATI or a head, for a tablet of their collège.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declarant(pub AccountId);

/// The second person that a warrant needs (M1). Nobody else can be one, whatever they may do otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecondPerson {
    /// The head of a collège.
    Head {
        /// Their account.
        account: AccountId,
        /// Their collège.
        uai: Uai,
    },
    /// An operator of the département.
    Operator {
        /// Their account.
        account: AccountId,
    },
}

impl SecondPerson {
    /// Their account.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        match self {
            Self::Head { account, .. } | Self::Operator { account } => *account,
        }
    }
}
