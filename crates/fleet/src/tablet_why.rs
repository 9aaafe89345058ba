//! *Why does this tablet not come?* How it stands with being woken, and what the first thing that waits for it waits
//! for.

use governance::Permission;
use store::{commands, enrolments, presence, push_states};
use types::{CommandId, Instant};

use crate::tablets::{self, Named};
use crate::why::Why;
use crate::{Fleet, Principal, Refusal};

/// How a tablet stands with being woken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TabletWhy {
    /// The answer in one sentence; about the first command that waits, if one does.
    pub why: Why,
    /// The first command that waits for it.
    pub command: Option<CommandId>,
    /// How many wait.
    pub waiting: u64,
    /// When it last spoke to us.
    pub last_seen: Option<Instant>,
    /// When it was last pushed.
    pub pushed: Option<Instant>,
    /// How many pushes Apple took since it last came for them.
    pub unanswered: u32,
    /// When it is pushed next, unless it comes by itself before.
    pub next_push: Option<Instant>,
}

/// Explains a tablet.
///
/// # Errors
/// [`Refusal::NotFound`] for the tablet.
pub async fn why(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    now: Instant,
) -> Result<TabletWhy, Refusal> {
    let (principal, quiet_hours) = (principal.clone(), fleet.settings().quiet_hours);
    fleet
        .store()
        .read(move |tx| {
            let tablet = tablets::reached(tx, &principal, Permission::ViewTablets, &named, now)?;
            let Some(enrolment) = enrolments::live_of_tablet(tx, tablet.id)? else {
                return Ok(nothing(Why {
                    code: "not-enrolled",
                    english: "the tablet is not enrolled; enrol it with a link or through automated enrolment".into(),
                    french: "la tablette n’est pas enrôlée ; enrôlez-la par un lien ou par l’enrôlement automatisé".into(),
                }));
            };
            let pending = commands::pending(tx, enrolment.id)?;
            let state = push_states::get(tx, &enrolment.id)?;
            let why = match pending.first() {
                Some(command) => crate::commands::explain(tx, command, quiet_hours, now)?,
                None => Why {
                    code: "nothing-waits",
                    english: "nothing waits for the tablet, so it is not woken".into(),
                    french: "rien n’attend la tablette, elle n’est donc pas réveillée".into(),
                },
            };
            Ok(TabletWhy {
                why,
                command: pending.first().map(|command| command.id),
                waiting: u64::try_from(pending.len()).unwrap_or(u64::MAX),
                last_seen: presence::last_seen(tx, enrolment.id)?,
                pushed: state.as_ref().and_then(|state| state.pushed_at),
                unanswered: state.as_ref().map_or(0, |state| u32::try_from(state.unanswered).unwrap_or(0)),
                next_push: state.filter(|state| state.token_invalid_since.is_none()).and_then(|state| state.due_at),
            })
        })
        .await
}

fn nothing(why: Why) -> TabletWhy {
    TabletWhy {
        why,
        command: None,
        waiting: 0,
        last_seen: None,
        pushed: None,
        unanswered: 0,
        next_push: None,
    }
}
