//! Asking for certificates: invitations, and clients that take them.

use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509Name};
use tablets::{
    CertificateRequest, EnrolmentProfile, Error, HttpClient, Identity, ScepClient, ScepStyle, Via,
};
use testkit::{TestServer, inventory_csv};
use types::{Clock as _, EnrolmentId};

use crate::support::{COLLEGE, at, clock, stranger};

/// How SCEP messages are sent.
pub(crate) const BY_GET_AND_POST: [Via; 2] = [Via::Get, Via::Post];

/// An invitation to enrol, and what a client needs to take it.
pub(crate) struct Invitation {
    pub(crate) profile: EnrolmentProfile,
    pub(crate) enrolment: EnrolmentId,
    pub(crate) link: String,
}

impl Invitation {
    /// Invites a tablet of the inventory by a link of its own.
    pub(crate) async fn of(server: &TestServer, serial: &str) -> Self {
        server.import_inventory(&inventory_csv([serial], COLLEGE)).await.unwrap();
        let link = server.link_for(serial).await.unwrap();
        Self::by(server, serial, link).await
    }

    pub(crate) async fn by(server: &TestServer, serial: &str, link: String) -> Self {
        let profile = server.ipad(serial).build().unwrap().fetch_profile(&link).await.unwrap();
        let (_cn, enrolment) = profile.scep.subject.first().unwrap();
        Self { enrolment: enrolment.parse().unwrap(), profile, link }
    }

    pub(crate) fn challenge(&self) -> &str {
        self.profile.scep.challenge.as_deref().unwrap()
    }
}

/// Someone who asks the authority, well-behaved or not.
pub(crate) struct Asker<'a> {
    server: &'a TestServer,
    http: HttpClient,
    style: ScepStyle,
}

impl<'a> Asker<'a> {
    /// Someone who sends its messages this way, and is well-behaved otherwise.
    pub(crate) fn of(server: &'a TestServer, via: Via) -> Self {
        Self::with(server, ScepStyle { via, ..ScepStyle::default() })
    }

    /// Someone who speaks SCEP in this style.
    pub(crate) fn with(server: &'a TestServer, style: ScepStyle) -> Self {
        Self { server, http: stranger(server), style }
    }

    /// Its client.
    pub(crate) fn client(&mut self) -> ScepClient<'_> {
        ScepClient::new(&mut self.http, at(self.server, "/scep"), self.style, clock(self.server))
    }

    /// Asks for a first certificate as tablets do.
    pub(crate) async fn enrol(
        &mut self,
        key: &PKey<Private>,
        challenge: Option<&str>,
    ) -> Result<Identity, Error> {
        let subject = named("a tablet");
        let request = request(&subject, key, challenge);
        self.client().enrol(&request, None).await
    }

    /// Sends a message of any type, signed by anyone, about a key and with a challenge if one is given.
    pub(crate) async fn ask(
        &mut self,
        message_type: &str,
        signer: &Identity,
        key: &PKey<Private>,
        challenge: Option<&str>,
    ) -> Result<Vec<X509>, Error> {
        let subject = named("a tablet");
        let request = request(&subject, key, challenge);
        self.client().ask(message_type, signer, &request).await
    }
}

pub(crate) fn request<'a>(
    subject: &'a X509Name,
    key: &'a PKey<Private>,
    challenge: Option<&'a str>,
) -> CertificateRequest<'a> {
    CertificateRequest { subject, key, challenge, key_usage: 5, wishes: &[] }
}

pub(crate) fn named(common_name: &str) -> X509Name {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, common_name).unwrap();
    name.build()
}

/// A certificate of its own making, as a first request is signed with.
pub(crate) fn self_signed(server: &TestServer, key: &PKey<Private>) -> Identity {
    Identity::self_signed(&named("a tablet"), key.clone(), server.clock().now().as_seconds()).unwrap()
}

/// Refused with a CertRep whose status is FAILURE: nothing else counts as a refusal here.
pub(crate) fn assert_refused<T: std::fmt::Debug>(outcome: Result<T, Error>, with: &str, what: &str) {
    match outcome {
        Err(Error::ScepRefused { fail_info }) => assert_eq!(fail_info, with, "{what}"),
        other => panic!("{what}: {other:?}"),
    }
}

/// RFC 8894 §3.2.1.4.5.
pub(crate) const BAD_ALG: &str = "0";
pub(crate) const BAD_REQUEST: &str = "2";
