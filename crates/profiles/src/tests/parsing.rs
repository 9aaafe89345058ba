//! What is refused when a layer is read, and what is said about it.

use super::layers::base_text;
use crate::{Problem, Severity, inspect, parse};

/// Each problem as it is printed.
fn told(text: &str) -> Vec<String> {
    inspect("t.toml", text).problems.iter().map(Problem::to_string).collect()
}

fn refused(text: &str) -> String {
    parse("t.toml", text).unwrap_err().iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

fn beside(more: &str) -> String {
    format!("layer = \"tablet\"\ntitle = \"T\"\npurpose = \"P.\"\n{more}")
}

fn college(more: &str) -> String {
    format!("layer = \"college\"\nuai = \"0761234A\"\ntitle = \"T\"\npurpose = \"P.\"\n{more}")
}

#[test]
fn an_error_names_file_line_path_what_is_wrong_and_what_would_be_right() {
    assert_eq!(
        told(&beside("[passcode]\nminLength = 40\n")),
        ["t.toml:5: error: passcode.minLength: is 40; expected a whole number from 0 to 16"]
    );
    assert_eq!(
        told(&beside("[restrictions]\nallowcamera = false\n")),
        ["t.toml:5: error: restrictions.allowcamera: there is no such key; did you mean `allowCamera`?"]
    );
    assert_eq!(
        told(&beside("[restrictions]\nallowCamera = \"no\"\n")),
        ["t.toml:5: error: restrictions.allowCamera: is \"no\"; expected true or false"]
    );
    assert_eq!(
        told(&beside("[[wifi]]\nssid = \"C\"\nsecurity = \"wpa9\"\npassword = \"12345678\"\n")),
        [
            "t.toml:4: error: wifi.1.security: is missing; expected open, wpa, wpa2 or wpa3",
            "t.toml:6: error: wifi.1.security: \"wpa9\" is not one of open wpa wpa2 wpa3"
        ]
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once_in_the_order_of_the_lines() {
    let problems =
        told(&beside("unknown = 1\n[restrictions]\nallowX = 1\nallowChat = 2\n[dns]\nurl = \"x\"\n"));
    let lines: Vec<&str> = problems.iter().map(|problem| problem.split(':').nth(1).unwrap()).collect();
    assert_eq!(lines, ["4", "6", "7", "8", "8", "9"], "{problems:#?}");
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    let text = beside("[restrictions\nallowCamera = false\n");
    assert!(refused(&text).starts_with("t.toml:4: error: not TOML: "), "{}", refused(&text));
    let twice = beside("[restrictions]\nallowCamera = false\nallowCamera = true\n");
    assert!(refused(&twice).contains(":6: error: not TOML: duplicate key"), "{}", refused(&twice));
}

#[test]
fn t_c8_a_text_that_is_too_long_or_too_deep_is_refused() {
    assert!(refused(&beside(&"#".repeat(600 << 10))).contains("expected at most 524288"));
    let deep = format!("x = {}{}\n", "[".repeat(20_000), "]".repeat(20_000));
    assert!(refused(&beside(&deep)).contains("not TOML"));
}

#[test]
fn t_c15_what_nobody_asked_for_is_refused() {
    for more in ["approved = true\n", "[approval]\nby = \"me\"\n", "[[app]]\n", "[apps]\nforce = true\n"] {
        assert!(parse("t.toml", &beside(more)).is_err(), "{more}");
    }
}

#[test]
fn c3_1_3_a_college_that_decides_more_is_refused_with_the_line_that_tries() {
    for (more, line, path) in [
        ("[restrictions]\nallowCamera = true\n", 5, "restrictions"),
        ("[passcode]\nminLength = 4\n", 5, "passcode"),
        ("[blocked-apps]\nbundles = []\n", 5, "blocked-apps"),
        ("[apps]\npermitted = \"all\"\n", 5, "apps"),
        ("[filter]\nautomatic = false\n", 5, "filter"),
        ("[proxy]\nserver = \"p\"\nport = 1\n", 5, "proxy"),
        ("[dns]\nserver = \"d\"\nkeeps-log = false\n", 5, "dns"),
        ("[[certificate]]\nname = \"a\"\npem = \"\"\n", 5, "certificate"),
        ("[home-screen]\npages = []\n", 5, "home-screen"),
        ("[single-app]\nbundle = \"a.b\"\n", 5, "single-app"),
        ("[device]\nTimeZone = \"Europe/Paris\"\n", 5, "device"),
        ("[android]\ngps = true\n", 5, "android"),
        ("[[notification]]\nbundle = \"a.b\"\n", 5, "notification"),
        ("[os-update]\nversion = \"27\"\ndeadline = \"2027-01-01\"\n", 5, "os-update"),
        ("[safari]\nhome-page = \"https://a.example\"\n", 5, "safari"),
    ] {
        let problems = parse("t.toml", &college(more)).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert_eq!((problems[0].line, problems[0].path.as_str()), (line, path), "{more}");
        assert_eq!(problems[0].rule, Some(types::RuleId::C3_1_3), "{more}");
        assert!(problems[0].right.contains("app, web-clip, wifi, printer"));
    }
    let all = "[[app]]\nbundle = \"fr.example.a\"\nname = \"A\"\nstore = \"100000001\"\n\
               [[web-clip]]\nlabel = \"E\"\nurl = \"https://e.example/\"\n\
               [[wifi]]\nssid = \"C\"\nsecurity = \"wpa2\"\npassword = \"12345678\"\n\
               [[printer]]\nhost = \"p.example\"\nqueue = \"ipp/print\"\n";
    assert!(parse("t.toml", &college(all)).is_ok());
}

#[test]
fn c3_1_5_only_a_base_says_what_the_filter_lets_through() {
    for more in
        ["automatic = false\n", "permitted = [\"https://a.example/\"]\n", "[filter.plugin]\nname = \"x\"\n"]
    {
        let problems = parse("t.toml", &beside(&format!("[filter]\n{more}"))).unwrap_err();
        assert_eq!(problems[0].rule, Some(types::RuleId::C3_1_5), "{more}");
    }
    assert!(parse("t.toml", &beside("[filter]\ndenied = [\"https://a.example/\"]\n")).is_ok());
}

#[test]
fn a_base_without_what_the_agreement_demands_is_refused() {
    use types::RuleId;
    let whole = base_text("");
    assert!(parse("t.toml", &whole).is_ok());
    for (line, rule) in [
        ("allowEraseContentAndSettings = false\n", RuleId::C5_3_2),
        ("allowAccountModification = false\n", RuleId::C5_3_2),
        ("allowHostPairing = false\n", RuleId::C5_3_2),
        ("allowVPNCreation = false\n", RuleId::C3_1_5),
        ("allowCloudPrivateRelay = false\n", RuleId::C3_1_5),
        ("forcePIN = true\n", RuleId::C5_3_3),
        ("ActivationLockAllowedWhileSupervised = false\n", RuleId::C3_3_2),
        ("[filter]\nautomatic = true\n", RuleId::C3_1_5),
    ] {
        for (text, missing) in [(whole.replace(line, ""), true), (whole.replace(line, &swapped(line)), false)]
        {
            let problems = parse("t.toml", &text).unwrap_err();
            assert_eq!(problems.len(), 1, "{problems:#?}");
            assert_eq!(problems[0].rule, Some(rule), "{line}");
            assert_eq!(problems[0].line == 1, missing, "{problems:#?}");
        }
    }
}

fn swapped(line: &str) -> String {
    if line.contains("true") { line.replace("true", "false") } else { line.replace("false", "true") }
}

#[test]
fn c5_3_3_no_layer_that_a_user_starts_with_keeps_them_from_changing_the_code() {
    let forbids = "[restrictions]\nallowPasscodeModification = false\n";
    let user = format!("layer = \"user\"\nfor = [\"pupil\"]\ntitle = \"T\"\npurpose = \"P.\"\n{forbids}");
    assert!(refused(&user).contains("(C5.3.3)"));
    let base = base_text("").replace("[passcode]", "allowPasscodeModification = false\n[passcode]");
    assert!(refused(&base).contains("(C5.3.3)"));
    assert!(parse("t.toml", &beside(forbids)).is_ok(), "a tablet in an examination may");
}

#[test]
fn m3_what_can_erase_is_refused_and_says_so() {
    for more in [
        "[passcode]\nmaxFailedAttempts = 10\n",
        "[android]\nfactoryReset = true\n",
        "[restrictions]\nallowPairedWatch = false\n",
    ] {
        let problems = parse("t.toml", &beside(more)).unwrap_err();
        assert_eq!(problems[0].rule, Some(types::RuleId::M3), "{more}");
    }
}

#[test]
fn a_key_by_the_name_of_what_took_over_from_it_says_what_to_write() {
    let told = refused(&beside("[siri]\nAllowWhileLocked = false\n"));
    assert!(told.contains("write `restrictions.allowAssistantWhileLocked`"), "{told}");
    let told = refused(&beside("[android-restrictions]\nno_factory_reset = true\n"));
    assert!(told.contains("`restrictions.allowEraseContentAndSettings = false` writes it"), "{told}");
    let told = refused(&beside("[restrictions]\nblockedAppBundleIDs = []\n"));
    assert!(told.contains("[blocked-apps]"), "{told}");
    let told = refused(&beside("[passcode]\nallowCamera = false\n"));
    assert!(told.contains("write `restrictions.allowCamera`"), "{told}");
}

#[test]
fn what_changes_nothing_is_pointed_out_and_accepted() {
    let parsed = inspect("t.toml", &beside("[restrictions]\nallowCamera = true\n"));
    assert!(parsed.layer.is_some());
    assert_eq!(parsed.problems[0].severity, Severity::Advice);
    assert!(parsed.problems[0].to_string().contains("a layer beside the base can only tighten"));
    // In a base it says what the département chose.
    let base = base_text("").replace("[passcode]", "allowCamera = true\n[passcode]");
    assert_eq!(inspect("t.toml", &base).problems, []);
}

#[test]
fn t_c11_a_password_is_shown_by_no_problem_and_no_debug() {
    let planted = "hunter2-hunter2";
    let wifi = format!("[[wifi]]\nssid = \"C\"\nsecurity = \"wpa2\"\npassword = \"{planted}\"\n");
    let layer = parse("t.toml", &college(&wifi)).unwrap();
    assert!(!format!("{layer:?}").contains(planted));
    let short = wifi.replace(planted, "hunter2");
    let problems = parse("t.toml", &college(&short)).unwrap_err();
    assert!(!format!("{problems:?}").contains("hunter2"));
}

#[test]
fn a_certificate_is_an_authoritys_and_no_key() {
    let told = refused(&beside("[[certificate]]\nname = \"a\"\npem = \"-----BEGIN PRIVATE KEY-----\\n\"\n"));
    assert!(told.contains("holds a private key"), "{told}");
    let told = refused(&beside("[[certificate]]\nname = \"a\"\npem = \"hello\"\n"));
    assert!(told.contains("is not one PEM document"), "{told}");
}

#[test]
fn an_enterprise_network_without_a_server_to_believe_is_refused() {
    let wifi = "[[wifi]]\nssid = \"C\"\nsecurity = \"wpa2\"\npassword = \"s\"\n[wifi.eap]\nmethod = \"peap\"\nuser = \"t\"\n";
    let told = refused(&college(wifi));
    assert!(told.contains("wifi.1.eap.servers: is missing"), "{told}");
    assert!(told.contains("wifi.1.eap.authorities: is missing"), "{told}");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*", lines in proptest::collection::vec("[a-z\\[\\]=\".,{} 0-9\n-]{0,40}", 0..12)) {
        let _problems = inspect("t.toml", &text);
        let _problems = inspect("t.toml", &beside(&lines.join("\n")));
        let _problems = inspect("t.toml", &base_text(&lines.join("\n")));
    }
}
