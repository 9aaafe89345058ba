//! The check-ins by which tablets enrol, of many tablets at once: what is plain about them is read, decided for each and
//! written for all in a few statements, which share one commit.
//!
//! Whatever is not plain (it is refused, it ends another enrolment, something waits for just this tablet) is left to be
//! done alone, by the use case of the one tablet: what is decided there stands in its file, and is asked from here too.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use apple::checkin::{Authenticate, TokenUpdate};
use pki::DeviceIdentity;
use store::certificates::Certificate;
use store::enrolments::{Enrolment, EnrolmentState};
use store::{StoreError, Together, Tx};
use types::{Duration, Instant, Udid};
use uuid::Uuid;

use super::{authenticate, same_tablet, token_update};
use crate::standing::{self, Admission, Facts, Moment};
use crate::{Fleet, TabletError, watch};

/// What a tablet says.
#[derive(Debug)]
pub(crate) enum Said {
    Authenticate(Authenticate),
    TokenUpdate(TokenUpdate),
}

/// A check-in, and whose certificate it proves.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) identity: DeviceIdentity,
    pub(crate) said: Said,
    /// How long the Setup Assistant may be held.
    pub(crate) wait: Duration,
    pub(crate) now: Instant,
}

impl Heard {
    fn claimed(&self) -> Option<&Udid> {
        match &self.said {
            Said::Authenticate(message) => message.udid.as_ref(),
            Said::TokenUpdate(message) => message.udid.as_ref(),
        }
    }

    fn moment(&self) -> Moment {
        match self.said {
            Said::Authenticate(_) => Moment::Authenticate,
            Said::TokenUpdate(_) => Moment::TokenUpdate,
        }
    }
}

/// A check-in of a tablet that is served, and what the memory says of it; the enrolment is held.
#[derive(Debug)]
pub(super) struct Served<'h> {
    pub(super) heard: &'h Heard,
    pub(super) certificate: Certificate,
    pub(super) enrolment: Enrolment,
    pub(super) admission: Admission,
}

/// What became of a check-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is written.
    Done,
    /// Nothing is: it is to be done alone.
    Alone,
}

/// The kind of work.
#[derive(Debug)]
pub(crate) struct CheckIns;

impl Together for CheckIns {
    type Ask = Arc<Heard>;
    type Answer = Fate;

    fn whose(heard: &Arc<Heard>) -> Uuid {
        let [start @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
            *heard.identity.fingerprint().as_bytes();
        Uuid::from_bytes(start)
    }

    fn carry_out(&self, tx: &mut Tx<'_>, heard: &[&Arc<Heard>]) -> Result<Vec<Fate>, StoreError> {
        let heard: Vec<&Heard> = heard.iter().map(|one| &***one).collect();
        carry_out(tx, &heard)
    }
}

/// Carries out those that are plain; what became of each.
pub(super) fn carry_out(tx: &mut Tx<'_>, heard: &[&Heard]) -> Result<Vec<Fate>, StoreError> {
    let hashes: Vec<_> = heard.iter().map(|one| watch::digest(&one.identity)).collect();
    let mut held = store::enrolments::hold_by_certificates(tx, &hashes)?;
    let (mut authenticates, mut token_updates) = (Vec::new(), Vec::new());
    let mut enrolments = HashSet::new();
    for (place, (one, hash)) in heard.iter().zip(&hashes).enumerate() {
        // A second message under one certificate finds nothing here; one under another of the enrolment's waits too.
        let Some(served) = held.remove(hash).and_then(|held| served(one, held)) else { continue };
        if !enrolments.insert(served.enrolment.id) {
            continue;
        }
        match &one.said {
            Said::Authenticate(message) => authenticates.push((place, message, served)),
            Said::TokenUpdate(message) => token_updates.push((place, message, served)),
        }
    }
    // Whoever writes about several of them goes in this order.
    authenticates.sort_by_key(|(_, _, served)| served.enrolment.id);
    token_updates.sort_by_key(|(_, _, served)| served.enrolment.id);
    let mut fates = vec![Fate::Alone; heard.len()];
    let done = [authenticate::together(tx, authenticates)?, token_update::together(tx, token_updates)?];
    for place in done.into_iter().flatten() {
        if let Some(fate) = fates.get_mut(place) {
            *fate = Fate::Done;
        }
    }
    Ok(fates)
}

/// The check-in, if its tablet is served. Why one is not is said to it alone.
fn served(heard: &Heard, (certificate, enrolment): (Certificate, Enrolment)) -> Option<Served<'_>> {
    if enrolment.state == EnrolmentState::Ended {
        return None;
    }
    let facts =
        Facts { certificate: certificate.state, enrolment: enrolment.id, state: enrolment.state, end: None };
    let moment = heard.moment();
    let admission = standing::admit(facts, moment, heard.now).ok()?;
    if moment != Moment::Authenticate {
        same_tablet(enrolment.udid.as_ref(), heard.claimed()).ok()?;
    }
    Some(Served { heard, certificate, enrolment, admission })
}

/// Certificates that are used for the first time replace the older ones of their enrolments.
pub(super) fn confirm<'s, 'h: 's>(
    tx: &mut Tx<'_>,
    served: impl IntoIterator<Item = &'s Served<'h>>,
) -> Result<(), StoreError> {
    let first = served.into_iter().filter(|one| one.admission == Admission::FirstUse);
    store::certificates::confirm_all(
        tx,
        first.map(|one| (&one.certificate, one.heard.now)).collect::<Vec<_>>(),
    )
}

/// Rows by what they are found by.
pub(super) fn by<K: Eq + std::hash::Hash, R>(
    rows: impl IntoIterator<Item = R>,
    key: impl Fn(&R) -> Option<K>,
) -> HashMap<K, R> {
    rows.into_iter().filter_map(|row| Some((key(&row)?, row))).collect()
}

/// Has a check-in carried out with those that come at the same moment, or alone if it takes more than they.
///
/// # Errors
/// [`TabletError`]; nothing is changed then.
pub(super) async fn receive(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    said: Said,
    now: Instant,
) -> Result<(), TabletError> {
    let wait = fleet.settings().setup_waits;
    let heard = Arc::new(Heard { identity: identity.clone(), said, wait, now });
    if fleet.check_ins().submit(Arc::clone(&heard)).await? == Fate::Done {
        return Ok(());
    }
    fleet.store().write_held(move |tx| alone(tx, &heard)).await
}

/// Carries out one check-in, whatever it takes.
///
/// # Errors
/// [`TabletError`].
pub(crate) fn alone(tx: &mut Tx<'_>, heard: &Heard) -> Result<(), TabletError> {
    let Heard { identity, said, wait, now } = heard;
    match said {
        Said::Authenticate(message) => authenticate::enrol(tx, identity, message, *now),
        Said::TokenUpdate(message) => token_update::update(tx, identity, message, *wait, *now),
    }
}
