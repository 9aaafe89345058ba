//! The printed register: whatever people typed is text, in every form.

use std::collections::BTreeMap;

use types::Role;

use super::fixture::{DECLARED, account, apps, at, validated};
use crate::{Activity, Language, Masthead, Register, Validation, content_security_policy};

const LANGUAGES: [Language; 2] = [Language::French, Language::English];

fn register(typed: &str, validations: &[Validation]) -> Register {
    let masthead = Masthead {
        controller: Some(typed.to_owned()),
        dpo: Some(typed.to_owned()),
        names: BTreeMap::from([(account(1), typed.to_owned())]),
    };
    Register::new(masthead, DECLARED, validations, at(0))
}

#[test]
fn t_c9_a_name_that_is_a_script_is_text_in_the_register() {
    for typed in
        ["<img src=x onerror=alert(1)>", "\"><script>alert(1)</script>", "' onmouseover='x", "a&amp;b"]
    {
        for language in LANGUAGES {
            let page = register(typed, &[validated(&apps(), at(-1))]).to_html(language);
            assert!(!page.contains(typed), "{typed}");
            assert!(
                !page.contains("<script") && !page.contains("<img") && !page.contains("onmouseover='"),
                "{typed}"
            );
            let escaped = typed.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let escaped = escaped.replace('"', "&quot;").replace('\'', "&#39;");
            // The controller, the DPO, and whoever validated.
            assert_eq!(page.matches(&escaped).count(), 3, "{typed}");
        }
    }
}

#[test]
fn t_c10_a_name_that_is_a_formula_is_text_in_the_register() {
    for typed in ["=HYPERLINK(\"http://evil\")", "+33600000000", "-1+1", "@SUM(A1)", "\t=1", " =1"] {
        let table = register(typed, &[]).to_csv(Language::French).unwrap();
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        for record in reader.records() {
            let record = record.unwrap();
            assert_eq!(&record[13], format!("'{typed}"));
            assert!(
                record.iter().all(|cell| !cell.trim_start().starts_with(['=', '+', '-', '@'])),
                "{record:?}"
            );
        }
    }
}

#[test]
fn the_page_needs_nothing_but_itself_and_says_so() {
    let page = register("Département", &[]).to_html(Language::French);
    for forbidden in ["http:", "https:", "src=", "@import", "url(", "<link", "<script", "<form", " style="] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains(&content_security_policy().replace('\'', "&#39;")));
    assert!(content_security_policy().starts_with("default-src 'none'; style-src 'sha256-"));
}

#[test]
fn the_page_can_be_read_without_being_seen() {
    for language in LANGUAGES {
        let page = register("Département", &[]).to_html(language);
        assert!(page.starts_with(&format!("<!doctype html>\n<html lang=\"{}\">", language.tag())));
        assert_eq!(page.matches("<h1>").count(), 1);
        assert_eq!(page.matches("<h2 id=").count(), Activity::ALL.len());
        assert_eq!(page.matches("<main>").count(), 1);
        assert_eq!(
            page.matches("<table>").count(),
            page.matches("<caption>").count(),
            "each table has its caption"
        );
        assert_eq!(
            page.matches("<th").count(),
            page.matches("<th scope=").count() + page.matches("<thead").count()
        );
        for activity in Activity::ALL {
            // A link leads to each section, and each section is called by its heading.
            for part in ["href=\"#", "aria-labelledby=\"", "h2 id=\""] {
                assert!(page.contains(&format!("{part}{activity}\"")), "{part}{activity}");
            }
        }
        for element in
            ["table", "thead", "tbody", "tr", "td", "ul", "li", "section", "nav", "main", "code", "p", "a"]
        {
            let opened =
                page.matches(&format!("<{element}>")).count() + page.matches(&format!("<{element} ")).count();
            assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{element}");
        }
    }
}

#[test]
fn c8_1_every_activity_stands_in_every_form_of_the_register() {
    let register = register("Département", &[]);
    let json = serde_json::to_value(&register).unwrap();
    let codes: Vec<&str> =
        json["activities"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
    let expected: Vec<&str> = Activity::ALL.iter().map(|activity| activity.code()).collect();
    assert_eq!(codes, expected);
    for language in LANGUAGES {
        let table = register.to_csv(language).unwrap();
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.iter().map(|row| row[0].to_owned()).collect::<Vec<_>>(), expected);
        let nothing = rows.iter().find(|row| &row[0] == "roster").unwrap();
        assert!(["rien n'est conservé", "nothing stored"].contains(&&nothing[2]), "{nothing:?}");
        let page = register.to_html(language);
        for activity in Activity::ALL {
            assert!(page.contains(&activity.text().read(language).replace('\'', "&#39;")), "{activity}");
        }
    }
}

#[test]
fn c3_1_6_the_register_says_which_activities_are_on_and_by_whom() {
    let withdrawn = validated(&apps(), at(-2)).withdraw(account(1), Role::Dpo, at(-1)).unwrap();
    let on = register("Mme Dupuis", &[validated(&apps(), at(-1))]);
    let off = register("Mme Dupuis", &[withdrawn]);
    assert_eq!(on.row(Activity::AppInventory).unwrap().1.code(), "on");
    assert_eq!(off.row(Activity::AppInventory).unwrap().1.code(), "off");
    assert!(
        on.to_csv(Language::French).unwrap().contains("en service ; validée le 2026-11-23 par Mme Dupuis")
    );
    assert!(
        off.to_csv(Language::English)
            .unwrap()
            .contains("off; the validation of `app-inventory` was withdrawn")
    );
}
