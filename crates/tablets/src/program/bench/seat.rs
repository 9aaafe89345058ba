//! A connection of a load, and the tablet whose turn it is on it.
//!
//! Connection number *k* of *n* belongs to tablets *k*, *k + n*, *k + 2n* … A tablet does so many operations, its
//! turn, and then the next one takes its place. With mTLS a TLS session is one tablet's, so that each turn begins
//! with a handshake; otherwise the connection goes on, as it does behind a proxy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use plist::Dictionary;
use tablets::{Clock, Error, Handled, HttpClient, Identity, Reply, Request, Sessions, State, Trust};
use url::Url;

use super::auth::Auth;
use super::engine::Connections;
use super::problem::Problem;
use super::roster::{Message, Roster, Tablet};

const CHECK_IN: HeaderValue = HeaderValue::from_static("application/x-apple-aspen-mdm-checkin");
const CONNECT: HeaderValue = HeaderValue::from_static("application/x-apple-aspen-mdm; charset=UTF-8");
const AGENT: HeaderValue = HeaderValue::from_static("MDM/1.0");
const SIGNATURE: HeaderName = HeaderName::from_static("mdm-signature");

/// What all connections share.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) roster: Roster,
    pub(super) auth: Auth,
    pub(super) trust: Trust,
    pub(super) clock: Clock,
    pub(super) patience: Duration,
    /// How many operations a turn has; 0 when it never ends.
    pub(super) turn: u64,
    /// Whether the connection is closed between two turns even where it could go on.
    pub(super) close: bool,
    /// The TLS sessions of each tablet, where they are gone on with.
    sessions: Option<Vec<Sessions>>,
    /// Other addresses than the tablets remember.
    pub(super) server_url: Option<Url>,
    pub(super) check_in_url: Option<Url>,
    /// Tablets that took a turn that was measured.
    spoke: Vec<AtomicBool>,
    /// Tablets that got a right answer, measured or not.
    heard: Vec<AtomicBool>,
    /// The next tablet, where each tablet has one turn and no second.
    next: AtomicUsize,
}

/// What decides how a room is.
#[derive(Debug)]
pub(super) struct Manners {
    pub(super) auth: Auth,
    pub(super) trust: Trust,
    pub(super) patience: Duration,
    pub(super) turn: u64,
    pub(super) close: bool,
    pub(super) resumption: bool,
    pub(super) server_url: Option<Url>,
    pub(super) check_in_url: Option<Url>,
}

impl Room {
    pub(super) fn new(roster: Roster, manners: Manners) -> Self {
        let nobody = || (0..roster.len()).map(|_place| AtomicBool::new(false)).collect();
        let (spoke, heard) = (nobody(), nobody());
        let Manners { auth, trust, patience, turn, close, resumption, server_url, check_in_url } = manners;
        let sessions = resumption.then(|| (0..roster.len()).map(|_place| Sessions::new()).collect());
        let clock = Clock::system();
        let next = AtomicUsize::new(0);
        Self {
            roster,
            auth,
            trust,
            clock,
            patience,
            turn,
            close,
            sessions,
            server_url,
            check_in_url,
            spoke,
            heard,
            next,
        }
    }

    /// A client for messages of tablets, or of those who queue commands.
    pub(super) fn client(&self) -> HttpClient {
        let mut client = HttpClient::new(self.trust.clone(), self.clock.clone());
        client.set_patience(self.patience);
        client
    }

    /// The next tablet that had no turn yet.
    pub(super) fn next_unused(&self) -> Option<usize> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        (place < self.roster.len()).then_some(place)
    }

    /// Remembers that a tablet was measured.
    pub(super) fn spoke(&self, place: usize) {
        if let Some(spoke) = self.spoke.get(place) {
            spoke.store(true, Ordering::Relaxed);
        }
    }

    /// How many tablets were measured.
    pub(super) fn speakers(&self) -> usize {
        self.spoke.iter().filter(|spoke| spoke.load(Ordering::Relaxed)).count()
    }

    /// Remembers that a tablet got a right answer.
    pub(super) fn heard(&self, place: usize) {
        if let Some(heard) = self.heard.get(place) {
            heard.store(true, Ordering::Relaxed);
        }
    }

    /// How many tablets got a right answer, measured or not.
    pub(super) fn heard_of(&self) -> usize {
        self.heard.iter().filter(|heard| heard.load(Ordering::Relaxed)).count()
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) room: Arc<Room>,
    http: HttpClient,
    /// The places of its tablets, and whose turn comes next.
    places: Vec<usize>,
    turns: usize,
    /// Operations left in this turn.
    left: u64,
    seated: Option<Seated>,
}

impl Seated {
    /// What it will say at that place.
    pub(super) fn message(&self, number: usize) -> Option<Message> {
        self.tablet.messages.get(number).cloned()
    }

    /// Its certificate and key, read the first time.
    pub(super) fn identity(&mut self) -> Result<Identity, Error> {
        if let Some(identity) = &self.identity {
            return Ok(identity.clone());
        }
        let identity = self.tablet.identity()?;
        Ok(self.identity.insert(identity).clone())
    }

    /// Carries out a command. One kind asks for its certificate: to read it for the others too would be measured.
    pub(super) fn obey(&mut self, command: &[u8], clock: &Clock) -> Result<(Handled, Dictionary), Error> {
        const KIND: &[u8] = b"CertificateList";
        let asked = command.windows(KIND.len()).any(|part| part == KIND);
        let identity = if asked { Some(self.identity()?) } else { None };
        self.state.obey(command, clock, identity.as_ref())
    }
}

/// The tablet whose turn it is.
#[derive(Debug)]
pub(super) struct Seated {
    pub(super) place: usize,
    pub(super) state: State,
    tablet: Arc<Tablet>,
    /// Its certificate and key, once something needed them.
    identity: Option<Identity>,
    check_in_url: Url,
    server_url: Url,
}

impl Seat {
    /// The connection of these tablets.
    pub(super) fn new(room: Arc<Room>, places: Vec<usize>) -> Self {
        let http = room.client();
        Self { room, http, places, turns: 0, left: 0, seated: None }
    }

    /// The connections that it has opened.
    pub(super) fn connections(&self) -> Connections {
        Connections {
            opened: self.http.connections_opened(),
            resumed: self.http.sessions_resumed(),
            tls: self.http.tls_version(),
        }
    }

    /// Lets the next tablet take its place, if the present one's turn is over. `true` if another one sits there.
    ///
    /// # Errors
    /// When it cannot be read; then nobody sits there.
    pub(super) fn seat_next(&mut self) -> Result<bool, Error> {
        if self.seated.is_some() && (self.room.turn == 0 || self.left > 0) {
            return Ok(false);
        }
        let place = self.places.get(self.turns % self.places.len().max(1)).copied().unwrap_or_default();
        self.turns += 1;
        let same = self.seated.as_ref().is_some_and(|seated| seated.place == place);
        self.seat(place)?;
        Ok(!same)
    }

    /// Lets the tablet at a place sit there.
    pub(super) fn seat(&mut self, place: usize) -> Result<(), Error> {
        self.left = self.room.turn;
        if self.room.close {
            self.http.close();
        }
        self.seated = None;
        if let Some(sessions) = &self.room.sessions {
            self.http.set_sessions(sessions.get(place).cloned());
        }
        let tablet = self.room.roster.tablet(place)?;
        let enrolment = tablet
            .state
            .enrolment
            .as_ref()
            .ok_or_else(|| Error::NotEnrolled { serial: tablet.state.hardware.serial.clone() })?;
        let told = |told: &Option<Url>, own: &Url| told.as_ref().unwrap_or(own).clone();
        let server_url = told(&self.room.server_url, &enrolment.mdm.server_url);
        let check_in_url = match (&self.room.check_in_url, &self.room.server_url) {
            (Some(url), _) => url.clone(),
            // Who told only one address means both.
            (None, Some(url)) => url.clone(),
            (None, None) => enrolment.mdm.check_in_url.clone(),
        };
        self.seated = Some(Seated {
            place,
            identity: None,
            state: tablet.state.clone(),
            tablet,
            server_url,
            check_in_url,
        });
        Ok(())
    }

    /// The tablet whose turn it is.
    ///
    /// # Errors
    /// When nobody sits there.
    pub(super) fn seated(&mut self) -> Result<&mut Seated, Problem> {
        self.seated.as_mut().ok_or_else(|| Problem::Failed {
            step: "taking a seat",
            error: Error::Usage("no tablet sits at this connection".to_owned()),
        })
    }

    /// One operation of the turn is over.
    pub(super) const fn done(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// Begins anew after something went wrong: with a new connection.
    pub(super) fn reset(&mut self) {
        self.http.close();
    }

    /// Sends a check-in message; the answer must be 200.
    pub(super) async fn check_in(&mut self, step: &'static str, message: Message) -> Result<Reply, Problem> {
        let url = self.seated()?.check_in_url.clone();
        self.send(step, url, CHECK_IN, message).await
    }

    /// Sends a connect message; the answer must be 200.
    pub(super) async fn connect(&mut self, step: &'static str, message: Message) -> Result<Reply, Problem> {
        let url = self.seated()?.server_url.clone();
        self.send(step, url, CONNECT, message).await
    }

    async fn send(
        &mut self,
        step: &'static str,
        url: Url,
        content_type: HeaderValue,
        message: Message,
    ) -> Result<Reply, Problem> {
        let room = Arc::clone(&self.room);
        let seated = self.seated()?;
        let request = Request::new(Method::PUT, url, message.body);
        let mut request = request.header(USER_AGENT, AGENT).header(CONTENT_TYPE, content_type);
        match (message.signature, &seated.tablet.headers) {
            (Some(signature), _) => request.headers.push((SIGNATURE, signature)),
            (None, Some(same)) => request.headers.extend(same.iter().cloned()),
            (None, None) => {
                let identity = seated.identity().map_err(Problem::failed(step))?;
                let proofs = room.roster.proofs().headers(&identity, &request.body, false, &room.clock);
                request.headers.extend(proofs.map_err(Problem::failed(step))?);
            }
        }
        let shown = match room.auth {
            Auth::Mtls => Some(seated.identity().map_err(Problem::failed(step))?),
            Auth::Signature | Auth::Header => None,
        };
        let reply = self.http.send(&request, shown.as_ref()).await.map_err(Problem::failed(step))?;
        if reply.status == 200 { Ok(reply) } else { Err(Problem::status(step, &reply)) }
    }
}
