//! What a server needs to know of seeded tablets: the inventory, and the file of those that move in.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tablets::{Identity, State};

use crate::program::failure::Failure;

const INVENTORY_COLUMNS: &str = "serial,asset_tag,model,platform,uai";
const TAKEOVER_COLUMNS: &str = "udid,serial,topic,push_token,push_magic,unlock_token,certificate_sha256";

/// One tablet in both lists. Nothing in it needs quotes.
#[derive(Debug)]
pub(super) struct Line {
    serial: String,
    model: String,
    takeover: String,
}

impl Line {
    pub(super) fn of(state: &State, identity: Option<&Identity>) -> Result<Self, Failure> {
        let hardware = &state.hardware;
        let unusable = || {
            Failure::Partly(format!(
                "tablet {} is kept there without an enrolment: remove its folder, or seed other serial numbers",
                hardware.serial
            ))
        };
        let enrolment = state.enrolment.as_ref().ok_or_else(unusable)?;
        let identity = identity.ok_or_else(unusable)?;
        let base64 = |hexadecimal: &str| STANDARD.encode(hex::decode(hexadecimal).unwrap_or_default());
        let takeover = [
            hardware.udid.as_str(),
            &hardware.serial,
            &enrolment.mdm.topic,
            &base64(&enrolment.push_token),
            &enrolment.push_magic,
            &base64(&enrolment.unlock_token),
            &identity.fingerprint(),
        ]
        .join(",");
        Ok(Self {
            serial: hardware.serial.clone(),
            // Identifiers such as iPad13,18 have a comma.
            model: format!("{} ({})", hardware.model_name, hardware.model),
            takeover,
        })
    }
}

/// Both lists, while they are written.
#[derive(Debug)]
pub(super) struct Lists {
    uai: String,
    inventory: List,
    takeover: List,
}

#[derive(Debug)]
struct List {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Lists {
    pub(super) fn begin(folder: &Path, uai: &str) -> Result<Self, Failure> {
        Ok(Self {
            uai: uai.to_owned(),
            inventory: List::begin(folder.join("inventory.csv"), INVENTORY_COLUMNS)?,
            takeover: List::begin(folder.join("takeover.csv"), TAKEOVER_COLUMNS)?,
        })
    }

    pub(super) fn add(&mut self, line: &Line) -> Result<(), Failure> {
        self.inventory.write(&format!("{},,{},ipad,{}", line.serial, line.model, self.uai))?;
        self.takeover.write(&line.takeover)
    }

    /// Where they are: the inventory, the file of those that move in.
    pub(super) fn end(self) -> Result<(PathBuf, PathBuf), Failure> {
        Ok((self.inventory.end()?, self.takeover.end()?))
    }
}

impl List {
    fn begin(path: PathBuf, header: &str) -> Result<Self, Failure> {
        let file = File::create(&path).map_err(Failure::writing(&path))?;
        let mut list = Self { path, file: BufWriter::new(file) };
        list.write(header)?;
        Ok(list)
    }

    fn write(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.file, "{line}").map_err(Failure::writing(&self.path))
    }

    fn end(mut self) -> Result<PathBuf, Failure> {
        self.file.flush().map_err(Failure::writing(&self.path))?;
        Ok(self.path)
    }
}
