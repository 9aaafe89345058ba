//! A simulated iPad: built, asked, and made to speak. What it says is in the modules beside this one.

mod builder;

use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use plist::Dictionary;
use url::Url;

use crate::faults::Dice;
use crate::http::{HangUp, HttpClient, Reply, Request};
use crate::state::{Enrolment, Home, Stage, State};
use crate::wire;
use crate::{Clock, Error, Faults, Identity, KeyPool, Outcome, Proofs, ScepStyle};

pub use builder::IpadBuilder;

/// The content type of check-in messages.
pub(crate) const CHECK_IN: &str = "application/x-apple-aspen-mdm-checkin";
/// The content type of connect messages.
pub(crate) const CONNECT: &str = "application/x-apple-aspen-mdm; charset=UTF-8";

/// A simulated iPad.
///
/// ```no_run
/// # async fn example(keys: tablets::KeyPool, trust: tablets::Trust) -> Result<(), tablets::Error> {
/// let mut ipad = tablets::Ipad::builder().serial("DMPX00000001").keys(keys).trust(trust).build()?;
/// ipad.enrol_by_link("https://localhost:8443/enrol/kJ8x").await?;
/// let conversation = ipad.poll().await?;
/// println!("{} commands", conversation.handled.len());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Ipad {
    pub(crate) state: State,
    pub(crate) identity: Option<Identity>,
    pub(crate) device_identity: Option<Identity>,
    pub(crate) keys: KeyPool,
    pub(crate) http: HttpClient,
    pub(crate) proofs: Proofs,
    pub(crate) scep: ScepStyle,
    pub(crate) faults: Faults,
    pub(crate) dice: Dice,
    pub(crate) clock: Clock,
    pub(crate) connect_content_type: bool,
    pub(crate) await_device_configured: bool,
    pub(crate) hang_up_after_conversation: bool,
    home: Option<Home>,
}

impl Ipad {
    /// An iPad of the tenth generation with iPadOS 27.0, supervised, unlocked, without access code.
    pub fn builder() -> IpadBuilder {
        IpadBuilder::new()
    }

    /// What it remembers.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// What it remembers, to be changed: how its user locks it, or a test makes it lie. [`Ipad::save`] keeps it.
    pub const fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// Its serial number.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.state.hardware.serial
    }

    /// The identifier of the device.
    #[must_use]
    pub fn udid(&self) -> &str {
        &self.state.hardware.udid
    }

    /// Whether its enrolment is complete.
    #[must_use]
    pub fn is_enrolled(&self) -> bool {
        self.state.enrolment.as_ref().is_some_and(|enrolment| enrolment.stage == Stage::Enrolled)
    }

    /// Its enrolment, complete or on the way.
    #[must_use]
    pub const fn enrolment(&self) -> Option<&Enrolment> {
        self.state.enrolment.as_ref()
    }

    /// The identity it got from SCEP.
    #[must_use]
    pub const fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Gives it another identity: another tablet's, a superseded or a stolen one.
    pub fn set_identity(&mut self, identity: Option<Identity>) {
        self.identity = identity;
        self.http.close();
    }

    /// Proves itself in another way from now on.
    pub fn set_proofs(&mut self, proofs: Proofs) {
        self.proofs = proofs;
        self.http.close();
    }

    /// Has these faults from now on. The clock stays as it was.
    pub const fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Speaks SCEP in another way from now on.
    pub const fn set_scep_style(&mut self, style: ScepStyle) {
        self.scep = style;
    }

    /// Locks or unlocks it, as its user does. A locked tablet says NotNow to some commands.
    pub const fn set_locked(&mut self, locked: bool) {
        self.state.locked = locked;
    }

    /// Sets or clears its access code, as its user does.
    pub fn set_passcode(&mut self, passcode: Option<String>) {
        self.state.passcode = passcode;
    }

    /// Removes a profile by hand, as its user does. `false` if there is none, or it cannot be removed: a supervised tablet
    /// keeps what forbids it.
    pub fn remove_profile_by_hand(&mut self, identifier: &str) -> bool {
        let supervised = self.state.hardware.supervised;
        let profile = self.state.profiles.get(identifier);
        let removable = profile.is_some_and(|profile| !(supervised && profile.removal_disallowed));
        removable && self.state.profiles.remove(identifier).is_some()
    }

    /// Updates its system, as its user does.
    pub fn update_system(&mut self, os_version: &str, build_version: &str) {
        os_version.clone_into(&mut self.state.hardware.os_version);
        build_version.clone_into(&mut self.state.hardware.build_version);
    }

    /// Its HTTP client, to look at.
    #[must_use]
    pub const fn connection(&self) -> &HttpClient {
        &self.http
    }

    /// Its HTTP client, for requests that no real tablet sends.
    pub const fn http(&mut self) -> &mut HttpClient {
        &mut self.http
    }

    /// The clock it believes in.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Keeps its memory on disk, if it has a home.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self) -> Result<(), Error> {
        self.home.as_ref().map_or(Ok(()), |home| home.save(&self.state, self.identity.as_ref()))
    }

    /// Sends a check-in message with all proofs, as it is given.
    ///
    /// # Errors
    /// When the tablet is not enrolled, or the server cannot be reached.
    pub async fn check_in(&mut self, message: &Dictionary) -> Result<Outcome, Error> {
        let url = self.state.wanted_enrolment()?.mdm.check_in_url.clone();
        let body = wire::write(message)?;
        let reply = self.deliver(url, Some(CHECK_IN), body).await?;
        self.settle(&reply)
    }

    /// Sends a connect message with all proofs, as it is given.
    ///
    /// # Errors
    /// When the tablet is not enrolled, or the server cannot be reached.
    pub async fn report(&mut self, message: &Dictionary) -> Result<Outcome, Error> {
        let url = self.state.wanted_enrolment()?.mdm.server_url.clone();
        let body = wire::write(message)?;
        let content_type = self.connect_content_type.then_some(CONNECT);
        if self.dice.falls(self.faults.duplicate_report) {
            let _first = self.deliver(url.clone(), content_type, body.clone()).await?;
        }
        let reply = self.deliver(url, content_type, body).await?;
        self.settle(&reply)
    }

    /// Sends any body with all proofs, and gives the answer as it came.
    ///
    /// # Errors
    /// When the server cannot be reached, or a fault made the tablet hang up.
    pub async fn deliver(
        &mut self,
        url: Url,
        content_type: Option<&'static str>,
        mut body: Vec<u8>,
    ) -> Result<Reply, Error> {
        if self.dice.falls(self.faults.malformed_body) {
            body.truncate(body.len() / 2);
        }
        if !self.faults.delay.is_zero() {
            tokio::time::sleep(self.faults.delay).await;
        }
        let mut request =
            Request::new(Method::PUT, url, body).header(USER_AGENT, HeaderValue::from_static("MDM/1.0"));
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        let mut shown = None;
        if let Some(identity) = &self.identity {
            let says_sign = self.state.enrolment.as_ref().is_some_and(|enrolment| enrolment.mdm.sign_message);
            let proofs: Vec<(HeaderName, HeaderValue)> =
                self.proofs.headers(identity, &request.body, says_sign, &self.clock)?;
            request.headers.extend(proofs);
            shown = self.proofs.client_certificate.then(|| identity.clone());
        }
        if self.dice.falls(self.faults.drop_while_sending) {
            return self.http.send_and_hang_up(&request, shown.as_ref(), HangUp::WhileSending).await;
        }
        if self.dice.falls(self.faults.drop_before_reading) {
            return self.http.send_and_hang_up(&request, shown.as_ref(), HangUp::BeforeReading).await;
        }
        self.http.send(&request, shown.as_ref()).await
    }

    /// What an answer means, and what the tablet does when it means the end of its management.
    fn settle(&mut self, reply: &Reply) -> Result<Outcome, Error> {
        let outcome = Outcome::of(reply);
        if matches!(outcome, Outcome::Unenrolled { .. }) {
            self.forget_enrolment()?;
        }
        Ok(outcome)
    }

    /// Removes management, and what came with it.
    pub(crate) fn forget_enrolment(&mut self) -> Result<(), Error> {
        self.state.unenrol();
        self.identity = None;
        self.http.close();
        self.save()
    }
}
