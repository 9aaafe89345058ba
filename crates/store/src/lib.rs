//! Floor 4: the memory: SQLite and PostgreSQL, one code base, one file per noun.
//!
//! A use case calls [`Store::write`] with a closure that loads, decides and saves through the functions of the
//! nouns (`tablets::insert(tx, …)`), all of which take [`Tx`]. The connect path has its own two calls,
//! [`Store::connect_read`] and [`Store::connect_write`]: one prepared read, and a write that shares its commit.
//!
//! Only this room knows tables. Only `commands::enqueue` queues a command, and it takes an
//! [`orders::Queueable`]: what is dangerous comes with its proof, and the tables' triggers look again.

pub mod account_makers;
pub mod accounts;
pub mod agreement_texts;
pub mod alarms;
pub mod api_tokens;
pub mod app_files;
pub mod apps;
pub mod audit;
pub mod authorities;
mod backup;
pub mod brake;
pub mod campaigns;
pub mod certificates;
pub mod challenges;
mod column;
pub mod commands;
mod connect;
mod connection;
pub mod countersignatures;
mod database;
mod declared;
pub mod deliveries;
pub mod departures;
pub mod destructions;
pub mod emergency_orders;
pub mod enrolment_ends;
pub mod enrolments;
pub mod erase_orders;
mod error;
pub mod figures;
pub mod forgotten;
mod grants;
mod group_commit;
pub mod incident_confirmations;
pub mod incident_declarations;
pub mod incident_hands;
pub mod incident_keys;
pub mod incident_papers;
pub mod incidents;
pub mod jobs;
pub mod last_decisions;
pub mod layer_suspensions;
pub mod links;
pub mod lists;
pub mod loan_years;
pub mod loans;
pub mod lost_modes;
pub mod mails;
mod many;
mod migrate;
pub mod notice_delays;
pub mod noticed_corrections;
pub mod notices;
pub mod notices_due;
mod noun;
pub mod observations;
pub mod organisations;
pub mod orphans;
pub mod paper_corrections;
pub mod persons;
pub mod position_looks;
pub mod position_requests;
mod prepared;
pub mod presence;
pub mod privacy_validations;
pub mod profile_approvals;
pub mod profile_versions;
pub mod purge;
pub mod purges;
pub mod push_certificates;
pub mod push_states;
pub mod repairs;
pub mod replacements;
mod report;
pub mod restitutions;
pub mod restore;
pub mod restrictions;
pub mod return_profiles;
pub mod role_grants;
pub mod rollouts;
pub mod rotation;
mod schema;
pub mod school_years;
pub mod segments;
pub mod sessions;
pub mod settings;
pub mod shared_folder;
pub mod signatures;
pub mod standings;
mod store;
pub mod subject_data;
pub mod supervision_exceptions;
pub mod supplier_repairs;
pub mod tablet_modes;
pub mod tablets;
pub mod takeovers;
#[cfg(test)]
mod tests;
mod transaction;
pub mod transfers;
pub mod untold;
mod url;
mod vault;
mod vitals;
pub mod warrant_grants;
pub mod warrant_notices;
pub mod warrants;
pub mod warranty_verdicts;
mod within;

pub use backup::Restored;
pub use connect::{ConnectEnrolment, ConnectKey, ConnectRow, NextCommand, ReportedCommand};
pub use declared::declarations;
pub use error::StoreError;
pub use group_commit::{GroupCommit, Together, Work};
pub use migrate::Migrated;
pub use report::{
    CommandOutcome, CommandReport, ConnectWrite, ConnectWritten, Delivered, Delivery, ReportFate,
    ReportedFacts,
};
pub use store::{Store, StoreOptions};
pub use transaction::Tx;
pub use types::Digest;
pub use url::{DatabaseUrl, Engine};
pub use vault::{RowName, TAG_LENGTH, Vault, VaultError};
pub use vitals::Vitals;
pub use within::Within;
