//! Writes what the targets begin with: messages as they should be, for what has no golden vectors in the tree.
//!
//! `cargo run --manifest-path fuzz/Cargo.toml --target-dir target/fuzz/plain --example seeds -- fuzz/seeds` wrote those
//! that are there: `fuzz/seeds/TARGET/NAME`. The property lists are in `crates/apple/vectors`, and read from there.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::x509::X509;
use pki::{SigningKey, sign_attached, sign_detached};
use types::Secret;

const MACHINE_INFO: &[u8] = include_bytes!("../../crates/apple/vectors/other/MachineInfo.plist");
const PROFILE: &[u8] = include_bytes!("../../crates/apple/vectors/profile/wifi.plist");

const FULL_REPORT: &[u8] = br#"{"FullReport":true,"StatusItems":{"device":{"operating-system":{"version":"27.0"}},
"management":{"declarations":{"activations":[{"identifier":"a","server-token":"1","active":true,"valid":"valid"}],
"configurations":[{"identifier":"b","server-token":"2","active":false,"valid":"invalid",
"reasons":[{"code":"Error.ConfigurationCannotBeApplied","description":"No","details":{}}]}],"assets":[],"management":[]}}},
"Errors":[]}"#;
const CHANGES: &[u8] =
    br#"{"StatusItems":{"management":{"declarations":{"assets":[{"identifier":"c","_removed":true}]}}}}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("which folder?")?);
    let shared = fuzz::fixture::get();
    let tablet = fuzz::fixture::tablet();
    let key = SigningKey::from_der(tablet, &Secret::new(fuzz::fixture::client_key().to_vec()), &[])?;
    let put = |target: &str, name: &str, bytes: &[u8]| write(&folder, target, name, bytes);

    let machine_info = sign_attached(MACHINE_INFO, &key)?;
    put("machine_info", "signed", &machine_info)?;
    put("machine_info", "signed-in-ber", &indefinite(&machine_info))?;
    put("machine_info", "plain", MACHINE_INFO)?;
    put("cms", "attached", &sign_attached(PROFILE, &key)?)?;
    put("cms", "attached-in-ber", &indefinite(&sign_attached(PROFILE, &key)?))?;
    let detached = sign_detached(b"<plist/>", &key)?;
    put("cms", "detached", &detached)?;
    put("cms", "header", STANDARD.encode(&detached).as_bytes())?;

    let request = shared.client.certificate_request();
    let envelope = shared.client.envelope(&request);
    let message = shared.client.sign(&envelope);
    put("scep", "request", &message)?;
    put("scep", "request-in-ber", &indefinite(&message))?;
    put("scep_inside", "envelope", &[&[0], envelope.as_slice()].concat())?;
    put("scep_inside", "request", &[&[1], request.as_slice()].concat())?;

    put("forwarded", "certificate", tablet)?;
    put("forwarded", "bytes", format!(":{}:", STANDARD.encode(tablet)).as_bytes())?;
    let pem = String::from_utf8(X509::from_der(tablet)?.to_pem()?)?;
    put("forwarded", "escaped", pem.replace('\n', "%0A").replace(' ', "%20").as_bytes())?;

    for endpoint in ["tokens", "declaration-items", "declaration/configuration/fr.example.passcode"] {
        put("declarative", &endpoint.replace('/', "-"), format!("{endpoint}\n").as_bytes())?;
    }
    let status =
        "status\n{\"StatusItems\":{\"management\":{\"declarations\":{\"activations\":[]}}},\"Errors\":[]}";
    put("declarative", "status", status.as_bytes())?;
    put("status_report", "full", FULL_REPORT)?;
    put("status_report", "changes", CHANGES)?;
    Ok(())
}

fn write(folder: &Path, target: &str, name: &str, bytes: &[u8]) -> Result<(), std::io::Error> {
    let folder = folder.join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}

/// The same message, its outermost element of indefinite length, as tablets write it (X.690 §8.1.3.6).
fn indefinite(der: &[u8]) -> Vec<u8> {
    let header = match der.get(1) {
        Some(long) if *long > 0x80 => 2 + usize::from(long & 0x7F),
        _ => 2,
    };
    let content = der.get(header..).unwrap_or_default();
    [&[0x30, 0x80], content, &[0, 0]].concat()
}
