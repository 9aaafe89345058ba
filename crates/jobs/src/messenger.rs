//! The messenger: wakes the tablets for which something waits.
//!
//! Tablets that came when they were last pushed and those that did not are claimed apart, and each kind has a number of
//! claims of its own: however many are silent, and however slowly Apple takes their pushes, they delay nobody else.

use std::sync::Arc;

use fleet::push::{self, Due, Identity, Lane};
use fleet::{Fleet, Refusal};
use futures_util::StreamExt as _;
use outbound::{ApnsClient, ApnsEndpoint, Egress, PushIdentity, PushOutcome, PushPriority, PushRequest};
use tokio::task::JoinSet;
use types::{Clock, Duration, PushCertificateId, Secret};

use crate::Waker;

/// How many tablets one round claims.
const CLAIM: u32 = 512;
/// How long a claim keeps other nodes away: longer than any push takes.
const LEASE: Duration = Duration::from_secs(120);
/// How many claims of each kind are under way at the same time.
const LANES: [(Lane, usize); 2] = [(Lane::Answering, 6), (Lane::Silent, 2)];
/// How many pushes of one claim are.
const AT_ONCE: usize = 64;

/// Where pushes go.
#[derive(Debug, Clone)]
pub struct PushService {
    /// Apple's service, or a stand-in.
    pub endpoint: ApnsEndpoint,
    /// PEM with the only authorities that vouch for a stand-in; `None` for the public ones.
    pub trust: Option<String>,
    /// What may be spoken to at all.
    pub egress: Egress,
}

/// Sends what is due, round after round. Dropped, it gives up what is under way.
#[derive(Debug)]
pub(crate) struct Messenger {
    fleet: Fleet,
    clock: Arc<dyn Clock>,
    service: PushService,
    /// The client of the push certificate in use. A new certificate gets a new one.
    client: Option<(PushCertificateId, ApnsClient)>,
    /// Told when a claim has ended, so that the next begins.
    waker: Waker,
    /// Claims whose pushes are under way, by lane: one that Apple is slow to answer does not hold up the next.
    under_way: [JoinSet<Result<(), String>>; LANES.len()],
    /// What went wrong last, so that the log says it once and not every second.
    said: Option<String>,
}

impl Messenger {
    pub(crate) fn new(fleet: Fleet, clock: Arc<dyn Clock>, service: PushService, waker: Waker) -> Self {
        Self { fleet, clock, service, waker, client: None, under_way: Default::default(), said: None }
    }

    /// Claims what is due and begins to push it. `true` if there may be more to do at once.
    pub(crate) async fn round(&mut self) -> bool {
        let began = match self.ended_well() {
            Ok(()) => self.begin().await,
            Err(problem) => Err(problem),
        };
        match began {
            Ok(more) => {
                self.said = None;
                more
            }
            Err(problem) => {
                if self.said.as_ref() != Some(&problem) {
                    tracing::warn!(problem, "tablets cannot be pushed; trying again");
                    self.said = Some(problem);
                }
                false
            }
        }
    }

    /// What went wrong with a claim that has ended since; its leases run out.
    fn ended_well(&mut self) -> Result<(), String> {
        for lane in &mut self.under_way {
            while let Some(ended) = lane.try_join_next() {
                ended.map_err(|panic| panic.to_string())??;
            }
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<bool, String> {
        if LANES.iter().zip(&self.under_way).all(|((_lane, most), under_way)| under_way.len() >= *most) {
            return Ok(false);
        }
        let now = self.clock.now();
        // Without a certificate nothing is claimed: what is due stays due until someone installs one.
        let Some(identity) = push::identity(&self.fleet, now).await.map_err(in_words)? else {
            return Ok(false);
        };
        let certificate = identity.id;
        let client = self.client_for(identity)?;
        let mut more = false;
        for ((lane, most), under_way) in LANES.into_iter().zip(&mut self.under_way) {
            if under_way.len() >= most {
                continue;
            }
            let claimed =
                push::claim(&self.fleet, certificate, lane, CLAIM, LEASE, now).await.map_err(in_words)?;
            let full = u32::try_from(claimed.claimed).is_ok_and(|claimed| claimed >= CLAIM);
            if !claimed.due.is_empty() {
                let (fleet, clock, client) = (self.fleet.clone(), Arc::clone(&self.clock), client.clone());
                let waker = self.waker.clone();
                under_way.spawn(async move {
                    let sent = send(fleet, clock, client, claimed.due).await;
                    if full {
                        waker.wake();
                    }
                    sent
                });
            }
            more |= full && under_way.len() < most;
        }
        Ok(more)
    }

    /// The client of this certificate: the same as long as the certificate is, since it holds the connection.
    fn client_for(&mut self, identity: Identity) -> Result<ApnsClient, String> {
        if let Some((id, client)) = &self.client
            && *id == identity.id
        {
            return Ok(client.clone());
        }
        let key = String::from_utf8(identity.key_pem.expose().clone()).map_err(|_not_text| {
            "the key of the push certificate is not PEM; set the certificate again".to_owned()
        })?;
        let credentials =
            PushIdentity { chain_pem: identity.chain_pem, key_pem: Secret::new(key), topic: identity.topic };
        let service = &self.service;
        let client =
            ApnsClient::new(&service.endpoint, &credentials, service.trust.as_deref(), &service.egress)
                .map_err(|error| error.to_string())?;
        self.client = Some((identity.id, client.clone()));
        Ok(client)
    }
}

/// Pushes what was claimed, and records what became of each as it becomes known.
async fn send(fleet: Fleet, clock: Arc<dyn Clock>, client: ApnsClient, due: Vec<Due>) -> Result<(), String> {
    let mut sent = futures_util::stream::iter(due)
        .map(|due| {
            let client = client.clone();
            async move {
                let outcome = client.push(&request(&due)).await;
                (due, outcome)
            }
        })
        .buffer_unordered(AT_ONCE)
        .ready_chunks(AT_ONCE);
    while let Some(outcomes) = sent.next().await {
        note(&outcomes);
        push::record(&fleet, outcomes, clock.now()).await.map_err(in_words)?;
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn in_words(refusal: Refusal) -> String {
    match &refusal {
        Refusal::Store(cause) => format!("{refusal}: {cause}"),
        _ => refusal.to_string(),
    }
}

fn request(due: &Due) -> PushRequest {
    PushRequest {
        token: due.token.clone(),
        magic: due.magic.clone(),
        priority: PushPriority::Immediate,
        expiration: None,
    }
}

/// What operators should see of a chunk; what became of each push stands in the database.
fn note(outcomes: &[(Due, PushOutcome)]) {
    for (due, outcome) in outcomes {
        match outcome {
            PushOutcome::Accepted { .. } => tracing::debug!(enrolment = %due.enrolment, "pushed"),
            PushOutcome::CertificateRefused { reason } => tracing::error!(
                reason,
                "Apple refuses the push certificate: no tablet can be woken until it is renewed with the same \
                 Apple Account and set with `ardoise push-certificate set`"
            ),
            refused => tracing::info!(enrolment = %due.enrolment, outcome = ?refused, "not pushed"),
        }
    }
}
