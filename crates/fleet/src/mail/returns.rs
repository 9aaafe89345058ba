//! What comes back: a mail that the server had taken reached nobody, and its notice counts no more (M3).

use outbound::mail::ReturnToken;
use store::mails::{self, MailState};
use store::{notices, warrant_notices};
use types::Instant;

use super::sending::end;
use crate::{Fleet, Principal, Refusal};

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It is about this mail, which had not come back before.
    Bounced,
    /// It changes nothing: the mail ended otherwise.
    Before,
    /// We know of no such mail.
    Unknown,
}

/// Records that a mail came back, with the status that the report names. The messenger's work.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar; [`Refusal::Store`].
pub async fn record(
    fleet: &Fleet,
    principal: &Principal,
    token: ReturnToken,
    status: String,
    now: Instant,
) -> Result<Known, Refusal> {
    principal.must_be_calendar()?;
    fleet
        .store()
        .write_held(move |tx| {
            let Some(mail) = mails::hold_by_token(tx, token.as_str())? else { return Ok(Known::Unknown) };
            match mail.state {
                MailState::Accepted => {
                    if let Some(notice) = mail.notice_id {
                        notices::bounce(tx, notice)?;
                    }
                    let of = mail.warrant_id.zip(mail.occasion);
                    end(tx, mail, MailState::Bounced, &status, now)?;
                    if let Some((warrant, occasion)) = of {
                        warrant_notices::came_back(tx, warrant, occasion)?;
                    }
                    Ok(Known::Bounced)
                }
                // It went, and the machine died before it could write that down.
                MailState::Waiting => {
                    end(tx, mail, MailState::Refused, &status, now)?;
                    Ok(Known::Bounced)
                }
                MailState::Refused | MailState::GivenUp | MailState::Bounced => Ok(Known::Before),
            }
        })
        .await
}
