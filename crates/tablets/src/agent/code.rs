//! The code that a tablet scans on its first screen.

use std::collections::BTreeMap;

use serde_json::Value;

use super::config::text;
use super::state::{AgentHardware, AgentServer};
use crate::Error;

const EXTRA: &str = "android.app.extra.PROVISIONING_";

/// Android tells the agent its serial number while it is set up from here on.
const SERIAL_SINCE: u16 = 31;

/// Reads a code: where the tablet goes, and whether it must ask a person for its number.
pub(super) fn read(code: &str, hardware: &AgentHardware) -> Result<(AgentServer, bool), Error> {
    let wrong = |problem: &str| Error::malformed("the code", problem);
    let code: Value = serde_json::from_str(code).map_err(|error| Error::malformed("the code", error))?;
    let extra = |key: &str| code.get(format!("{EXTRA}{key}"));
    let said = |key: &str| extra(key).and_then(Value::as_str);
    if said("DEVICE_ADMIN_COMPONENT_NAME") != Some("com.hmdm.launcher/com.hmdm.launcher.AdminReceiver") {
        return Err(wrong("it does not name the agent"));
    }
    let Some(_download) = said("DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION") else {
        return Err(wrong("it does not say where the agent is"));
    };
    let sums = ["DEVICE_ADMIN_PACKAGE_CHECKSUM", "DEVICE_ADMIN_SIGNATURE_CHECKSUM"];
    let sums: Vec<&str> = sums.into_iter().filter_map(said).collect();
    let [sum] = sums.as_slice() else { return Err(wrong("it needs one checksum, and not two")) };
    let url_safe = |letter: char| letter.is_ascii_alphanumeric() || "-_=".contains(letter);
    if sum.len() != 44 || !sum.ends_with('=') || !sum.chars().all(url_safe) {
        return Err(wrong("its checksum is no SHA-256 in Base64 for addresses"));
    }
    let bundle = extra("ADMIN_EXTRAS_BUNDLE").ok_or_else(|| wrong("it has nothing for the agent"))?;
    let of = |key: &str| text(bundle, &format!("com.hmdm.{key}")).filter(|text| !text.is_empty());
    let base = of("BASE_URL").ok_or_else(|| wrong("it names no server"))?;
    let knows_serial = hardware.level() >= SERIAL_SINCE;
    let number = match (of("DEVICE_ID"), of("DEVICE_ID_USE")) {
        (Some(number), _) => Some(number.to_owned()),
        (None, Some("serial")) if knows_serial => Some(hardware.serial.clone()),
        (None, _) => None,
    };
    let mut options = BTreeMap::new();
    for (key, name) in [("CUSTOMER", "customer"), ("CONFIG", "configuration"), ("GROUP", "groups")] {
        if let Some(value) = of(key) {
            options.insert(name, value.to_owned());
        }
    }
    let count = |key: &str| bundle.get(format!("com.hmdm.{key}")).and_then(Value::as_i64);
    let server = AgentServer {
        base: base.to_owned(),
        secondary: of("SECONDARY_BASE_URL").unwrap_or(base).to_owned(),
        project: of("SERVER_PROJECT").unwrap_or_default().to_owned(),
        number: number.clone().unwrap_or_default(),
        options,
        retries: count("CONN_RETRY_COUNT").unwrap_or(2),
        retry_delay: count("CONN_RETRY_DELAY").unwrap_or(15).saturating_mul(1_000),
    };
    Ok((server, number.is_none()))
}
