//! By what tablets enrol: a link, links of their own, their maker's automated enrolment, or a profile.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use tablets::{AppleDeviceAuthority, EnrolmentProfile, Error, Ipad, IpadBuilder, KeyPool};

use super::device_authority;
use crate::program::failure::Failure;

/// The options that say by what.
pub(super) const WAYS: [&str; 4] = ["link", "links", "machine_info", "profile"];

/// By what tablets enrol.
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("way").multiple(false).args(WAYS)))]
pub(crate) struct WayArguments {
    /// One link for all of them.
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// Links of their own: a file with an address a line, or SERIAL,ADDRESS.
    #[arg(long, value_name = "FILE")]
    links: Option<PathBuf>,
    /// Automated enrolment: where a signed MachineInfo is sent.
    #[arg(long, value_name = "URL", requires = "device_authority")]
    machine_info: Option<String>,
    /// The folder of the authority that the tablets' maker has; made if it is not there. A server that checks
    /// MachineInfo must trust its root.pem and intermediate.pem.
    #[arg(long, value_name = "FOLDER", requires = "machine_info")]
    device_authority: Option<PathBuf>,
    /// A profile that is the same for all of them.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
}

/// The same, read.
#[derive(Debug)]
pub(crate) enum Way {
    /// One link for all.
    Link(String),
    /// Links by the tablets' places.
    Links(Vec<Link>),
    /// A signed `MachineInfo`.
    MachineInfo(String, AppleDeviceAuthority),
    /// A profile for all.
    Profile(Box<EnrolmentProfile>),
}

/// The link of one tablet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    serial: Option<String>,
    url: String,
}

impl WayArguments {
    /// Reads the files that were named.
    pub(crate) fn open(&self) -> Result<Way, Failure> {
        match self {
            Self { link: Some(link), .. } => Ok(Way::Link(link.clone())),
            Self { links: Some(file), .. } => {
                let text = std::fs::read_to_string(file).map_err(Failure::reading(file))?;
                links(&text).map(Way::Links).map_err(bad(file))
            }
            Self { machine_info: Some(url), device_authority: Some(folder), .. } => {
                Ok(Way::MachineInfo(url.clone(), device_authority::open_or_make(folder)?))
            }
            Self { profile: Some(file), .. } => {
                let bytes = std::fs::read(file).map_err(Failure::reading(file))?;
                let profile = EnrolmentProfile::open(&bytes).map_err(|error| bad(file)(error.to_string()))?;
                Ok(Way::Profile(Box::new(profile)))
            }
            _ => Err(Failure::Usage(
                "say by what they enrol: `--link`, `--links`, `--machine-info` or `--profile`".into(),
            )),
        }
    }
}

fn bad(file: &Path) -> impl FnOnce(String) -> Failure {
    let path = file.to_path_buf();
    move |problem| Failure::BadFile { path, problem }
}

impl Way {
    /// The serial numbers it names, if it names any.
    pub(crate) fn serials(&self) -> Option<Vec<String>> {
        match self {
            Self::Links(links) => links.iter().map(|link| link.serial.clone()).collect(),
            Self::Link(_) | Self::MachineInfo(..) | Self::Profile(_) => None,
        }
    }

    /// How many tablets it is for, if it says so.
    pub(crate) fn count(&self) -> Option<u64> {
        match self {
            Self::Links(links) => u64::try_from(links.len()).ok(),
            Self::Link(_) | Self::MachineInfo(..) | Self::Profile(_) => None,
        }
    }

    /// Whether tablets will speak TLS, as far as it is known.
    pub(crate) fn is_tls(&self) -> bool {
        match self {
            Self::Link(url) | Self::MachineInfo(url, _) => url.starts_with("https:"),
            Self::Links(links) => links.iter().all(|link| link.url.starts_with("https:")),
            Self::Profile(profile) => profile.mdm.server_url.scheme() == "https",
        }
    }

    /// Gives a tablet what this way needs.
    pub(crate) fn equip(&self, builder: IpadBuilder, keys: &KeyPool) -> Result<IpadBuilder, Error> {
        match self {
            Self::MachineInfo(url, authority) => {
                let identity = authority.device(&builder.device_udid(), keys)?;
                Ok(builder.device_identity(identity).automated_enrolment_url(url.as_str()))
            }
            Self::Link(_) | Self::Links(_) | Self::Profile(_) => Ok(builder),
        }
    }

    /// The profile for a tablet.
    pub(crate) async fn profile(&self, ipad: &mut Ipad, place: usize) -> Result<EnrolmentProfile, Error> {
        match self {
            Self::Link(url) => ipad.fetch_profile(url).await,
            Self::Links(links) => {
                let link = links.get(place).ok_or_else(|| {
                    Error::Usage(format!(
                        "there is no link for tablet {}: the file has {}",
                        ipad.serial(),
                        links.len()
                    ))
                })?;
                ipad.fetch_profile(&link.url).await
            }
            Self::MachineInfo(url, _authority) => ipad.request_profile(url).await,
            Self::Profile(profile) => Ok((**profile).clone()),
        }
    }

    /// Whether the tablet's maker sends it here.
    pub(crate) const fn is_automated(&self) -> bool {
        matches!(self, Self::MachineInfo(..))
    }

    /// Enrols a tablet from the beginning to the end.
    pub(crate) async fn enrol(&self, ipad: &mut Ipad, place: usize) -> Result<(), Error> {
        let profile = self.profile(ipad, place).await?;
        Box::pin(ipad.identify(&profile, self.is_automated())).await?;
        ipad.resume_enrolment().await
    }
}

/// An address a line, or SERIAL,ADDRESS; all lines alike.
fn links(text: &str) -> Result<Vec<Link>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let links: Vec<Link> = lines
        .map(|line| match line.split_once([',', ';', '\t', ' ']) {
            Some((serial, url)) => {
                Link { serial: Some(serial.trim().to_owned()), url: url.trim().to_owned() }
            }
            None => Link { serial: None, url: line.to_owned() },
        })
        .collect();
    if let Some(odd) = links.iter().find(|link| !link.url.starts_with("http")) {
        return Err(format!("“{}” is no address; expected https://… or SERIAL,https://…", odd.url));
    }
    let named = links.iter().filter(|link| link.serial.is_some()).count();
    match (links.len(), named) {
        (0, _) => Err("it has no link".into()),
        (all, named) if named != 0 && named != all => {
            Err("some lines name a serial number and some do not".into())
        }
        _ => Ok(links),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_with_serials_or_without() {
        let bare = links("https://x/1\n\n# a remark\nhttps://x/2\n").unwrap();
        assert_eq!(
            bare.iter().map(|link| link.url.as_str()).collect::<Vec<_>>(),
            ["https://x/1", "https://x/2"]
        );
        let way = Way::Links(links("A1,https://x/1\nB2 https://x/2\n").unwrap());
        assert_eq!(way.serials().unwrap(), ["A1", "B2"]);
        assert_eq!((Way::Links(bare).serials(), way.count()), (None, Some(2)));
    }

    #[test]
    fn a_file_that_is_half_one_thing_is_refused() {
        assert!(links("A1,https://x/1\nhttps://x/2\n").unwrap_err().contains("some lines"));
        assert!(links("\n").unwrap_err().contains("no link"));
        assert!(links("A1,B2\n").unwrap_err().contains("no address"));
    }
}
