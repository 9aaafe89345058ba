//! The tablets of a load, read from their folder when their turn comes.
//!
//! The first [`KEPT`] stay in memory once they were read; however many lie on disk, memory stays flat.

use std::sync::{Arc, OnceLock};

use hyper::header::{HeaderName, HeaderValue};
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use plist::Dictionary;
use tablets::{Clock, Error, Home, Identity, KeyPool, Proofs, Stage, State};

use super::task::Messages;

/// How many tablets stay in memory, at about 6 kB each: a département's. To read one from the disk costs more than the
/// server takes to answer it.
pub(super) const KEPT: usize = 131_072;

/// The tablets of a folder.
#[derive(Debug)]
pub(super) struct Roster {
    home: Home,
    keys: KeyPool,
    serials: Vec<String>,
    messages: Messages,
    proofs: Proofs,
    kept: Vec<OnceLock<Arc<Tablet>>>,
}

/// A tablet of a load.
#[derive(Debug)]
pub(super) struct Tablet {
    /// Its memory.
    pub(super) state: State,
    /// Its certificate, in DER: parsed, it would be ten times as large.
    certificate: Vec<u8>,
    key: PKey<Private>,
    /// What it will say, as far as that is known beforehand.
    pub(super) messages: Vec<Message>,
    /// The headers that prove it whatever it says, if there are such: to read its certificate and to write them for each
    /// message would cost more than the server's answer.
    pub(super) headers: Option<Vec<(HeaderName, HeaderValue)>>,
}

/// A message ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// The property list.
    pub(super) body: Vec<u8>,
    /// Its `Mdm-Signature`, if it was signed beforehand.
    pub(super) signature: Option<HeaderValue>,
}

impl Message {
    pub(super) fn of(dictionary: &Dictionary) -> Result<Self, Error> {
        Ok(Self { body: tablets::write_message(dictionary)?, signature: None })
    }
}

impl Roster {
    /// The tablets of these serial numbers, who will say these messages, proved like this.
    pub(super) fn new(
        home: Home,
        serials: Vec<String>,
        messages: Messages,
        proofs: Proofs,
    ) -> Result<Self, Error> {
        let keys = KeyPool::kept_in(&home.keys())?;
        let kept = (0..serials.len().min(KEPT)).map(|_place| OnceLock::new()).collect();
        Ok(Self { home, keys, serials, messages, proofs, kept })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.serials.len()
    }

    /// How they prove who they are.
    pub(super) const fn proofs(&self) -> &Proofs {
        &self.proofs
    }

    /// Their serial numbers.
    pub(super) fn serials(&self) -> &[String] {
        &self.serials
    }

    /// The tablet at a place.
    ///
    /// # Errors
    /// When it cannot be read, or is not enrolled.
    pub(super) fn tablet(&self, place: usize) -> Result<Arc<Tablet>, Error> {
        match self.kept.get(place) {
            None => self.read(place, None).map(Arc::new),
            Some(slot) => match slot.get() {
                Some(tablet) => Ok(Arc::clone(tablet)),
                None => {
                    let tablet = Arc::new(self.read(place, None)?);
                    Ok(Arc::clone(slot.get_or_init(|| tablet)))
                }
            },
        }
    }

    /// Reads the tablet at a place, and signs what it will say.
    ///
    /// # Errors
    /// As [`Roster::tablet`].
    pub(super) fn sign(&self, place: usize, clock: &Clock) -> Result<(), Error> {
        if let Some(slot) = self.kept.get(place) {
            let tablet = Arc::new(self.read(place, Some(clock))?);
            let _first = slot.set(tablet);
        }
        Ok(())
    }

    fn read(&self, place: usize, signing: Option<&Clock>) -> Result<Tablet, Error> {
        let serial = self.serials.get(place).map(String::as_str).unwrap_or_default();
        let not_enrolled = || Error::NotEnrolled { serial: serial.to_owned() };
        let (mut state, identity) = self.home.load_with(serial, &self.keys)?;
        let identity = identity.ok_or_else(not_enrolled)?;
        let enrolment = state.enrolment.as_mut().ok_or_else(not_enrolled)?;
        match self.messages {
            // Enrolled anew, it brings its UnlockToken again.
            Messages::Enrolment => enrolment.stage = Stage::Identified,
            _ if enrolment.stage != Stage::Enrolled => return Err(not_enrolled()),
            _ => {}
        }
        // A load needs none of it, and thousands of copies need room.
        state.profiles.clear();
        state.apps.clear();
        state.declarations.clear();
        let mut messages = self.messages.of(&state)?;
        if let Some(clock) = signing {
            for message in &mut messages {
                let headers = self.proofs.headers(&identity, &message.body, false, clock)?;
                message.signature = headers.into_iter().map(|(_name, value)| value).next();
            }
        }
        let headers = self.proofs.same_headers(&identity, &Clock::system())?;
        let certificate = identity.certificate_der()?;
        Ok(Tablet { state, certificate, key: identity.key().to_owned(), messages, headers })
    }
}

impl Tablet {
    /// Its certificate and key, ready for use.
    pub(super) fn identity(&self) -> Result<Identity, Error> {
        Ok(Identity::new(X509::from_der(&self.certificate)?, self.key.clone()))
    }
}
