//! What follows from the register for people.

use super::fixture::{DECLARED_WITH_MORE, at};
use crate::{Activity, Language, Masthead, Register};

fn register() -> Register {
    let controller = Some("Département de la Seine-Exemple, 1 place du Test".to_owned());
    let masthead =
        Masthead { controller, dpo: Some("dpo@seine-exemple.test".to_owned()), ..Masthead::default() };
    Register::new(masthead, DECLARED_WITH_MORE, &[], at(0))
}

#[test]
fn c7_1_the_notice_of_information_says_what_is_stored_and_what_can_be_asked() {
    let register = register();
    for (language, told) in [
        (
            Language::French,
            [
                "Seine-Exemple",
                "dpo@seine-exemple.test",
                "2026-11-23",
                "Base légale",
                "RGPD, art. 15 à 21",
                "CNIL",
            ],
        ),
        (
            Language::English,
            [
                "Seine-Exemple",
                "dpo@seine-exemple.test",
                "2026-11-23",
                "Legal basis",
                "GDPR, art. 15 to 21",
                "CNIL",
            ],
        ),
    ] {
        let notice = register.notice(language);
        for words in told {
            assert!(notice.contains(words), "{words}: {notice}");
        }
        for (entry, _status) in register.rows() {
            let name = format!("## {}", entry.activity().text().read(language));
            assert_eq!(notice.contains(&name), !entry.stores_nothing(), "{name}");
            if !entry.stores_nothing() {
                assert!(notice.contains(entry.wording().purpose.read(language)), "{name}");
            }
        }
    }
}

#[test]
fn an_impact_assessment_begins_with_what_the_register_knows_and_asks_the_rest() {
    let register = register();
    let skeleton = register.assessment(Activity::AppInventory, Language::French).unwrap();
    let (entry, _status) = register.row(Activity::AppInventory).unwrap();
    assert!(skeleton.contains(&entry.digest().to_string()), "it is of this entry: {skeleton}");
    for column in entry.columns() {
        assert!(skeleton.contains(&format!("`{}.{}`", column.table, column.column)), "{skeleton}");
    }
    for measure in entry.wording().measures {
        assert!(skeleton.contains(measure.text().fr), "{skeleton}");
    }
    assert_eq!(skeleton.matches("*à compléter*").count(), 9, "nobody takes it for one that was written");
    assert_eq!(register.assessment(Activity::Geolocation, Language::French), None, "nothing is stored");
}
