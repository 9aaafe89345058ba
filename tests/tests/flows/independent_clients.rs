//! SCEP clients that share no code with us, neither with the server nor with its simulated tablets: strongSwan's and
//! certmonger's, as Debian has them. Each gets a certificate by a challenge and renews it with itself; a tablet then
//! lives with what it got.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use openssl::pkey::PKey;
use openssl::x509::X509;
use store::Engine;
use store::certificates::CertificateState::{Confirmed, Superseded};
use tablets::{Identity, Ipad, Proofs, Trust};
use testkit::{Patience, TestServer, TestkitError, wait_until};
use types::{Clock as _, EnrolmentId};

use crate::asker::Invitation;
use crate::proxy::{self, Proxy, Running};
use crate::support::{certificates_of, fingerprint, obey, on_both_engines, report, still_managed};

on_both_engines! {
    strongswan_enrols_and_renews,
    certmonger_enrols_and_renews,
}

const SERIAL: &str = "DMPX00000001";

/// A server without TLS behind a proxy, for clients that cannot be told to trust an authority of ours.
struct Behind {
    server: TestServer,
    trust: Trust,
    _proxy: Running,
}

impl Behind {
    async fn a_proxy(engine: Engine) -> Self {
        let proxy = Proxy::new(types::ManualClock::new().now().as_seconds()).await;
        let server = TestServer::setup(engine)
            .flag(format!("tablets.public_url={}", proxy.url()))
            .flag("tablets.plain_http=true")
            .flag(format!("tablets.trusted_proxies={}", proxy::ADDRESS))
            .start()
            .await
            .unwrap();
        let trust = proxy.trust();
        let running = proxy.serve(server.running().unwrap().tablets_addr());
        Self { server, trust, _proxy: running }
    }

    fn scep(&self) -> String {
        format!("http://{}/scep", self.server.running().unwrap().tablets_addr())
    }

    async fn invitation(&self) -> Invitation {
        self.server
            .import_inventory(&testkit::inventory_csv([SERIAL], crate::support::COLLEGE))
            .await
            .unwrap();
        self.another(self.server.link_for(SERIAL).await.unwrap()).await
    }

    async fn another(&self, link: String) -> Invitation {
        let mut ipad = self.server.ipad(SERIAL).trust(self.trust.clone()).build().unwrap();
        let profile = ipad.fetch_profile(&link).await.unwrap();
        let enrolment = profile.scep.subject[0].1.parse().unwrap();
        Invitation { profile, enrolment, link }
    }

    /// A tablet that took the profile, and has the identity that someone else got for it.
    async fn tablet(&self, invitation: &Invitation, identity: Identity) -> Ipad {
        let proofs = Proofs::client_certificate();
        let mut ipad = self.server.ipad(SERIAL).trust(self.trust.clone()).proofs(proofs).build().unwrap();
        let own = self.another(invitation.link.clone()).await;
        ipad.identify(&own.profile, false).await.unwrap();
        ipad.set_identity(Some(identity));
        assert!(ipad.authenticate().await.unwrap().is_accepted());
        assert!(ipad.token_update().await.unwrap().is_accepted());
        obey(&mut ipad).await;
        ipad
    }

    /// The renewed certificate is one more of the same enrolment, replaces the first when it is used, and works.
    async fn lives_on_with(&self, ipad: &mut Ipad, id: EnrolmentId, renewed: Identity) {
        let first = ipad.identity().unwrap().clone();
        assert_ne!(renewed.fingerprint(), first.fingerprint());
        let rows = certificates_of(&self.server, id).await;
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1].sha256, fingerprint(renewed.certificate()));
        assert_eq!(rows[1].renewed_from, Some(fingerprint(first.certificate())));
        ipad.set_identity(Some(renewed.clone()));
        assert!(obey(ipad).await.handled.is_empty());
        let states: Vec<_> = certificates_of(&self.server, id).await.iter().map(|row| row.state).collect();
        assert_eq!(states, [Superseded, Confirmed]);
        ipad.set_identity(Some(first));
        let idle = report(ipad.udid(), "Idle", None);
        assert_eq!(still_managed(&ipad.report(&idle).await.unwrap()), 400);
        ipad.set_identity(Some(renewed));
        assert!(obey(ipad).await.handled.is_empty());
    }
}

/// The folder in which the clients were unpacked; what stands in the way is said by the script.
fn clients() -> PathBuf {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/independent-clients.sh");
    let output = Command::new(script).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// A program of theirs, which finds its libraries beside it.
fn program(clients: &Path, path: impl AsRef<Path>) -> Command {
    let mut command = Command::new(path.as_ref());
    let bases = [clients.join("usr/lib"), clients.join("lib")];
    let inside = bases.iter().filter_map(|base| std::fs::read_dir(base).ok()).flatten();
    let folders = inside.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    command.env("LD_LIBRARY_PATH", std::env::join_paths(folders).unwrap()).stdin(Stdio::null());
    command
}

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// strongSwan's `pki`.
struct StrongSwan {
    clients: PathBuf,
    folder: tempfile::TempDir,
}

impl StrongSwan {
    const SETTINGS: &'static str = "pki {\n  load = random nonce drbg aes sha1 sha2 hmac mgf1 pem pkcs1 pkcs7 pkcs8 x509 \
        pubkey gmp constraints curl\n}\n";

    /// None where the distribution's strongSwan is older than its SCEP client, as the script says aloud.
    async fn unpacked() -> Option<Self> {
        let clients = tokio::task::spawn_blocking(clients).await.unwrap();
        let client = Self { clients, folder: tempfile::tempdir().unwrap() };
        std::fs::write(client.path("strongswan.conf"), Self::SETTINGS).unwrap();
        let help = said(&client.pki("--scep --help").await);
        if help.contains("--cacert-enc") {
            return Some(client);
        }
        eprintln!("this strongSwan is older than 5.9.8 and has no SCEP client: nothing was asked of it");
        None
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs it in its folder.
    async fn pki(&self, line: &str) -> Output {
        let mut command = program(&self.clients, "pki");
        // Its plugins are looked for in one folder of the system only; what is loaded before counts as its own.
        let plugin = self.clients.join("usr/lib/ipsec/plugins/libstrongswan-curl.so");
        command.args(line.split_whitespace()).current_dir(self.folder.path());
        command.env("LD_PRELOAD", plugin).env("STRONGSWAN_CONF", self.path("strongswan.conf"));
        run(command).await
    }

    /// Runs it, which must succeed, and keeps what it prints.
    async fn makes(&self, name: &str, line: &str) {
        let output = self.pki(line).await;
        assert!(output.status.success() && !output.stdout.is_empty(), "{line}: {}", said(&output));
        std::fs::write(self.path(name), output.stdout).unwrap();
    }

    fn identity(&self, certificate: &str, key: &str) -> Identity {
        let read = |name| std::fs::read(self.path(name)).unwrap();
        let key = PKey::private_key_from_der(&read(key)).unwrap();
        Identity::new(X509::from_der(&read(certificate)).unwrap(), key)
    }
}

async fn strongswan_enrols_and_renews(engine: Engine) {
    let Some(strongswan) = StrongSwan::unpacked().await else { return };
    let behind = Behind::a_proxy(engine).await;
    let invitation = behind.invitation().await;
    let (url, id) = (behind.scep(), invitation.enrolment);
    strongswan.makes("key.der", "--gen --type rsa --size 2048 --outform der").await;
    let output = strongswan.pki(&format!("--scepca --url {url} --caout ca.der --raout ra.der")).await;
    assert!(output.status.success(), "{}", said(&output));
    let ca = X509::from_pem(behind.server.trust_pem().unwrap().as_bytes()).unwrap();
    assert_eq!(std::fs::read(strongswan.path("ca.der")).unwrap(), ca.to_der().unwrap());

    let ask = format!("--scep --url {url} --dn CN=tablet --cacert-enc ca.der --cacert-sig ca.der");
    let guess = strongswan.pki(&format!("{ask} --in key.der --password a-guess")).await;
    assert!(!guess.status.success() && guess.stdout.is_empty(), "{}", said(&guess));
    assert_eq!(certificates_of(&behind.server, id).await, []);

    let password = invitation.challenge();
    strongswan.makes("cert.der", &format!("{ask} --in key.der --password {password}")).await;
    let first = strongswan.identity("cert.der", "key.der");
    let rows = certificates_of(&behind.server, id).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].sha256, fingerprint(first.certificate()));
    // Its answer lost, it would be given the same again.
    strongswan.makes("again.der", &format!("{ask} --in key.der --password {password}")).await;
    let again = strongswan.identity("again.der", "key.der");
    assert_eq!(again.fingerprint(), first.fingerprint());

    let mut ipad = behind.tablet(&invitation, first).await;
    strongswan.makes("new-key.der", "--gen --type rsa --size 3072 --outform der").await;
    let renew = format!("{ask} --in new-key.der --cert cert.der --key key.der");
    strongswan.makes("new-cert.der", &format!("{renew} --digest sha512")).await;
    let renewed = strongswan.identity("new-cert.der", "new-key.der");
    behind.lives_on_with(&mut ipad, id, renewed).await;
    let late = strongswan.pki(&renew).await;
    assert!(!late.status.success(), "a replaced certificate renews nothing: {}", said(&late));
}

/// certmonger, on a socket of its own: no bus of the system, no service, nothing outside its folder.
struct Certmonger {
    clients: PathBuf,
    folder: tempfile::TempDir,
    daemon: Child,
}

impl Drop for Certmonger {
    fn drop(&mut self) {
        let _gone = self.daemon.kill();
        let _waited = self.daemon.wait();
    }
}

impl Certmonger {
    async fn started() -> Self {
        let clients = tokio::task::spawn_blocking(clients).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        let mut command = program(&clients, clients.join("usr/lib/certmonger/certmonger-session"));
        for (variable, name) in [
            ("CERTMONGER_CONFIG_DIR", "config"),
            ("CERTMONGER_REQUESTS_DIR", "requests"),
            ("CERTMONGER_CAS_DIR", "cas"),
            ("CERTMONGER_LOCAL_CA_DIR", "local"),
            ("CERTMONGER_TMPDIR", "tmp"),
        ] {
            std::fs::create_dir(home.join(name)).unwrap();
            command.env(variable, home.join(name));
        }
        command.env("HOME", home).args(["-n", "-L", "-P"]).arg(home.join("socket"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let daemon = command.spawn().unwrap();
        let socket = home.join("socket");
        wait_until("certmonger listens", Patience::default(), async || {
            Ok::<_, TestkitError>(socket.exists().then_some(()))
        })
        .await
        .unwrap();
        Self { clients, folder, daemon }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs its command line tool, which must succeed.
    async fn getcert(&self, line: &str) -> String {
        let mut command = program(&self.clients, self.clients.join("usr/bin/getcert"));
        let socket = format!("unix:path={}", self.path("socket").display());
        command.env("CERTMONGER_PVT_ADDRESS", socket).env("HOME", self.folder.path());
        command.args(line.split('|').map(str::trim)).current_dir(self.folder.path());
        let output = run(command).await;
        assert!(output.status.success(), "{line}: {}", said(&output));
        said(&output)
    }

    /// Tells it of our authority. Its helper stands beside it, and it passes none of its environment on.
    async fn add_authority(&self, url: &str, ca_pem: &str) {
        std::fs::write(self.path("ca.pem"), ca_pem).unwrap();
        let scep_submit = program(&self.clients, self.clients.join("usr/lib/certmonger/scep-submit"));
        let libraries = scep_submit.get_envs().find_map(|(name, value)| {
            (name == "LD_LIBRARY_PATH").then(|| value.unwrap().to_string_lossy().into_owned())
        });
        let script = format!(
            "#!/bin/sh\nLD_LIBRARY_PATH={} exec {} \"$@\"\n",
            libraries.unwrap(),
            scep_submit.get_program().to_string_lossy()
        );
        let helper = self.path("helper");
        std::fs::write(&helper, script).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&helper, mode).unwrap();
        let ca = self.path("ca.pem");
        let (helper, ca) = (helper.display(), ca.display());
        self.getcert(&format!("add-ca|-c|ardoise|-e|{helper} -u {url} -r {ca} -N {ca}")).await;
    }

    /// What it holds now: the certificate it got last, with its key.
    fn identity(&self) -> Identity {
        let read = |name| std::fs::read(self.path(name)).unwrap();
        let key = PKey::private_key_from_pem(&read("key.pem")).unwrap();
        Identity::new(X509::from_pem(&read("cert.pem")).unwrap(), key)
    }
}

async fn certmonger_enrols_and_renews(engine: Engine) {
    let certmonger = Certmonger::started().await;
    let behind = Behind::a_proxy(engine).await;
    let invitation = behind.invitation().await;
    let (id, challenge) = (invitation.enrolment, invitation.challenge());
    certmonger.add_authority(&behind.scep(), &behind.server.trust_pem().unwrap()).await;

    let (key, certificate) = (certmonger.path("key.pem"), certmonger.path("cert.pem"));
    let (key, certificate) = (key.display(), certificate.display());
    let wait = "-w|--wait-timeout|30";
    certmonger
        .getcert(&format!("request|-c|ardoise|-k|{key}|-f|{certificate}|-N|CN=tablet|-L|{challenge}|{wait}"))
        .await;
    let listed = certmonger.getcert("list").await;
    assert!(listed.contains("status: MONITORING"), "{listed}");
    let first = certmonger.identity();
    let rows = certificates_of(&behind.server, id).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].sha256, fingerprint(first.certificate()));

    let mut ipad = behind.tablet(&invitation, first).await;
    certmonger.getcert(&format!("rekey|-f|{certificate}|{wait}")).await;
    let listed = certmonger.getcert("list").await;
    assert!(listed.contains("status: MONITORING") && !listed.contains("ca-error"), "{listed}");
    behind.lives_on_with(&mut ipad, id, certmonger.identity()).await;
}
