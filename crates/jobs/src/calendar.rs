//! The calendar: what is due by the clock. It decides when; `fleet::upkeep` does it.

use std::sync::Arc;

use fleet::brake::held;
use fleet::lending::{calendar as loans, handover, modes, orders, turn};
use fleet::{Fleet, Principal, Refusal, apps, incidents, mail, profiles, purges, segments, upkeep};
use types::{Clock, Day, Duration, Instant};

use crate::Waker;

/// Between two expiries of commands.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);
/// Between two looks at certificates.
const RENEW_EVERY: Duration = Duration::from_secs(6 * 3_600);
/// Between two looks at the push certificate's expiry.
const WATCH_EVERY: Duration = Duration::from_secs(3_600);
/// Between two looks for classes of data that were not purged for a day, here or by another node.
const PURGE_EVERY: Duration = Duration::from_secs(3_600);
/// Between two looks at what the DPO switched off.
const SWITCH_EVERY: Duration = Duration::from_secs(60);
/// Between two looks for versions whose day has come.
const PUBLISH_EVERY: Duration = Duration::from_secs(30);
/// Between two looks at how roll-outs go.
const ROLL_OUT_EVERY: Duration = Duration::from_secs(300);
/// Between two looks at what nobody will use any more.
const TIDY_EVERY: Duration = Duration::from_secs(86_400);
/// Between two looks at handovers under reserve.
const RESERVES_EVERY: Duration = Duration::from_secs(600);
/// Between two looks at warrants and lost mode.
const MISSING_EVERY: Duration = Duration::from_secs(30);
/// Between two looks for keys of incidents whose time has come.
const KEYS_EVERY: Duration = Duration::from_secs(3_600);
/// Between two looks at the files that nobody gives out any more.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// Between two looks for loans whose holder has left.
const LOANS_EVERY: Duration = Duration::from_secs(600);
/// Between two looks for people whom a new list does not name.
const TURN_EVERY: Duration = Duration::from_secs(3_600);
/// Between two looks at receipts whose notice has elapsed, and at orders that are past.
const ERASE_EVERY: Duration = Duration::from_secs(60);

/// Between two looks for what holders are to be told.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Does what is due, round after round.
#[derive(Debug)]
pub(crate) struct Calendar {
    fleet: Fleet,
    clock: Arc<dyn Clock>,
    waker: Waker,
    expired_at: Option<Instant>,
    answers_at: Option<Instant>,
    renewed_at: Option<Instant>,
    watched_at: Option<Instant>,
    purged_at: Option<Instant>,
    switched_at: Option<Instant>,
    lapsed_at: Option<Instant>,
    published_at: Option<Instant>,
    rolled_out_at: Option<Instant>,
    swept_at: Option<Instant>,
    reserves_at: Option<Instant>,
    ordered_at: Option<Instant>,
    loans_at: Option<Instant>,
    turned_at: Option<Instant>,
    missing_at: Option<Instant>,
    keys_at: Option<Instant>,
    told_at: Option<Instant>,
    /// The day whose reminders were written.
    reminded_on: Option<Day>,
}

impl Calendar {
    pub(crate) fn new(fleet: Fleet, clock: Arc<dyn Clock>, waker: Waker) -> Self {
        Self {
            fleet,
            clock,
            waker,
            expired_at: None,
            answers_at: None,
            renewed_at: None,
            watched_at: None,
            purged_at: None,
            switched_at: None,
            lapsed_at: None,
            published_at: None,
            rolled_out_at: None,
            swept_at: None,
            reserves_at: None,
            ordered_at: None,
            loans_at: None,
            turned_at: None,
            missing_at: None,
            keys_at: None,
            told_at: None,
            reminded_on: None,
        }
    }

    /// Does whatever is due now. What fails is logged, and is due again in the next round.
    pub(crate) async fn round(&mut self) {
        let (fleet, now) = (&self.fleet, self.clock.now());
        #[expect(clippy::disallowed_methods, reason = "this is the calendar")]
        let calendar = Principal::calendar();
        if is_due(self.expired_at, EXPIRE_EVERY, now)
            && done("expire commands", &upkeep::expire_commands(fleet, &calendar, now).await)
        {
            self.expired_at = Some(now);
        }
        if is_due(self.answers_at, EXPIRE_EVERY, now)
            && done("give up what nobody answered", &held::lapse(fleet, &calendar, now).await)
        {
            self.answers_at = Some(now);
        }
        if is_due(self.renewed_at, RENEW_EVERY, now) {
            let asked = upkeep::renew_identities(fleet, &calendar, now).await;
            if asked.as_ref().is_ok_and(|asked| *asked > 0) {
                self.waker.wake();
            }
            if done("start renewals", &asked) {
                self.renewed_at = Some(now);
            }
        }
        done("where lent tablets stand", &modes::follow(fleet, &calendar, now).await);
        let followed = segments::follow(fleet, &calendar, now).await.map(|walked| walked.moved);
        done("put tablets into segments", &followed);
        let woken = segments::wake_due(fleet, &calendar, now).await;
        if woken.as_ref().is_ok_and(|woken| *woken > 0) {
            self.waker.wake();
        }
        done("wake tablets for their configuration", &woken);
        if is_due(self.watched_at, WATCH_EVERY, now)
            && done("push certificate expires", &upkeep::watch_push_certificate(fleet, &calendar, now).await)
        {
            self.watched_at = Some(now);
        }
        if is_due(self.purged_at, PURGE_EVERY, now)
            && done("forget what was kept for long enough", &purges::run(fleet, &calendar, now).await)
        {
            self.purged_at = Some(now);
        }
        if is_due(self.switched_at, SWITCH_EVERY, now)
            && done("forget what is switched off", &purges::forget_what_is_off(fleet, &calendar, now).await)
        {
            self.switched_at = Some(now);
        }
        if is_due(self.lapsed_at, TIDY_EVERY, now)
            && done("let unused invitations lapse", &upkeep::lapse_invitations(fleet, &calendar, now).await)
        {
            self.lapsed_at = Some(now);
        }
        if is_due(self.published_at, PUBLISH_EVERY, now)
            && done("publish what is due", &profiles::publish_due(fleet, &calendar, now).await)
        {
            self.published_at = Some(now);
        }
        if is_due(self.rolled_out_at, ROLL_OUT_EVERY, now)
            && done("move roll-outs on", &profiles::advance_due(fleet, &calendar, now).await)
        {
            self.rolled_out_at = Some(now);
        }
        if is_due(self.reserves_at, RESERVES_EVERY, now)
            && done("reserves that are in order", &handover::settle_reserves(fleet, &calendar, now).await)
        {
            self.reserves_at = Some(now);
        }
        if is_due(self.missing_at, MISSING_EVERY, now) {
            let ended = incidents::warrants::end_run_out(fleet, &calendar, now).await;
            let told = incidents::reconcile(fleet, &calendar, now).await;
            if told.as_ref().is_ok_and(|told| *told > 0) {
                self.waker.wake();
            }
            let (ended, told) =
                (done("end warrants that ran out", &ended), done("bring lost mode in line", &told));
            if ended && told {
                self.missing_at = Some(now);
            }
        }
        if is_due(self.keys_at, KEYS_EVERY, now)
            && done("destroy keys of incidents", &incidents::keys::destroy_due(fleet, &calendar, now).await)
        {
            self.keys_at = Some(now);
        }
        if is_due(self.swept_at, SWEEP_EVERY, now)
            && done("sweep apps that nobody gives out", &apps::sweep::run(fleet, &calendar, now).await)
        {
            self.swept_at = Some(now);
        }
        if is_due(self.loans_at, LOANS_EVERY, now)
            && done("end the loans of who left", &loans::end_of_attendance(fleet, &calendar, now).await)
        {
            self.loans_at = Some(now);
        }
        if is_due(self.turned_at, TURN_EVERY, now)
            && done("count who has left", &turn::of_the_year(fleet, &calendar, now).await)
        {
            self.turned_at = Some(now);
        }
        if is_due(self.ordered_at, ERASE_EVERY, now) {
            let ended =
                done("end erase orders that are past", &orders::end_past(fleet, &calendar, now).await);
            let given = orders::give_due(fleet, &calendar, now).await;
            if given.as_ref().is_ok_and(|given| *given > 0) {
                self.waker.wake();
            }
            if done("order what is due to be erased", &given) && ended {
                self.ordered_at = Some(now);
            }
        }
        // Once for each day in Paris. Another node, or this one started again, finds them written.
        let today = Day::of(now);
        if self.reminded_on != Some(today)
            && done("remind of what is due back", &mail::writing::remind(fleet, &calendar, now).await)
        {
            self.reminded_on = Some(today);
        }
        if is_due(self.told_at, TELL_EVERY, now) {
            let told = mail::writing::tell_what_happened(fleet, &calendar, now).await;
            let watched = done("mail that waits", &mail::shown::watch(fleet, &calendar, now).await);
            let by_hand = incidents::telling::watch(fleet, &calendar, now).await;
            let watched = done("warrants that somebody must tell of", &by_hand) && watched;
            if done("tell holders what happened", &told) && watched {
                self.told_at = Some(now);
            }
        }
    }
}

/// Whether something done `last` is due. A clock that was set back makes nothing wait longer than `every`.
fn is_due(last: Option<Instant>, every: Duration, now: Instant) -> bool {
    last.is_none_or(|last| now < last || now.since(last) >= every)
}

fn done(what: &'static str, outcome: &Result<usize, Refusal>) -> bool {
    match outcome {
        Ok(0) => true,
        Ok(count) => {
            tracing::info!(what, count, "calendar");
            true
        }
        Err(error) => {
            tracing::warn!(what, %error, "calendar: not done; trying again");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_due_at_first_then_by_the_clock_even_when_it_is_set_back() {
        let at = Instant::from_millis;
        assert!(is_due(None, TIDY_EVERY, at(5)));
        assert!(!is_due(Some(at(0)), TIDY_EVERY, at(86_399_999)));
        assert!(is_due(Some(at(0)), TIDY_EVERY, at(86_400_000)));
        assert!(is_due(Some(at(86_400_000)), TIDY_EVERY, at(5)));
    }
}
