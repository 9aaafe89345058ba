//! TokenUpdate: where to push, and the key to the access code. The first one completes the enrolment.

use std::collections::HashSet;

use apple::checkin::TokenUpdate;
use pki::DeviceIdentity;
use store::enrolments::{Enrolment, EnrolmentSecrets, EnrolmentState, NewToken, PushAddress};
use store::{StoreError, Tx};
use types::{Actor, Duration, EnrolmentId, Instant, Secret};

use super::together::{self, Said, Served, by, confirm};
use super::{Bound, bound};
use crate::first_commands::Newcomer;
use crate::incidents::lost_mode;
use crate::lending::erasures;
use crate::standing::Moment;
use crate::{Fleet, Reply, TabletError, first_commands};

/// The longest push token, in bytes. Apple's have 32 and may grow.
const LONGEST_TOKEN: usize = 100;
/// The longest `PushMagic`, in bytes. Tablets send a UUID; a push of Apple's carries 4 kB.
const LONGEST_MAGIC: usize = 1_024;

pub(super) async fn receive(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    message: TokenUpdate,
    now: Instant,
) -> Result<Reply, TabletError> {
    if message.user_id.is_some() || message.user_short_name.is_some() {
        return Err(TabletError::UserDeclined);
    }
    reachable_by(&message)?;
    together::receive(fleet, identity, Said::TokenUpdate(message), now).await?;
    Ok(Reply::Empty)
}

/// Those for whom nothing but the first commands of an enrolment is to be queued: what each of them is asked is what
/// [`update`] asks. The places of those that are done.
pub(super) fn together(
    tx: &mut Tx<'_>,
    mut told: Vec<(usize, &TokenUpdate, Served<'_>)>,
) -> Result<Vec<usize>, StoreError> {
    told.retain(|(_, message, served)| {
        same_topic(&served.enrolment, message).is_ok() && !waits_anew(&served.enrolment, message)
    });
    if told.is_empty() {
        return Ok(Vec::new());
    }
    // A tablet that was lost, or that is being erased, is looked at alone when it has enrolled.
    let firsts = || told.iter().filter(|(_, _, served)| is_first(&served.enrolment));
    let of_firsts = firsts().filter_map(|(_, _, served)| served.enrolment.tablet_id).collect::<Vec<_>>();
    let mut special: HashSet<_> =
        store::lost_modes::get_all(tx, of_firsts.iter().copied())?.iter().map(|row| row.tablet_id).collect();
    special.extend(
        store::restitutions::under_order(tx, of_firsts.iter().copied())?.iter().map(|row| row.tablet_id),
    );
    special.extend(store::departures::under_order(tx, of_firsts)?);
    told.retain(|(_, _, Served { enrolment, .. })| {
        !is_first(enrolment) || enrolment.tablet_id.is_some_and(|tablet| !special.contains(&tablet))
    });
    confirm(tx, told.iter().map(|(_, _, served)| served))?;
    // One that never sent a token has none to compare with.
    let sent_before = told.iter().filter(|(_, _, served)| served.enrolment.token_updated_at.is_some());
    let sent_before: Vec<_> = sent_before.map(|(_, _, served)| served.enrolment.id).collect();
    // What cannot be opened any more is as good as nothing.
    let former: Vec<PushAddress> =
        store::enrolments::push_addresses(tx, &sent_before)?.into_iter().filter_map(Result::ok).collect();
    let former = by(former, |address| Some(address.enrolment));
    let tokens =
        told.iter().map(|(_, message, served)| new_token(&served.enrolment, message, served.heard.now));
    store::enrolments::tokens_updated(tx, &tokens.collect::<Vec<_>>())?;
    let renewed = told.iter().map(|(_, message, Served { enrolment, heard, .. })| {
        let former = former.get(&enrolment.id).map(|former| (&former.token, &former.magic));
        (enrolment.id, replaces(former, message), heard.now)
    });
    store::push_states::tokens_renewed(tx, renewed)?;
    let newcomers = told.iter().filter(|(_, _, served)| is_first(&served.enrolment)).map(
        |(_, message, Served { enrolment, heard, .. })| Newcomer {
            enrolment: managed(enrolment, message, heard.now),
            by: Actor::Tablet(enrolment.id),
            wait: heard.wait,
            now: heard.now,
        },
    );
    first_commands::queue(tx, &newcomers.collect::<Vec<_>>())?;
    Ok(told.into_iter().map(|(place, ..)| place).collect())
}

/// Whether it completes the enrolment.
fn is_first(enrolment: &Enrolment) -> bool {
    enrolment.state == EnrolmentState::Authenticated
}

/// Whether a tablet that is enrolled waits in its Setup Assistant, and did not before.
fn waits_anew(enrolment: &Enrolment, message: &TokenUpdate) -> bool {
    !is_first(enrolment)
        && !enrolment.awaiting_configuration
        && message.awaiting_configuration.unwrap_or_default()
}

/// The topic of an enrolment never changes; another one would make every push vanish (T-B1).
fn same_topic(enrolment: &Enrolment, message: &TokenUpdate) -> Result<(), TabletError> {
    if enrolment.topic.as_deref() == Some(message.topic.as_str()) {
        return Ok(());
    }
    Err(TabletError::Malformed("Topic is not the one of the enrolment".into()))
}

/// What it told.
fn new_token(enrolment: &Enrolment, message: &TokenUpdate, now: Instant) -> NewToken {
    let secrets = EnrolmentSecrets {
        push_token: Some(message.token.clone()),
        push_magic: Some(Secret::new(message.push_magic.expose().clone().into_bytes())),
        // An absent UnlockToken keeps the old one, and so does an empty one.
        unlock_token: message.unlock_token.clone().filter(|token| !token.expose().is_empty()),
        bootstrap_token: None,
    };
    // Absent means "as before", not false.
    let awaiting_configuration = message.awaiting_configuration;
    NewToken { enrolment: enrolment.id, secrets, awaiting_configuration, at: now }
}

/// The enrolment afterwards.
fn managed(enrolment: &Enrolment, message: &TokenUpdate, now: Instant) -> Enrolment {
    Enrolment {
        awaiting_configuration: message.awaiting_configuration.unwrap_or(enrolment.awaiting_configuration),
        state: EnrolmentState::Active,
        token_updated_at: Some(now),
        ..enrolment.clone()
    }
}

/// One tablet, whatever that takes.
pub(super) fn update(
    tx: &mut Tx<'_>,
    identity: &DeviceIdentity,
    message: &TokenUpdate,
    wait: Duration,
    now: Instant,
) -> Result<(), TabletError> {
    let bound = bound(tx, identity, message.udid.as_ref(), Moment::TokenUpdate, now)?;
    super::confirm(tx, &bound, now)?;
    let Bound { enrolment: before, .. } = bound;
    same_topic(&before, message)?;
    // One that never sent a token has none to compare with.
    let replaced = match before.token_updated_at {
        Some(_before) => {
            let former = former(tx, before.id)?;
            replaces(former.push_token.as_ref().zip(former.push_magic.as_ref()), message)
        }
        None => true,
    };
    store::enrolments::tokens_updated(tx, [&new_token(&before, message, now)])?;
    store::push_states::token_renewed(tx, before.id, replaced, now)?;
    let (first, waits) = (is_first(&before), waits_anew(&before, message));
    let enrolment = managed(&before, message, now);
    let by = Actor::Tablet(enrolment.id);
    let newcomer = [Newcomer { enrolment, by, wait, now }];
    let [Newcomer { enrolment, by, .. }] = &newcomer;
    if first {
        first_commands::queue(tx, &newcomer)?;
        lost_mode::enrolled_again(tx, enrolment, by, now)?;
        erasures::enrolled(tx, enrolment, now)?;
    } else if waits {
        first_commands::let_the_setup_go_on(tx, &newcomer)?;
    }
    Ok(())
}

/// A token and a magic that a push can carry: what cannot must not replace what can.
fn reachable_by(message: &TokenUpdate) -> Result<(), TabletError> {
    let fits = |length: usize, most: usize| (1..=most).contains(&length);
    if !fits(message.token.expose().len(), LONGEST_TOKEN) {
        return Err(TabletError::Malformed(format!("Token must have 1 to {LONGEST_TOKEN} bytes")));
    }
    if !fits(message.push_magic.expose().len(), LONGEST_MAGIC) {
        return Err(TabletError::Malformed(format!("PushMagic must have 1 to {LONGEST_MAGIC} bytes")));
    }
    Ok(())
}

/// What the tablet sent before. What cannot be opened any more is as good as nothing: it is replaced now.
fn former(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<EnrolmentSecrets, StoreError> {
    match store::enrolments::secrets(tx, enrolment) {
        Err(StoreError::Sealed(_)) => Ok(EnrolmentSecrets::default()),
        secrets => secrets,
    }
}

/// The token and the magic that a tablet had before.
type Former<'t> = (&'t Secret<Vec<u8>>, &'t Secret<Vec<u8>>);

/// Whether the tablet is pushed in another way from now on than by this token and magic.
fn replaces(former: Option<Former<'_>>, message: &TokenUpdate) -> bool {
    former.is_none_or(|(token, magic)| {
        token.expose() != message.token.expose() || magic.expose() != message.push_magic.expose().as_bytes()
    })
}
