//! The register and the account of purges, printed: CSV, a page, JSON, plain words; and what
//! follows from it for people.

mod account;
mod csv;
mod html;
mod json;
mod people;
mod said;
mod subject;

pub use csv::Unrenderable;
pub use html::content_security_policy;
