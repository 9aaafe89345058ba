//! Floor 6: the calendar and the messengers.
//!
//! Four tasks, started together and stopped together. The *messenger* wakes tablets for which something waits:
//! it claims those that are due, sends one push to each, however many commands wait, and records what Apple
//! said. The *calendar* does what is due by the clock: it expires commands, starts the renewal of certificates,
//! forgets what was kept for long enough, and tidies up what nobody will use any more. The *sealer* chains the entries
//! of the audit log, a second after they were written. The *postman* hands notices to the mail server, if there is one, and
//! reads what comes back.
//!
//! All work in rounds over the database and hold nothing that matters between two of them: any number of
//! nodes may run them over one database, and one that dies leaves leases that run out. A round that fails is
//! logged and comes again.

mod calendar;
mod messenger;
mod postman;
mod runner;
mod sealer;

pub use messenger::PushService;
pub use postman::MailService;
pub use runner::{Rhythm, Runner, Waker, start};
