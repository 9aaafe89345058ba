//! The simulated tablets of a demo: they enrol, then each sleeps until a push wakes it.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _};
use tablets::Ipad;

use super::departement::{Departement, Links};
use super::stage::{Stage, stopped};
use crate::failure::Failure;

/// Tablets that enrol at the same time.
const AT_ONCE: usize = 8;

/// The tablets that are enrolled, and awake when they are pushed.
pub(super) struct Classroom {
    problems: Vec<String>,
}

impl Classroom {
    /// Enrols every tablet of the département; `one_more` is told of each. What goes wrong with one is kept, and
    /// does not stop the others.
    pub(super) async fn enrol(
        stage: &Stage,
        departement: &Departement,
        links: &Links,
        one_more: impl Fn(),
    ) -> Result<Self, Failure> {
        let ipads: Vec<Ipad> = departement.serials().iter().map(|serial| stage.ipad(serial)).collect::<Result<_, _>>()?;
        let enrolled: Vec<(Ipad, Option<String>)> = stream::iter(ipads)
            .map(|mut ipad| {
                let url = links.of(ipad.serial()).to_owned();
                async move {
                    let problem = Box::pin(ipad.enrol_by_link(&url)).await.err();
                    let problem = problem.map(|error| format!("tablet {}: {error}", ipad.serial()));
                    (ipad, problem)
                }
            })
            .buffer_unordered(AT_ONCE)
            .inspect(|_one| one_more())
            .collect()
            .await;
        let mut problems = Vec::new();
        for (_ipad, problem) in enrolled {
            problems.extend(problem);
        }
        Ok(Self { problems })
    }

    /// Lets one tablet enrol, and nothing else.
    pub(super) async fn enrol_one(mut ipad: Ipad, url: &str) -> Result<(), Failure> {
        Box::pin(ipad.enrol_by_link(url)).await.map_err(stopped)
    }

    /// What went wrong with a tablet that did not enrol.
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Sends the tablets to sleep for good.
    pub(super) async fn dismiss(self) -> Result<(), Failure> {
        Ok(())
    }
}
