//! Packages as Xcode makes them, and as nobody should.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use proptest::prelude::*;
use rawzip::path::EntryPath;
use rawzip::{CompressionMethod, ZipArchiveWriter};

use super::*;

const INFO: &str = "Payload/Cantine.app/Info.plist";

/// An XML `Info.plist`.
fn info(bundle: &str, version: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><plist version=\"1.0\"><dict>\
         <key>CFBundleIdentifier</key><string>{bundle}</string>\
         <key>CFBundleShortVersionString</key><string>{version}</string>\
         <key>CFBundleVersion</key><string>17</string>\
         <key>UIDeviceFamily</key><array><integer>2</integer></array>\
         <key>CFBundleDisplayName</key><string>Cantine</string></dict></plist>"
    )
    .into_bytes()
}

/// The same as Xcode writes it, by another hand than the one that reads it.
fn binary_info(bundle: &str, version: &str) -> Vec<u8> {
    let mut dictionary = ::plist::Dictionary::new();
    dictionary.insert("CFBundleIdentifier".into(), bundle.into());
    dictionary.insert("CFBundleShortVersionString".into(), version.into());
    dictionary.insert("CFBundleName".into(), "Cantine scolaire — été".into());
    dictionary.insert("UIDeviceFamily".into(), ::plist::Value::Array(vec![1.into(), 2.into()]));
    // More than 14 entries: their number no longer fits beside the marker.
    for index in 0..40 {
        dictionary.insert(format!("Key{index}"), ::plist::Value::Boolean(true));
    }
    let mut bytes = Vec::new();
    ::plist::to_writer_binary(&mut bytes, &dictionary).unwrap();
    bytes
}

/// A zip of these entries, packed.
fn zip<'a>(entries: impl IntoIterator<Item = (&'a [u8], Vec<u8>)>) -> Vec<u8> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, content) in entries {
        let (mut entry, config) = archive
            .new_file(EntryPath::verbatim(name))
            .compression_method(CompressionMethod::DEFLATE)
            .start()
            .unwrap();
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        writer.write_all(&content).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

fn ipa(name: &str, content: Vec<u8>) -> Vec<u8> {
    zip([(name.as_bytes(), content), (b"Payload/Cantine.app/Cantine", vec![7; 300])])
}

fn read(bytes: &[u8], bounds: Bounds) -> Result<AppInfo, PackageError> {
    read_ipa(Cursor::new(bytes), u64::try_from(bytes.len()).unwrap(), bounds)
}

fn refused(bytes: &[u8]) -> String {
    read(bytes, Bounds::default()).unwrap_err().to_string()
}

#[test]
fn an_ipa_says_what_it_is_in_xml_and_in_binary() {
    let said = read(&ipa(INFO, info("fr.example.cantine", "2.4.1")), Bounds::default()).unwrap();
    assert_eq!((said.bundle.as_str(), said.version.as_str()), ("fr.example.cantine", "2.4.1"));
    assert_eq!((said.build.as_deref(), said.name.as_deref()), (Some("17"), Some("Cantine")));

    let said = read(&ipa(INFO, binary_info("fr.example.cantine", "2.4.1")), Bounds::default()).unwrap();
    assert_eq!((said.bundle.as_str(), said.version.as_str()), ("fr.example.cantine", "2.4.1"));
    assert_eq!((said.build, said.name.as_deref()), (None, Some("Cantine scolaire — été")));
}

#[test]
fn only_the_list_of_the_app_itself_counts_and_there_is_one() {
    let good = info("fr.example.cantine", "1");
    for elsewhere in [
        "Info.plist",
        "Payload/Info.plist",
        "Payload/.app/Info.plist",
        "Payload/Cantine/Info.plist",
        "Payload/Cantine.app/PlugIns/Part.appex/Info.plist",
        "payload/Cantine.app/Info.plist",
    ] {
        assert!(refused(&ipa(elsewhere, good.clone())).contains("holds 0 of"), "{elsewhere}");
    }
    let two = zip([(INFO.as_bytes(), good.clone()), (b"Payload/Other.app/Info.plist", good.clone())]);
    assert!(refused(&two).contains("holds 2 of"));
    let twice = zip([(INFO.as_bytes(), good.clone()), (INFO.as_bytes(), good)]);
    assert!(refused(&twice).contains("holds 2 of"), "the same name twice: two readers would disagree");
}

#[test]
fn t_c8_a_name_that_leads_out_of_the_folder_is_refused_wherever_it_stands() {
    let deep = format!("{}x", "a/".repeat(32));
    let long = "a".repeat(1_025);
    for name in [
        "../../etc/passwd",
        "Payload/../../x",
        "Payload/./x",
        "/etc/passwd",
        "Payload//x",
        "..",
        "C:/Windows/x",
        "Payload\\..\\..\\x",
        "Payload/x\0.png",
        "Payload/x\n",
        "",
        &deep,
        &long,
    ] {
        let archive =
            zip([(INFO.as_bytes(), info("fr.example.cantine", "1")), (name.as_bytes(), b"content".to_vec())]);
        let refused = read(&archive, Bounds::default()).unwrap_err();
        assert!(matches!(refused, PackageError::BadName { .. }), "{name:?}: {refused}");
    }
    let archive = zip([(INFO.as_bytes(), info("a.b", "1")), (b"Payload/\xff\xfe", Vec::new())]);
    assert!(matches!(read(&archive, Bounds::default()), Err(PackageError::BadName { .. })));
}

#[test]
fn t_c8_a_link_is_refused() {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    let (mut entry, config) =
        archive.new_file("Payload/Cantine.app/link").unix_permissions(0o120_777).start().unwrap();
    let mut writer = config.wrap(&mut entry);
    writer.write_all(b"../../../etc/passwd").unwrap();
    let (_entry, descriptor) = writer.finish().unwrap();
    entry.finish(descriptor).unwrap();
    let archive = archive.finish().unwrap();
    assert!(refused(&archive).contains("which is a link"), "{}", refused(&archive));
}

#[test]
fn t_c8_a_bomb_is_refused_before_anything_is_unpacked() {
    // 64 MB of zeros in 64 kB: each entry is what deflate can do, all of them are what no app is.
    let zeros = vec![0; 64 << 20];
    let bomb = zip([(INFO.as_bytes(), info("a.b", "1")), (b"Payload/Cantine.app/zeros", zeros)]);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    assert!(matches!(read(&bomb, Bounds::default()), Err(PackageError::Bomb { .. })));

    // Entries that share their bytes: the list says more than the archive holds.
    let random: Vec<u8> =
        (0..40_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let mut shared = zip([(INFO.as_bytes(), info("a.b", "1")), (b"Payload/Cantine.app/x", random)]);
    let listed = shared.windows(4).rposition(|at| at == b"PK\x01\x02").unwrap();
    let packed = u32::try_from(shared.len()).unwrap() + 1;
    shared[listed + 20..listed + 24].copy_from_slice(&packed.to_le_bytes());
    assert!(matches!(read(&shared, Bounds::default()), Err(PackageError::Bomb { .. })));
}

#[test]
fn t_c8_what_the_list_says_of_a_length_is_not_believed() {
    // An Info.plist of 2 MiB of spaces that claims to be short.
    let mut content = info("a.b", "1");
    content.extend(vec![b' '; 2 << 20]);
    let mut archive = ipa(INFO, content);
    let bounds = Bounds { growth: u64::MAX, ..Bounds::default() };
    assert!(
        refused_with(&archive, bounds).contains("more than the 1048576"),
        "{}",
        refused_with(&archive, bounds)
    );
    let listed = archive.windows(4).position(|at| at == b"PK\x01\x02").unwrap();
    archive[listed + 24..listed + 28].copy_from_slice(&300_u32.to_le_bytes());
    let refused = refused_with(&archive, bounds);
    assert!(refused.contains("more than the 1048576") || refused.contains("could not be read"), "{refused}");
}

fn refused_with(bytes: &[u8], bounds: Bounds) -> String {
    read(bytes, bounds).unwrap_err().to_string()
}

#[test]
fn t_c8_a_list_without_end_is_given_up() {
    let names: Vec<String> = (0..12).map(|index| format!("Payload/{index}")).collect();
    let entries = names.iter().map(|name| (name.as_bytes(), Vec::new()));
    let archive = zip(entries);
    let refused = read(&archive, Bounds { entries: 10, ..Bounds::default() }).unwrap_err();
    assert!(matches!(refused, PackageError::TooManyEntries { limit: 10 }), "{refused}");
}

#[test]
fn what_is_no_zip_or_is_cut_is_refused() {
    let whole = ipa(INFO, info("a.b", "1"));
    for bytes in [&b""[..], b"PK", b"<html>", &whole[..whole.len() / 2], &whole[..whole.len() - 1]] {
        assert!(read(bytes, Bounds::default()).is_err(), "{} bytes", bytes.len());
    }
}

#[test]
fn an_info_that_does_not_say_who_it_is_is_refused() {
    for (content, why) in [
        (info("", "1"), "CFBundleIdentifier"),
        (info("a.b", ""), "CFBundleShortVersionString"),
        (b"<plist><dict></dict></plist>".to_vec(), "CFBundleIdentifier"),
        (b"not a list".to_vec(), "cannot be read"),
        (b"bplist00".to_vec(), "contradicts itself"),
        (info("a.b</string><key>CFBundleIdentifier</key><string>c.d", "1"), "twice"),
    ] {
        let refused = refused(&ipa(INFO, content));
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn an_apk_is_a_sound_zip_with_its_manifest() {
    let check =
        |bytes: &[u8]| check_apk(Cursor::new(bytes), u64::try_from(bytes.len()).unwrap(), Bounds::default());
    check(&zip([(&b"AndroidManifest.xml"[..], vec![3; 40]), (b"classes.dex", vec![1; 90])])).unwrap();
    assert!(check(&zip([(&b"classes.dex"[..], vec![1; 90])])).is_err());
    assert!(check(&zip([(&b"AndroidManifest.xml"[..], vec![3; 40]), (b"../x", vec![1])])).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn t_c8_no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _refused = read(&bytes, Bounds::default());
        let _refused = binary::texts(&[binary::MAGIC, &bytes].concat());
    }

    #[test]
    fn t_c8_no_changed_byte_of_a_package_makes_the_reader_panic(at: prop::sample::Index, flip in 1_u8..) {
        for content in [info("a.b", "1"), binary_info("a.b", "1")] {
            let mut archive = ipa(INFO, content.clone());
            let place = at.index(archive.len());
            archive[place] ^= flip;
            let _read_or_refused = read(&archive, Bounds::default());
            let mut list = content;
            let place = at.index(list.len());
            list[place] ^= flip;
            let _read_or_refused = AppInfo::read(&list);
        }
    }
}
