//! A simulated iPad: built, asked, and made to speak. What it says is in the modules beside this one.

use std::time::Duration;

use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use openssl::hash::{MessageDigest, hash};
use plist::{Dictionary, Value};
use url::Url;

use crate::faults::Dice;
use crate::http::{HangUp, HttpClient, Reply, Request};
use crate::state::{Enrolment, Hardware, Home, Stage, State};
use crate::wire;
use crate::{Clock, Error, Faults, Identity, KeyPool, Outcome, Proofs, ScepStyle, Trust};

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
    home: Option<Home>,
}

/// What an iPad is made from.
#[derive(Debug, Clone)]
#[must_use]
pub struct IpadBuilder {
    hardware: Hardware,
    device_name: Option<String>,
    udid: Option<String>,
    locked: bool,
    passcode: Option<String>,
    keys: Option<KeyPool>,
    trust: Option<Trust>,
    device_identity: Option<Identity>,
    proofs: Proofs,
    scep: ScepStyle,
    faults: Faults,
    clock: Clock,
    home: Option<Home>,
    keep_alive: bool,
    patience: Option<Duration>,
    connect_content_type: bool,
    await_device_configured: bool,
}

impl Ipad {
    /// An iPad of the tenth generation with iPadOS 27.0, supervised, unlocked, without access code.
    pub fn builder() -> IpadBuilder {
        IpadBuilder {
            hardware: Hardware {
                serial: "DMPX00000001".to_owned(),
                udid: String::new(),
                product_name: "iPad13,18".to_owned(),
                model_name: "iPad".to_owned(),
                model: "MPQ03NF/A".to_owned(),
                os_version: "27.0".to_owned(),
                build_version: "25A340".to_owned(),
                supervised: true,
                automated_enrolment_url: None,
            },
            device_name: None,
            udid: None,
            locked: false,
            passcode: None,
            keys: None,
            trust: None,
            device_identity: None,
            proofs: Proofs::default(),
            scep: ScepStyle::default(),
            faults: Faults::default(),
            clock: Clock::system(),
            home: None,
            keep_alive: true,
            patience: None,
            connect_content_type: true,
            await_device_configured: true,
        }
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

    /// Updates its system, as its user does.
    pub fn update_system(&mut self, os_version: &str, build_version: &str) {
        os_version.clone_into(&mut self.state.hardware.os_version);
        build_version.clone_into(&mut self.state.hardware.build_version);
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
        let url = self.wanted_enrolment()?.mdm.check_in_url.clone();
        let body = wire::write(message)?;
        let reply = self.deliver(url, Some(CHECK_IN), body).await?;
        self.settle(&reply)
    }

    /// Sends a connect message with all proofs, as it is given.
    ///
    /// # Errors
    /// When the tablet is not enrolled, or the server cannot be reached.
    pub async fn report(&mut self, message: &Dictionary) -> Result<Outcome, Error> {
        let url = self.wanted_enrolment()?.mdm.server_url.clone();
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

    pub(crate) fn wanted_enrolment(&self) -> Result<&Enrolment, Error> {
        self.state
            .enrolment
            .as_ref()
            .ok_or_else(|| Error::NotEnrolled { serial: self.state.hardware.serial.clone() })
    }

    /// A check-in message with what all have.
    pub(crate) fn message(&self, message_type: &str) -> Dictionary {
        wire::dictionary([("MessageType", message_type.into()), ("UDID", self.udid().into())])
    }

    /// A connect message with what all have.
    pub(crate) fn connect_message(&self, status: &str) -> Dictionary {
        wire::dictionary([("Status", status.into()), ("UDID", Value::from(self.udid()))])
    }
}

impl IpadBuilder {
    /// Its serial number.
    pub fn serial(mut self, serial: impl Into<String>) -> Self {
        self.hardware.serial = serial.into();
        self
    }

    /// The identifier of the device. Without one, it is made from the serial number.
    pub fn udid(mut self, udid: impl Into<String>) -> Self {
        self.udid = Some(udid.into());
        self
    }

    /// The model: identifier (`iPad13,18`), name (`iPad`) and order number (`MPQ03NF/A`).
    pub fn model(mut self, product: &str, name: &str, number: &str) -> Self {
        product.clone_into(&mut self.hardware.product_name);
        name.clone_into(&mut self.hardware.model_name);
        number.clone_into(&mut self.hardware.model);
        self
    }

    /// The system's version and build.
    pub fn system(mut self, os_version: &str, build_version: &str) -> Self {
        os_version.clone_into(&mut self.hardware.os_version);
        build_version.clone_into(&mut self.hardware.build_version);
        self
    }

    /// The name its user gave it.
    pub fn device_name(mut self, name: impl Into<String>) -> Self {
        self.device_name = Some(name.into());
        self
    }

    /// Whether it is supervised.
    pub const fn supervised(mut self, supervised: bool) -> Self {
        self.hardware.supervised = supervised;
        self
    }

    /// Whether it is locked.
    pub const fn locked(mut self, locked: bool) -> Self {
        self.locked = locked;
        self
    }

    /// Its access code.
    pub fn passcode(mut self, passcode: impl Into<String>) -> Self {
        self.passcode = Some(passcode.into());
        self
    }

    /// Where its keys come from. Without a pool, it makes one of a single key.
    pub fn keys(mut self, keys: KeyPool) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Whom it trusts to be its server. Without this, whom the machine trusts.
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = Some(trust);
        self
    }

    /// The identity its maker gave it, for automated enrolment.
    pub fn device_identity(mut self, identity: Identity) -> Self {
        self.device_identity = Some(identity);
        self
    }

    /// Where automated enrolment sends it, also when it returns to service without a profile of its own.
    pub fn automated_enrolment_url(mut self, url: impl Into<String>) -> Self {
        self.hardware.automated_enrolment_url = Some(url.into());
        self
    }

    /// Whether automated enrolment makes it wait for `DeviceConfigured` (it does by default).
    pub const fn await_device_configured(mut self, wait: bool) -> Self {
        self.await_device_configured = wait;
        self
    }

    /// How it proves who it is.
    pub fn proofs(mut self, proofs: Proofs) -> Self {
        self.proofs = proofs;
        self
    }

    /// How it speaks SCEP.
    pub const fn scep_style(mut self, style: ScepStyle) -> Self {
        self.scep = style;
        self
    }

    /// What goes wrong with it.
    pub const fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// The clock it believes in, before [`Faults::clock_offset`].
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Where it keeps its memory. If a tablet of its serial number is kept there, it is that tablet.
    pub fn home(mut self, home: Home) -> Self {
        self.home = Some(home);
        self
    }

    /// Whether its connection is kept for the next request (it is by default).
    pub const fn keep_alive(mut self, keep_alive: bool) -> Self {
        self.keep_alive = keep_alive;
        self
    }

    /// How long it waits for an answer; half a minute by default.
    pub const fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Whether connect messages have a `Content-Type`; some real tablets send none.
    pub const fn connect_content_type(mut self, sends: bool) -> Self {
        self.connect_content_type = sends;
        self
    }

    /// Makes the tablet, or wakes the one that its home keeps.
    ///
    /// # Errors
    /// When its kept memory cannot be read, or no key or trust can be made.
    pub fn build(self) -> Result<Ipad, Error> {
        let digest = hash(MessageDigest::sha256(), self.hardware.serial.as_bytes())?;
        let kept = match &self.home {
            Some(home) if home.serials()?.contains(&self.hardware.serial) => {
                Some(home.load(&self.hardware.serial)?)
            }
            _ => None,
        };
        let (state, identity) = kept.unwrap_or_else(|| {
            let mut hardware = self.hardware.clone();
            hardware.udid = self.udid.clone().unwrap_or_else(|| made_up_udid(&digest));
            let mut state = State::new(hardware);
            if let Some(name) = &self.device_name {
                state.device_name.clone_from(name);
            }
            state.locked = self.locked;
            state.passcode.clone_from(&self.passcode);
            (state, None)
        });
        let mut trust = match self.trust {
            Some(trust) => trust,
            None => Trust::system()?,
        };
        if let Some(enrolment) = &state.enrolment {
            trust = trust.and(&openssl::x509::X509::stack_from_pem(enrolment.anchors.as_bytes())?)?;
        }
        let clock = self.clock.wrong_by(self.faults.clock_offset);
        let mut http = HttpClient::new(trust, clock.clone());
        http.set_keep_alive(self.keep_alive);
        if let Some(patience) = self.patience {
            http.set_patience(patience);
        }
        let keys = match self.keys {
            Some(keys) => keys,
            None => KeyPool::in_memory(1)?,
        };
        Ok(Ipad {
            state,
            identity,
            device_identity: self.device_identity,
            keys,
            http,
            proofs: self.proofs,
            scep: self.scep,
            faults: self.faults,
            dice: Dice::new(seed(&digest)),
            clock,
            connect_content_type: self.connect_content_type,
            await_device_configured: self.await_device_configured,
            home: self.home,
        })
    }
}

/// A number that is the tablet's own, from the digest of its serial number.
pub(crate) fn seed(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

/// `00008120-` and 16 hexadecimal digits, as recent iPads have it.
fn made_up_udid(digest: &[u8]) -> String {
    let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02X}")).collect();
    format!("00008120-{digits}")
}
