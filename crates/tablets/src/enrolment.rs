//! How a tablet enrols: by a link, by its maker's automated enrolment, or with a profile at hand; in one go or
//! step by step, so that a test can interrupt it anywhere.

use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use openssl::x509::X509;
use plist::Dictionary;
use url::Url;

use crate::http::{Reply, Request};
use crate::outcome::{refusal_code, wanted_update};
use crate::profile::EnrolmentProfile;
use crate::scep::{CertificateRequest, ScepClient};
use crate::signed_message::SignatureStyle;
use crate::state::{Enrolment, Stage};
use crate::wire;
use crate::{Error, Identity, Ipad, Outcome};

/// The content type of a profile.
const PROFILE_TYPE: &str = "application/x-apple-aspen-config";

impl Ipad {
    /// Enrols by a link: profile, identity, Authenticate, TokenUpdate.
    ///
    /// # Errors
    /// When a step is refused ([`Error::Refused`] names it), or the server cannot be reached.
    pub async fn enrol_by_link(&mut self, url: &str) -> Result<(), Error> {
        let profile = self.fetch_profile(url).await?;
        Box::pin(self.enrol(&profile, false)).await
    }

    /// Enrols by automated enrolment: a signed `MachineInfo` brings the profile, and the tablet then waits in its
    /// setup assistant until `DeviceConfigured`.
    ///
    /// # Errors
    /// As [`Ipad::enrol_by_link`]; [`Error::SoftwareUpdateRequired`] when the server wants a newer system first.
    pub async fn enrol_by_machine_info(&mut self, url: &str) -> Result<(), Error> {
        let profile = self.request_profile(url).await?;
        Box::pin(self.enrol(&profile, true)).await
    }

    /// Enrols with a profile at hand.
    ///
    /// # Errors
    /// As [`Ipad::enrol_by_link`].
    pub async fn enrol_with_profile(&mut self, profile: &[u8]) -> Result<(), Error> {
        let profile = EnrolmentProfile::open(profile)?;
        Box::pin(self.enrol(&profile, false)).await
    }

    /// Goes on with an enrolment that was interrupted after the tablet got its identity; an enrolment that is
    /// complete stays as it is.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`] when none was begun; otherwise as [`Ipad::enrol_by_link`].
    pub async fn resume_enrolment(&mut self) -> Result<(), Error> {
        let stage = self.state.wanted_enrolment()?.stage;
        if stage < Stage::Authenticated {
            accepted("Authenticate", self.authenticate().await?)?;
        }
        if stage < Stage::Enrolled {
            accepted("TokenUpdate", self.token_update().await?)?;
        }
        Ok(())
    }

    async fn enrol(&mut self, profile: &EnrolmentProfile, automated: bool) -> Result<(), Error> {
        self.identify(profile, automated).await?;
        self.resume_enrolment().await
    }

    /// First step, by a link: gets and opens the profile.
    ///
    /// # Errors
    /// When the server refuses, or what it sends is no enrolment profile.
    pub async fn fetch_profile(&mut self, url: &str) -> Result<EnrolmentProfile, Error> {
        let request = Request::new(Method::GET, address(url)?, Vec::new())
            .header(USER_AGENT, HeaderValue::from_static("Mozilla/5.0 (iPad)"));
        let reply = self.http.send(&request, None).await?;
        profile_of("the enrolment link", &reply)
    }

    /// First step, automated: sends a signed `MachineInfo`, and opens the profile.
    ///
    /// # Errors
    /// When the tablet has no identity from its maker, the server refuses, or what it sends is no enrolment
    /// profile.
    pub async fn request_profile(&mut self, url: &str) -> Result<EnrolmentProfile, Error> {
        let message = self.machine_info()?;
        self.send_machine_info(url, message).await
    }

    /// Sends any body as a signed `MachineInfo` would be sent.
    ///
    /// # Errors
    /// As [`Ipad::request_profile`].
    pub async fn send_machine_info(&mut self, url: &str, body: Vec<u8>) -> Result<EnrolmentProfile, Error> {
        let request = Request::new(Method::POST, address(url)?, body)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/pkcs7-signature"))
            .header(USER_AGENT, HeaderValue::from_static("DeviceManagementClient/1.0"));
        let reply = self.http.send(&request, None).await?;
        profile_of("MachineInfo", &reply)
    }

    /// The `MachineInfo` this tablet sends, signed by the identity its maker gave it.
    ///
    /// # Errors
    /// When it has no such identity.
    pub fn machine_info(&self) -> Result<Vec<u8>, Error> {
        let identity = self.device_identity.as_ref().ok_or_else(|| Error::Lacks {
            serial: self.serial().to_owned(),
            what: "identity from its maker",
        })?;
        let hardware = &self.state.hardware;
        let mut machine_info = wire::dictionary([
            ("UDID", hardware.udid.as_str().into()),
            ("SERIAL", hardware.serial.as_str().into()),
            ("PRODUCT", hardware.product_name.as_str().into()),
            ("VERSION", hardware.build_version.as_str().into()),
            ("LANGUAGE", "fr".into()),
        ]);
        // OS_VERSION and MDM_CAN_REQUEST_SOFTWARE_UPDATE came with iOS 17, the device identifier with 17.4.
        if self.major_version() >= 17 {
            machine_info.insert("OS_VERSION".to_owned(), hardware.os_version.as_str().into());
            machine_info.insert("MDM_CAN_REQUEST_SOFTWARE_UPDATE".to_owned(), true.into());
            machine_info
                .insert("SOFTWARE_UPDATE_DEVICE_ID".to_owned(), hardware.product_name.as_str().into());
        }
        self.sign_machine_info(&machine_info, identity)
    }

    /// Signs any dictionary as a `MachineInfo`, with any identity.
    ///
    /// # Errors
    /// When it cannot be written or signed.
    pub fn sign_machine_info(&self, contents: &Dictionary, signer: &Identity) -> Result<Vec<u8>, Error> {
        let style: SignatureStyle = self.proofs.style;
        style.attached(signer, &wire::write(contents)?, &self.clock)
    }

    /// Second step: gets an identity from SCEP, and takes the profile for its own.
    ///
    /// # Errors
    /// When the authority refuses; the tablet then is as it was before.
    pub async fn identify(&mut self, profile: &EnrolmentProfile, automated: bool) -> Result<(), Error> {
        let trust = self.http.trust().and(&profile.anchors)?;
        self.http.set_trust(trust);
        let identity = self.identity_from(profile, None).await?;
        self.state.unenrol();
        self.state.enrolment = Some(Enrolment {
            mdm: profile.mdm.clone(),
            profile_identifier: profile.profile.identifier.clone(),
            push_token: random_hex(32)?,
            push_magic: uuid::Uuid::new_v4().to_string().to_uppercase(),
            unlock_token: random_hex(256)?,
            awaiting_configuration: automated && self.await_device_configured,
            stage: Stage::Identified,
            anchors: pem_of(&profile.anchors)?,
            automated,
        });
        let installed = profile.profile.installed(true)?;
        self.state.profiles.insert(installed.identifier.clone(), installed);
        self.identity = Some(identity);
        self.http.close();
        self.save()
    }

    /// Third step: Authenticate. It may be sent again.
    ///
    /// # Errors
    /// When the tablet has not been identified, or the server cannot be reached.
    pub async fn authenticate(&mut self) -> Result<Outcome, Error> {
        let message = self.authenticate_message()?;
        let outcome = self.check_in(&message).await?;
        self.advance(&outcome, Stage::Authenticated)?;
        Ok(outcome)
    }

    /// The Authenticate message this tablet sends.
    ///
    /// # Errors
    /// When the tablet has not been identified.
    pub fn authenticate_message(&self) -> Result<Dictionary, Error> {
        self.state.authenticate_message()
    }

    /// Fourth step: TokenUpdate. Sent again at any time, it leaves the UnlockToken out, as tablets do.
    ///
    /// # Errors
    /// When the tablet has not been identified, or the server cannot be reached.
    pub async fn token_update(&mut self) -> Result<Outcome, Error> {
        let message = self.token_update_message()?;
        let outcome = self.check_in(&message).await?;
        self.advance(&outcome, Stage::Enrolled)?;
        Ok(outcome)
    }

    /// The TokenUpdate message this tablet sends.
    ///
    /// # Errors
    /// When the tablet has not been identified.
    pub fn token_update_message(&self) -> Result<Dictionary, Error> {
        self.state.token_update_message()
    }

    /// Gets a new push token and magic from the maker, and tells the server.
    ///
    /// # Errors
    /// As [`Ipad::token_update`].
    pub async fn change_push_token(&mut self) -> Result<Outcome, Error> {
        let token = random_hex(32)?;
        if let Some(enrolment) = &mut self.state.enrolment {
            enrolment.push_token = token;
            enrolment.push_magic = uuid::Uuid::new_v4().to_string().to_uppercase();
        }
        self.token_update().await
    }

    fn advance(&mut self, outcome: &Outcome, stage: Stage) -> Result<(), Error> {
        if outcome.is_accepted()
            && let Some(enrolment) = &mut self.state.enrolment
        {
            enrolment.stage = enrolment.stage.max(stage);
        }
        self.save()
    }

    /// Replaces the identity by a new one, as a profile issued again asks for. The enrolment goes on.
    pub(crate) async fn renew(&mut self, profile: &EnrolmentProfile) -> Result<(), Error> {
        let present = self.identity.clone();
        let identity = self.identity_from(profile, present.as_ref()).await?;
        if let Some(enrolment) = &mut self.state.enrolment {
            enrolment.mdm = profile.mdm.clone();
        }
        let installed = profile.profile.installed(true)?;
        self.state.profiles.insert(installed.identifier.clone(), installed);
        self.identity = Some(identity);
        self.http.close();
        self.save()
    }

    /// A new identity from the authority that a profile names.
    async fn identity_from(
        &mut self,
        profile: &EnrolmentProfile,
        present: Option<&Identity>,
    ) -> Result<Identity, Error> {
        let key = self.keys.key(self.state.hardware.own_number().wrapping_add(self.state.identities));
        self.state.identities += 1;
        let subject = profile.scep.subject_name(self.udid())?;
        let request = CertificateRequest {
            subject: &subject,
            key: &key,
            challenge: profile.scep.challenge.as_deref(),
            key_usage: profile.scep.key_usage,
            wishes: &[],
        };
        let fingerprint = profile.scep.fingerprint.as_deref();
        let mut client =
            ScepClient::new(&mut self.http, profile.scep.url.clone(), self.scep, self.clock.clone())
                .authority_name(profile.scep.name.clone());
        match present {
            Some(present) => Box::pin(client.renew(&request, present, fingerprint)).await,
            None => Box::pin(client.enrol(&request, fingerprint)).await,
        }
    }

    /// The number before the first point of its system's version.
    pub(crate) fn major_version(&self) -> u32 {
        let version = &self.state.hardware.os_version;
        version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default()
    }
}

fn accepted(step: &'static str, outcome: Outcome) -> Result<(), Error> {
    match outcome {
        Outcome::Accepted(_) => Ok(()),
        Outcome::Refused { status, body } => Err(Error::Refused { step, status, body }),
        Outcome::Unenrolled { status } | Outcome::Unavailable { status } => {
            Err(Error::Refused { step, status, body: String::new() })
        }
    }
}

fn profile_of(step: &'static str, reply: &Reply) -> Result<EnrolmentProfile, Error> {
    if reply.status != 200 {
        if refusal_code(reply).as_deref() == Some("com.apple.softwareupdate.required") {
            let (os_version, build_version) = wanted_update(reply);
            return Err(Error::SoftwareUpdateRequired { os_version, build_version });
        }
        return Err(Error::Refused { step, status: reply.status, body: reply.excerpt() });
    }
    if !reply.content_type().starts_with(PROFILE_TYPE) {
        return Err(Error::malformed(
            "the enrolment profile",
            format!("it came as “{}”, not as {PROFILE_TYPE}", reply.content_type()),
        ));
    }
    EnrolmentProfile::open(&reply.body)
}

fn address(url: &str) -> Result<Url, Error> {
    Url::parse(url).map_err(|error| Error::Usage(format!("“{url}” is no address: {error}")))
}

pub(crate) fn random_hex(bytes: usize) -> Result<String, Error> {
    let mut random = vec![0; bytes];
    openssl::rand::rand_bytes(&mut random)?;
    Ok(hex::encode(random))
}

fn pem_of(certificates: &[X509]) -> Result<String, Error> {
    let mut text = String::new();
    for certificate in certificates {
        text.push_str(&String::from_utf8_lossy(&certificate.to_pem()?));
    }
    Ok(text)
}
