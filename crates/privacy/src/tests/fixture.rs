//! Invented tables, a DPO, and a present.

use types::{AccountId, Instant, Role};

use crate::{
    Activity, Category, ColumnDeclaration, Datum, Entry, Holds, RetentionClass, TableDeclaration, Validation,
};

/// Monday 23 November 2026, so many seconds after ten in the evening (UTC).
pub(super) fn at(seconds: i64) -> Instant {
    Instant::from_millis(1_795_471_200_000 + seconds * 1000)
}

pub(super) const DAY: i64 = 86_400;

/// An account whose id is the same in every run.
pub(super) fn account(number: u8) -> AccountId {
    format!("019ab000-0000-7000-8000-0000000000{number:02x}").parse().unwrap()
}

const fn personal(name: &'static str, data: &'static [Datum]) -> ColumnDeclaration {
    ColumnDeclaration { name, holds: Holds::Personal(data) }
}

const fn number(name: &'static str) -> ColumnDeclaration {
    ColumnDeclaration { name, holds: Holds::NotPersonal("a number of ours") }
}

pub(super) const ACCOUNTS: TableDeclaration = TableDeclaration {
    table: "accounts",
    class: RetentionClass::Accounts,
    columns: &[
        number("id"),
        personal(
            "login",
            &[Datum { activity: Activity::AccountsAndAudit, category: Category::AccountIdentity }],
        ),
    ],
};

pub(super) const TABLETS: TableDeclaration = TableDeclaration {
    table: "tablets",
    class: RetentionClass::Equipment,
    columns: &[
        number("id"),
        personal(
            "serial",
            &[Datum { activity: Activity::DeviceManagement, category: Category::DeviceIdentifiers }],
        ),
    ],
};

pub(super) const OBSERVATIONS: TableDeclaration = TableDeclaration {
    table: "observations",
    class: RetentionClass::Observations,
    columns: &[
        number("kind"),
        personal(
            "body",
            &[
                Datum { activity: Activity::DeviceManagement, category: Category::DeviceState },
                Datum { activity: Activity::AppInventory, category: Category::ManagedApps },
            ],
        ),
    ],
};

/// `observations`, after a migration that made it say more.
pub(super) const OBSERVATIONS_WITH_MORE: TableDeclaration = TableDeclaration {
    columns: &[
        OBSERVATIONS.columns[0],
        OBSERVATIONS.columns[1],
        personal("opened", &[Datum { activity: Activity::AppInventory, category: Category::ManagedApps }]),
    ],
    ..OBSERVATIONS
};

pub(super) const DECLARED: &[TableDeclaration] = &[ACCOUNTS, TABLETS, OBSERVATIONS];
pub(super) const DECLARED_WITH_MORE: &[TableDeclaration] = &[ACCOUNTS, TABLETS, OBSERVATIONS_WITH_MORE];

/// The entry of the app inventory over the invented tables.
pub(super) fn apps() -> Entry {
    Entry::of(Activity::AppInventory, DECLARED)
}

/// Validated by the DPO, who read it.
pub(super) fn validated(entry: &Entry, now: Instant) -> Validation {
    Validation::decide(entry, &entry.digest(), account(1), Role::Dpo, now).unwrap()
}
