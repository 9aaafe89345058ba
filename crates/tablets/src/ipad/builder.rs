//! What an iPad is made from, and how it is made or woken.

use std::time::Duration;

use openssl::x509::X509;

use super::Ipad;
use crate::faults::Dice;
use crate::hardware::{Hardware, made_up_udid};
use crate::http::HttpClient;
use crate::state::{Home, State};
use crate::{Clock, Error, Faults, Identity, KeyPool, Proofs, ScepStyle, Trust};

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
    hang_up_after_conversation: bool,
    patience: Option<Duration>,
    connect_content_type: bool,
    await_device_configured: bool,
}

impl IpadBuilder {
    pub(super) fn new() -> Self {
        Self {
            hardware: Hardware::ipad("DMPX00000001"),
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
            hang_up_after_conversation: false,
            patience: None,
            connect_content_type: true,
            await_device_configured: true,
        }
    }

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

    /// The identifier of the device that would be built.
    #[must_use]
    pub fn device_udid(&self) -> String {
        self.udid.clone().unwrap_or_else(|| made_up_udid(&self.hardware.serial))
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

    /// Whether it closes its connection at the end of each conversation, as a tablet does that goes back to
    /// sleep. By default it keeps it.
    pub const fn hang_up_after_conversation(mut self, hangs_up: bool) -> Self {
        self.hang_up_after_conversation = hangs_up;
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
        let udid = self.device_udid();
        let keys = match self.keys {
            Some(keys) => keys,
            None => KeyPool::in_memory(1)?,
        };
        let kept = match &self.home {
            Some(home) if home.has(&self.hardware.serial)? => {
                Some(home.load_with(&self.hardware.serial, &keys)?)
            }
            _ => None,
        };
        let (state, identity) = kept.unwrap_or_else(|| {
            let mut hardware = self.hardware;
            hardware.udid = udid;
            let mut state = State::new(hardware);
            if let Some(name) = self.device_name {
                state.device_name = name;
            }
            state.locked = self.locked;
            state.passcode = self.passcode;
            (state, None)
        });
        let mut trust = match self.trust {
            Some(trust) => trust,
            None => Trust::system()?,
        };
        if let Some(enrolment) = &state.enrolment {
            trust = trust.and(&X509::stack_from_pem(enrolment.anchors.as_bytes())?)?;
        }
        let clock = self.clock.wrong_by(self.faults.clock_offset);
        let mut http = HttpClient::new(trust, clock.clone());
        http.set_keep_alive(self.keep_alive);
        if let Some(patience) = self.patience {
            http.set_patience(patience);
        }
        Ok(Ipad {
            dice: Dice::new(state.hardware.own_number()),
            state,
            identity,
            device_identity: self.device_identity,
            keys,
            http,
            proofs: self.proofs,
            scep: self.scep,
            faults: self.faults,
            clock,
            connect_content_type: self.connect_content_type,
            await_device_configured: self.await_device_configured,
            hang_up_after_conversation: self.hang_up_after_conversation,
            home: self.home,
        })
    }
}
