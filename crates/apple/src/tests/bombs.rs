//! T-A15: what a hostile or broken client may send instead of a property list.

use crate::checkin::CheckIn;
use crate::connect::Report;
use crate::plist::{self, Limits, PlistError, Value};

fn document(body: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">{body}</plist>")
}

fn parse(text: &str) -> Result<plist::Dictionary, PlistError> {
    plist::parse(text.as_bytes(), Limits::CHECK_IN)
}

#[track_caller]
fn refused(text: &str, why: &str) {
    let error = parse(text).unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn t_a15_a_hundred_thousand_nested_arrays_are_refused_without_overflow() {
    let bomb = document(&format!(
        "<dict><key>a</key>{}{}</dict>",
        "<array>".repeat(100_000),
        "</array>".repeat(100_000)
    ));
    let error = plist::parse(bomb.as_bytes(), Limits::CONNECT).unwrap_err();
    assert!(matches!(error, PlistError::TooDeep { limit: 32, .. }), "{error}");
    assert!(Report::parse(bomb.as_bytes()).is_err());

    let unclosed = document(&"<dict><key>a</key>".repeat(100_000));
    assert!(plist::parse(unclosed.as_bytes(), Limits::CONNECT).is_err());
}

#[test]
fn t_a15_thirty_two_levels_are_accepted_and_one_more_is_not() {
    let nested = |levels: usize| {
        let inner = levels - 1;
        document(&format!("<dict><key>a</key>{}{}</dict>", "<array>".repeat(inner), "</array>".repeat(inner)))
    };
    assert!(parse(&nested(32)).is_ok());
    assert!(matches!(parse(&nested(33)), Err(PlistError::TooDeep { .. })));
}

#[test]
fn t_a15_entities_are_never_expanded() {
    let lol = "<!DOCTYPE plist [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><plist version=\"1.0\">\
               <dict><key>k</key><string>&b;</string></dict></plist>";
    refused(lol, "an internal DTD subset");
    refused(&document("<dict><key>k</key><string>&b;</string></dict>"), "an unknown entity");
    refused(
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><plist><dict/></plist>",
        "a document type other than plist",
    );
    let kept = parse(&document("<dict><key>k</key><string>&lt;&amp;&#x41;&apos;</string></dict>")).unwrap();
    assert_eq!(kept.get("k"), Some(&Value::from("<&A'")));
}

#[test]
fn t_a15_a_key_twice_in_one_dictionary_is_refused() {
    refused(
        &document("<dict><key>UDID</key><string>a</string><key>UDID</key><string>b</string></dict>"),
        "the key `UDID` appears twice",
    );
    refused(
        &document("<dict><key>UDID</key><string>a</string><key>&#85;DID</key><string>b</string></dict>"),
        "the key `UDID` appears twice",
    );
    refused(
        &document(
            "<dict><key>x</key><array><dict><key>a</key><true/><key>a</key><true/></dict></array></dict>",
        ),
        "the key `a` appears twice",
    );
    let apart = "<dict><key>a</key><dict><key>a</key><true/></dict><key>b</key><true/></dict>";
    assert!(parse(&document(apart)).is_ok(), "the same key in two dictionaries is fine");
}

#[test]
fn t_a15_a_binary_property_list_is_refused() {
    assert_eq!(plist::parse(b"bplist00\xd0", Limits::CHECK_IN), Err(PlistError::Binary));
    assert!(CheckIn::parse(b"bplist00").unwrap_err().to_string().contains("binary"));
}

#[test]
fn t_a15_other_encodings_are_refused() {
    let utf16: Vec<u8> = std::iter::once(0xfeff_u16)
        .chain("<plist><dict/></plist>".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(plist::parse(&utf16, Limits::CHECK_IN), Err(PlistError::NotUtf8));
    let liar = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><plist><dict/></plist>";
    assert_eq!(parse(liar), Err(PlistError::NotUtf8));
    assert!(parse("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><plist><dict/></plist>").is_ok());
    refused(&document("<dict><key>a\0</key><true/></dict>"), "a NUL character");
    refused(&document("<dict><key>a&#0;</key><true/></dict>"), "an invalid character reference");
}

#[test]
fn t_a15_a_document_over_the_limit_is_refused_before_it_is_read() {
    let data = "A".repeat(70_000);
    let text = document(&format!("<dict><key>a</key><data>{data}</data></dict>"));
    assert!(matches!(parse(&text), Err(PlistError::TooLong { limit: 65_536, .. })));
    assert!(plist::parse(text.as_bytes(), Limits::CONNECT).is_ok());
    let many = document(&format!("<dict><key>a</key><array>{}</array></dict>", "<true/>".repeat(5_000)));
    assert!(matches!(parse(&many), Err(PlistError::TooManyElements { limit: 4_096, .. })));
}

#[test]
fn t_a15_what_two_readers_could_read_differently_is_refused() {
    for (body, why) in [
        ("<dict><string>UDID</string><string>a</string></dict>", "a value without its key"),
        ("<dict><key>a</key><key>b</key></dict>", "a key without its value"),
        ("<dict><key>a</key></dict>", "a key without its value"),
        ("<dict><key>U<!-- x -->DID</key><string>a</string></dict>", "a comment inside a value"),
        ("<dict><key>a</key><string><![CDATA[x]]></string></dict>", "a CDATA section"),
        ("<dict><key>a</key><true><string>x</string></true></dict>", "an element inside a value"),
        ("<dict><key>a</key><true>x</true></dict>", "not a valid true"),
        ("<dict><key>a</key><array><key>b</key></array></dict>", "a key in an array"),
        ("<dict><key>a</key>text</dict>", "text between elements"),
        ("<dict/><dict/>", "a second root"),
        ("<array/>", "a root that is not a dictionary"),
        ("<string>a</string>", "a root that is not a dictionary"),
        ("<plist><dict/></plist>", "a second plist element"),
        ("<x:dict/>", "a root that is not a dictionary"),
        ("<dict><key>a</key><uid>1</uid></dict>", "an unknown element"),
        ("<dict><key>a</key><string lang=\"fr\">x</string></dict>", "an attribute"),
        ("<dict><?php x?></dict>", "a processing instruction"),
    ] {
        refused(&document(body), why);
    }
    refused("<dict/>", "an element outside plist");
    refused("", "without a root");
    refused("<plist version=\"1.0\"><dict>", "without a root");
    refused("<plist version=\"1.0\"><dict></array></plist>", "not well-formed");
    refused("<plist/><plist><dict/></plist>", "a second plist element");
    assert!(parse(&document("<!-- a comment --><dict/>")).is_ok());
}

#[test]
fn t_a15_dates_at_the_ends_of_the_calendar_do_not_panic() {
    let date = |text: &str| parse(&document(&format!("<dict><key>a</key><date>{text}</date></dict>")));
    for bad in [
        "9999-12-31T23:59:59-23:59",
        "0000-01-01T00:00:00+23:59",
        "2026-13-01T00:00:00Z",
        "2026-11-23",
        "+999999-01-01T00:00:00Z",
    ] {
        assert!(matches!(date(bad), Err(PlistError::InvalidValue { kind: "date", .. })), "{bad}");
    }
    for good in ["9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "2026-11-23T22:00:00Z"] {
        let dictionary = date(good).unwrap();
        let xml = String::from_utf8(plist::to_xml(&dictionary)).unwrap();
        assert!(xml.contains(good), "{xml}");
    }
}

#[test]
fn numbers_read_as_tablets_write_them() {
    let text = "<dict><key>a</key><integer>-9223372036854775808</integer><key>b</key>\
                <integer>18446744073709551615</integer><key>c</key><integer> 0x1F </integer>\
                <key>d</key><real>3.5e2</real><key>e</key><integer>+7</integer></dict>";
    let numbers = parse(&document(text)).unwrap();
    assert_eq!(numbers.get("a"), Some(&Value::from(i64::MIN)));
    assert_eq!(numbers.get("b"), Some(&Value::from(u64::MAX)));
    assert_eq!(numbers.get("c"), Some(&Value::from(31)));
    assert_eq!(numbers.get("d"), Some(&Value::from(350.0)));
    assert_eq!(numbers.get("e"), Some(&Value::from(7)));
    for bad in ["", "1.5", "0x", "0x+1", "18446744073709551616", "1 2"] {
        let text = document(&format!("<dict><key>a</key><integer>{bad}</integer></dict>"));
        assert!(matches!(parse(&text), Err(PlistError::InvalidValue { kind: "integer", .. })), "{bad}");
    }
}

#[test]
fn what_xml_cannot_carry_is_replaced_when_written() {
    let mut dictionary = plist::Dictionary::new();
    dictionary.insert("a\u{8}".to_owned(), Value::from("b\u{0}c\r\nd</string>"));
    let read = parse(std::str::from_utf8(&plist::to_xml(&dictionary)).unwrap()).unwrap();
    assert_eq!(read.get("a\u{fffd}"), Some(&Value::from("b\u{fffd}c\r\nd</string>")));
}
