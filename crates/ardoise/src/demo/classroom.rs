//! The simulated tablets of a demo: they enrol, then each sleeps until a push wakes it.

use tablets::{Fleet, Ipad, Waking};

use super::departement::{Departement, Links};
use super::stage::{Stage, stopped};
use crate::failure::Failure;

/// Tablets that enrol, or speak to the server, at the same time.
const AT_ONCE: usize = 8;

/// The tablets that are enrolled, and awake when they are pushed.
pub(super) struct Classroom {
    problems: Vec<String>,
    waking: Waking,
    fleet: Fleet,
}

impl Classroom {
    /// Enrols every tablet of the département, as `built` makes each by its place and serial number; `one_more` is told of
    /// each. What goes wrong with one is kept, and does not stop the others.
    pub(super) async fn enrol(
        stage: &Stage,
        departement: &Departement,
        links: &Links,
        built: impl Fn(usize, &str) -> Result<Ipad, Failure>,
        one_more: impl Fn(),
    ) -> Result<Self, Failure> {
        let serials = departement.serials();
        let ipads: Vec<Ipad> = serials
            .iter()
            .enumerate()
            .map(|(number, serial)| built(number, serial))
            .collect::<Result<_, _>>()?;
        let fleet = Fleet::new(ipads);
        let one_more = &one_more;
        let outcomes = fleet
            .each(AT_ONCE, |mut ipad| async move {
                let url = links.of(ipad.serial()).to_owned();
                let problem = Box::pin(ipad.enrol_by_link(&url)).await.err();
                one_more();
                problem.map(|error| format!("tablet {}: {error}", ipad.serial()))
            })
            .await;
        // A tablet whose push came while it was still enrolling would sleep on: each speaks once by itself.
        let waking = fleet.wake_on_push(stage.server().push_service().apns(), AT_ONCE);
        let mut problems: Vec<String> = outcomes.into_iter().flatten().collect();
        for conversation in fleet.poll(AT_ONCE).await {
            problems.extend(conversation.err().map(|error| error.to_string()));
        }
        Ok(Self { problems, waking, fleet })
    }

    /// Lets one tablet enrol, and nothing else.
    pub(super) async fn enrol_one(mut ipad: Ipad, url: &str) -> Result<(), Failure> {
        Box::pin(ipad.enrol_by_link(url)).await.map_err(stopped)
    }

    /// The user of a tablet removes a profile in its settings. Says whether the tablet let them.
    pub(super) async fn remove_by_hand(&self, serial: &str, profile: &str) -> Result<bool, Failure> {
        match self.fleet.tablet(serial).await {
            Some(mut ipad) => Ok(ipad.remove_profile_by_hand(profile)),
            None => Err(Failure::Story(format!("there is no iPad {serial}"))),
        }
    }

    /// What went wrong with a tablet that did not enrol.
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// How many different tablets the push service was asked to wake.
    pub(super) fn woken(&self, stage: &Stage) -> u64 {
        let pushes = stage.server().push_service().apns().pushes();
        let tokens: std::collections::BTreeSet<_> = pushes.into_iter().map(|push| push.token).collect();
        u64::try_from(tokens.len()).unwrap_or(u64::MAX)
    }

    /// Sends the tablets to sleep for good; says what went wrong while they were awake.
    pub(super) fn dismiss(self) -> Option<String> {
        let so_far = self.waking.so_far();
        tracing::debug!(tablets = self.fleet.len(), ?so_far, "the tablets sleep");
        so_far.last_error
    }
}
