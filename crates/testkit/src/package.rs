//! Apps as people upload them: an IPA with one app in it.

use std::io::Write as _;

use rawzip::path::EntryPath;
use rawzip::{CompressionMethod, ZipArchiveWriter};

use crate::TestkitError;

/// An IPA of this app, with entries beside it. Nothing in it is packed, so that it is about as long as what it holds.
///
/// # Errors
/// [`TestkitError`].
pub fn ipa(bundle: &str, version: &str, beside: &[(&[u8], &[u8])]) -> Result<Vec<u8>, TestkitError> {
    let info = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><plist version=\"1.0\"><dict>\
         <key>CFBundleIdentifier</key><string>{bundle}</string>\
         <key>CFBundleShortVersionString</key><string>{version}</string>\
         <key>CFBundleVersion</key><string>17</string></dict></plist>"
    );
    let own: (&[u8], &[u8]) = (b"Payload/App.app/Info.plist", info.as_bytes());
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, content) in std::iter::once(&own).chain(beside) {
        let file = archive.new_file(EntryPath::verbatim(*name)).compression_method(CompressionMethod::STORE);
        let (mut entry, config) = file.start().map_err(TestkitError::other)?;
        let mut writer = config.wrap(&mut entry);
        writer.write_all(content).map_err(TestkitError::other)?;
        let (_entry, descriptor) = writer.finish().map_err(TestkitError::other)?;
        entry.finish(descriptor).map_err(TestkitError::other)?;
    }
    archive.finish().map_err(TestkitError::other)
}
