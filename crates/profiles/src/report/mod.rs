//! Texts in, reports out: what a command or a page asks of layers before anything is approved.
//!
//! - [`lint`]: what is wrong with each text, and with any two of them together.
//! - [`preview`]: what a tablet would be given.
//! - [`diff`]: what differs between two texts, in words; [`everything`]: what one says, where there was none before.

mod diff;
mod lint;
mod masked;
mod preview;
mod words;

pub use diff::{Change, Direction, diff, diff_layers, everything};
pub use lint::{FileReport, LintReport, Together, lint};
pub use masked::masked;
pub use preview::{NoPreview, Platform, Preview, preview};

/// A text and the name by which its reader knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'s> {
    /// The name, such as `profiles/socle.toml`.
    pub file: &'s str,
    /// The text.
    pub text: &'s str,
}
