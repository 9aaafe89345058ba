//! The register of processing activities (C8.1; GDPR, art. 30): every entry, what it stores, and where it
//! stands.

use std::collections::BTreeMap;

use types::{AccountId, Instant};

use crate::{Activity, Entry, Status, TableDeclaration, Validation};

/// Who keeps the register, as its head says. What is not given is shown as not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Masthead {
    /// The controller: name and address.
    pub controller: Option<String>,
    /// How the DPO is reached.
    pub dpo: Option<String>,
    /// Names of the accounts that validated; an account that is not here is shown by its id.
    pub names: BTreeMap<AccountId, String>,
}

/// The register at one instant. It is printed as CSV ([`Register::to_csv`]), as a page
/// ([`Register::to_html`]), and serialises as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    pub(crate) masthead: Masthead,
    pub(crate) at: Instant,
    pub(crate) rows: Vec<(Entry, Status)>,
}

impl Register {
    /// The register of all activities: what the declarations store, and what the validations make of it now.
    #[must_use]
    pub fn new(
        masthead: Masthead,
        declared: &[TableDeclaration],
        validations: &[Validation],
        now: Instant,
    ) -> Self {
        let row = |entry: Entry| {
            let status = Status::of(&entry, validations, now);
            (entry, status)
        };
        Self { masthead, at: now, rows: Entry::all(declared).into_iter().map(row).collect() }
    }

    /// When it was drawn up.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Every entry and where it stands, in the order of the register.
    pub fn rows(&self) -> impl Iterator<Item = (&Entry, &Status)> {
        self.rows.iter().map(|(entry, status)| (entry, status))
    }

    /// One entry and where it stands.
    #[must_use]
    pub fn row(&self, activity: Activity) -> Option<(&Entry, &Status)> {
        self.rows().find(|(entry, _status)| entry.activity() == activity)
    }

    /// An account by its name, or by its id.
    pub(crate) fn name_of(&self, account: AccountId) -> String {
        self.masthead.names.get(&account).cloned().unwrap_or_else(|| account.to_string())
    }
}
