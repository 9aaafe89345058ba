//! What lint and diff say.

use super::layers::base_text;
use super::templates::{text, today};
use crate::catalogue::Language;
use crate::report::{Direction, Source, diff, everything, lint};

fn changes(before: &str, after: &str) -> Vec<(String, Direction)> {
    let (before, after) = (Source { file: "a", text: before }, Source { file: "b", text: after });
    let changes = diff(before, after).unwrap_or_else(|problems| panic!("{problems:#?}"));
    changes.iter().map(|change| (change.to_string(), change.direction)).collect()
}

#[test]
fn a_setting_that_changes_says_what_it_was_and_which_way_it_goes() {
    let base = base_text("");
    let with = |more: &str| base.replace("[passcode]\n", &format!("{more}\n[passcode]\n"));
    let one = |before: &str, after: &str| {
        let found = changes(&with(before), &with(after));
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap()
    };
    let said = |text: &str, direction| (text.to_owned(), direction);
    assert_eq!(
        one("allowCamera = true", "allowCamera = false"),
        said("Camera: forbidden (was allowed) — stricter", Direction::Stricter)
    );
    assert_eq!(
        one("", "allowCamera = false"),
        said("Camera: forbidden (was not set) — stricter", Direction::Stricter)
    );
    assert_eq!(
        one("allowCamera = false", ""),
        said("Camera: not set (was forbidden) — looser", Direction::Looser)
    );
    assert_eq!(one("", "allowCamera = true"), said("Camera: allowed (was not set)", Direction::Other));
    assert_eq!(
        one("ratingApps = 300", "ratingApps = 600"),
        said("Highest rating of apps: 600 (was 300) — looser", Direction::Looser)
    );
    assert_eq!(
        one("ratingRegion = \"fr\"", "ratingRegion = \"de\""),
        said("restrictions.ratingRegion: de (was fr)", Direction::Other)
    );
    assert_eq!(
        one("forceEncryptedBackup = false", "forceEncryptedBackup = true"),
        said("Encrypting backups on computers: demanded (was not demanded) — stricter", Direction::Stricter)
    );
}

#[test]
fn parts_that_change_say_what_came_what_went_and_what_is_otherwise() {
    let wifi = |password: &str, hidden: bool| {
        format!(
            "[[wifi]]\nssid = \"C\"\nsecurity = \"wpa2\"\npassword = \"{password}\"\nhidden = {hidden}\n\
             [blocked-apps]\nbundles = [\"com.example.a\"]\n"
        )
    };
    let before = base_text(&wifi("premier-secret", false));
    let after = base_text(&wifi("second-secret", true).replace("com.example.a", "com.example.b"));
    let after = after.replace("automatic = true", "automatic = true\ndenied = [\"https://x.example/\"]");
    let said: Vec<String> = changes(&before, &after).into_iter().map(|(said, _)| said).collect();
    assert_eq!(
        said,
        [
            "blocked apps: + com.example.b — stricter",
            "blocked apps: − com.example.a — looser",
            "refused sites: + https://x.example/ — stricter",
            "Wi-Fi network C, hidden: true (was false)",
            "Wi-Fi network C, password: changed",
        ]
    );
    let gone = base_text("");
    let said: Vec<String> = changes(&before, &gone).into_iter().map(|(said, _)| said).collect();
    assert_eq!(said, ["blocked apps: − com.example.a — looser", "Wi-Fi network C: removed"]);
}

#[test]
fn t_c11_a_difference_never_shows_a_password() {
    let wifi = |password: &str| {
        base_text(&format!("[[wifi]]\nssid = \"C\"\nsecurity = \"wpa2\"\npassword = \"{password}\"\n"))
    };
    let (before, after) = (wifi("hunter2-hunter2"), wifi("hunter3-hunter3"));
    let changes = diff(Source { file: "a", text: &before }, Source { file: "b", text: &after }).unwrap();
    assert_eq!(changes.len(), 1);
    let all = format!("{changes:?}{}", changes[0].to_json());
    assert!(!all.contains("hunter") && !all.contains("secret"), "{all}");
}

#[test]
fn a_layer_does_not_differ_from_itself_and_the_way_back_goes_the_other_way() {
    for name in super::templates::NAMES {
        assert_eq!(changes(&text(name), &text(name)), []);
    }
    let there = changes(&text("socle"), &text("urgence"));
    let back = changes(&text("urgence"), &text("socle"));
    let count = |changes: &[(String, Direction)], direction| {
        changes.iter().filter(|(_, found)| *found == direction).count()
    };
    assert_eq!(count(&there, Direction::Looser), count(&back, Direction::Stricter));
    assert_eq!(count(&there, Direction::Stricter), count(&back, Direction::Looser));
    assert!(count(&there, Direction::Looser) >= 4, "{there:#?}");
}

#[test]
fn where_nothing_was_before_everything_that_a_text_says_is_new() {
    let text = text("socle");
    let found = everything(Source { file: "a", text: &text }).unwrap();
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    for said in [
        "FaceTime: forbidden (was not set) — stricter",
        "app com.apple.Pages: added",
        "automatic filter: true (was –)",
    ] {
        assert!(told.iter().any(|told| told.starts_with(said)), "{said}: {told:#?}");
    }
    assert!(found.iter().all(|change| !["layer", "title", "purpose"].contains(&change.path.as_str())));
    assert!(everything(Source { file: "a", text: "layer = \"base\"\n" }).is_err());
}

#[test]
fn c3_1_3_lint_tells_which_app_a_college_adds_that_the_base_blocks() {
    let base = base_text("[blocked-apps]\nbundles = [\"com.example.game\"]\n");
    let college = "layer = \"college\"\nuai = \"0761234A\"\ntitle = \"T\"\npurpose = \"P.\"\n\
                   [[app]]\nbundle = \"com.example.game\"\nname = \"Jeu\"\nstore = \"100000001\"\n";
    let of = |base: &str| {
        let sources = [("base", base), ("other", college)].map(|(file, text)| Source { file, text });
        let report = lint(&sources, today());
        assert!(!report.is_refused(), "{report:?}");
        report.in_vain
    };
    let found = of(&base);
    assert_eq!(
        (found.len(), found[0].files.as_slice()),
        (1, ["base".to_owned(), "other".to_owned()].as_slice())
    );
    let told = found[0].refusals[0].to_string();
    let (line, by_line) = (5, base.lines().position(|line| line.contains("com.example.game")).unwrap() + 1);
    for part in [format!("(line {line})"), format!("(line {by_line})"), "com.example.game".to_owned()] {
        assert!(told.contains(&part), "{part}: {told}");
    }
    assert_eq!(found[0].refusals[0].rule(), Some(types::RuleId::C3_1_3));
    // What an emergency base blocks comes back with the ordinary one.
    assert!(of(&base.replace("layer = \"base\"", "layer = \"emergency\"")).is_empty());
}

#[test]
fn a_difference_is_told_in_french_too() {
    let (before, after) = (text("socle"), text("urgence"));
    let found = diff(Source { file: "a", text: &before }, Source { file: "b", text: &after }).unwrap();
    let french: Vec<&str> = found.iter().map(|change| change.sentence(Language::French)).collect();
    assert!(french.contains(&"FaceTime : autorisé (était interdit) — moins strict"), "{french:#?}");
    assert!(
        french.contains(&"Verrouillage automatique au plus tard (minutes) : 15 (était 5) — moins strict")
    );
}

#[test]
fn a_text_that_is_wrong_has_no_difference_but_its_problems() {
    let wrong = "layer = \"base\"\n";
    let problems = diff(Source { file: "a", text: wrong }, Source { file: "b", text: wrong }).unwrap_err();
    assert!(problems.iter().any(|problem| problem.file == "a"));
    assert!(problems.iter().any(|problem| problem.file == "b"));
}

#[test]
fn lint_finds_what_only_two_layers_together_show_and_tells_it_once() {
    let base = base_text("[[web-clip]]\nlabel = \"ENT\"\nurl = \"https://ent.example/\"\n");
    let mode = |name: &str, label: &str| {
        format!(
            "layer = \"mode\"\nmode = \"{name}\"\ntitle = \"T\"\npurpose = \"P.\"\n\
             [[web-clip]]\nlabel = \"{label}\"\nurl = \"https://ent.example/\"\n"
        )
    };
    let (good, bad) = (mode("deposit", "ENT"), mode("take-home", "Autre"));
    let exam = "layer = \"tablet\"\ntitle = \"T\"\npurpose = \"P.\"\n";
    let sources = [("base", base.as_str()), ("good", &good), ("bad", &bad), ("exam", exam)]
        .map(|(file, text)| Source { file, text });
    let report = lint(&sources, today());
    assert!(report.is_refused());
    assert_eq!(report.together.len(), 1, "{:#?}", report.together);
    assert_eq!(report.together[0].files, ["base", "bad"]);
    assert_eq!(report.to_json()["ok"], false);
}

#[test]
fn lint_looks_at_an_emergency_base_in_the_ordinary_ones_place() {
    let base = base_text("");
    let emergency = base_text("[[web-clip]]\nlabel = \"ENT\"\nurl = \"https://ent.example/\"\n")
        .replace("layer = \"base\"", "layer = \"emergency\"");
    let mode = "layer = \"mode\"\nmode = \"take-home\"\ntitle = \"T\"\npurpose = \"P.\"\n\
                [[web-clip]]\nlabel = \"Autre\"\nurl = \"https://ent.example/\"\n";
    let sources = [("base", base.as_str()), ("emergency", &emergency), ("mode", mode)]
        .map(|(file, text)| Source { file, text });
    let report = lint(&sources, today());
    assert_eq!(report.together.len(), 1, "{:#?}", report.together);
    assert_eq!(report.together[0].files, ["emergency", "mode"]);
}
