//! What the stand-in push service leaves in a folder: whom to trust, a push certificate and its key. What is there
//! already is used again, so that a server that was told of it need not be told again.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tablets::{Clock, PushAuthority};

use super::failure::Failure;

/// The topic of the push certificate unless told.
pub(crate) const TOPIC: &str = "com.apple.mgmt.External.00000000-0000-4000-8000-000000000001";
/// Certificate and key of the authority. It begins with a point: a server has no use for it.
const AUTHORITY: &str = ".push-authority.pem";

/// The files a server is configured with.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PushFiles {
    /// Whom the server must trust to be Apple.
    pub(crate) root: PathBuf,
    /// Its push certificate.
    pub(crate) certificate: PathBuf,
    /// The key of that.
    pub(crate) key: PathBuf,
    /// The topic of that.
    pub(crate) topic: String,
}

impl PushFiles {
    /// Uses what the folder has, and makes what is missing.
    pub(crate) fn open(folder: &Path, topic: &str) -> Result<(PushAuthority, Self), Failure> {
        let now = Clock::system().now();
        fs::create_dir_all(folder).map_err(Failure::writing(folder))?;
        let path = folder.join(AUTHORITY);
        let authority = if path.exists() {
            let pem = fs::read_to_string(&path).map_err(Failure::reading(&path))?;
            PushAuthority::from_pem(&pem, now)
                .map_err(|error| Failure::BadFile { path: path.clone(), problem: error.to_string() })?
        } else {
            let authority = PushAuthority::new(now)?;
            write(&path, &authority.to_pem()?)?;
            authority
        };
        let files = Self {
            root: folder.join("push-root.pem"),
            certificate: folder.join("push-certificate.pem"),
            key: folder.join("push-key.pem"),
            topic: topic.to_owned(),
        };
        write(&files.root, &authority.root_pem()?)?;
        let present = fs::read_to_string(&files.certificate).unwrap_or_default();
        if authority.topic_of_pem(&present, now).as_deref() != Some(topic) || !files.key.exists() {
            let made = authority.certificate(topic)?;
            write(&files.certificate, &made.certificate_pem)?;
            write(&files.key, &made.key_pem)?;
        }
        Ok((authority, files))
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(Failure::writing(path))
}
