//! The register and the account of purges, printed: CSV, a page, JSON, plain words.

mod account;
mod csv;
mod html;
mod json;
mod said;

pub use csv::Unrenderable;
pub use html::content_security_policy;
