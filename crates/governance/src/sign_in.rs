//! Signing in: passwords, second factors, invitations, sessions, and how often one may try.
//!
//! Nothing here draws a secret or reads a clock: salts, secrets and instants are handed in.

mod attempts;
mod check;
mod one_time;
mod password;
mod second_factor;
mod session;

pub use attempts::{Attempts, LONGEST_LOCK, Locked};
pub use check::{Credentials, NOT_SIGNED_IN, NotSignedIn, NotSteppedUp, SignedIn, check, step_up};
pub use one_time::{NotRedeemed, OneTimeSecret, OneTimeUse};
pub use password::{About, Cost, NewPassword, NotHashed, PasswordHash, WeakPassword};
pub use second_factor::{CodeRefused, SecondFactor, Step};
pub use session::{IDLE_FOR, LASTS_FOR, NotTheFirst, Session, SessionEnded, first_second_factor};
