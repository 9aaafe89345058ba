//! How people come in: sessions, tokens of the API, passwords and second factors; and who they then are.
//!
//! - [`sign_in`](sign_in()): login, password and code give a session;
//! - [`admit`]: at each request, who bears the session or token, and whether they may do this anywhere;
//! - [`Principal`]: who asks, as every use case takes it;
//! - [`sessions`], [`tokens`], [`factors`]: what people see to for themselves;
//! - [`invitation`]: the link with which an account begins, or is opened again.

mod admission;
pub mod factors;
pub mod invitation;
mod passwords;
mod principal;
pub mod sessions;
mod sign_in;
pub mod tokens;

pub use admission::{admit, identify};
pub(crate) use passwords::Passwords;
pub(crate) use principal::Person;
pub use principal::Principal;
pub(crate) use principal::Way;
pub(crate) use principal::within;
pub use sign_in::{Begun, sign_in};
