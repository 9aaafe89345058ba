//! Who may be forgotten, and what a copy says.

use serde_json::{Map, json};
use types::{IncidentId, Instant, LoanId, PersonId, RuleId};

use crate::{
    Activity, Language, LeftOut, NotForgotten, RetentionClass, SubjectData, SubjectPart, Text, Ties,
    may_forget,
};

fn at() -> Instant {
    Instant::from_millis(1_795_000_000_000)
}

#[test]
fn c3_1_6_whatever_ties_a_person_to_the_programme_keeps_them_from_being_forgotten_and_names_its_clause() {
    let (loan, incident) = (LoanId::new(at()), IncidentId::new(at()));
    let free = Ties::default();
    assert_eq!(may_forget(&free), Ok(()));
    for (ties, why, rule) in [
        (Ties { forgotten: true, ..free }, NotForgotten::Already, RuleId::C3_1_6),
        (Ties { loan: Some(loan), ..free }, NotForgotten::Lent(loan), RuleId::C5_1_1),
        (Ties { tablet_not_back: Some(loan), ..free }, NotForgotten::NotBack(loan), RuleId::C5_3_5),
        (Ties { incident: Some(incident), ..free }, NotForgotten::Incident(incident), RuleId::C5_4_2),
        (Ties { owes_for: Some(incident), ..free }, NotForgotten::Owes(incident), RuleId::C5_4_4),
        (Ties { listed: true, ..free }, NotForgotten::Listed, RuleId::C4_2),
    ] {
        assert_eq!(may_forget(&ties), Err(why));
        assert_eq!(why.rule(), rule, "{why}");
    }
    // Of several the first that has to be settled is told: the tablet before its papers, the list last.
    let all = Ties {
        forgotten: false,
        listed: true,
        loan: Some(loan),
        tablet_not_back: Some(loan),
        incident: Some(incident),
        owes_for: Some(incident),
    };
    assert_eq!(may_forget(&all), Err(NotForgotten::Lent(loan)));
    assert_eq!(may_forget(&Ties { loan: None, ..all }), Err(NotForgotten::NotBack(loan)));
    let at_peace = Ties { loan: None, tablet_not_back: None, incident: None, owes_for: None, ..all };
    assert_eq!(may_forget(&at_peace), Err(NotForgotten::Listed));
}

#[test]
fn t_c9_the_page_of_a_copy_tells_what_the_json_tells_and_a_name_is_text() {
    const OUT: &[LeftOut] = &[LeftOut { table: "accounts", why: Text::new("des agents", "of staff") }];
    let row: Map<String, serde_json::Value> = [
        ("name".to_owned(), json!("<script>alert(1)</script>")),
        ("class".to_owned(), json!(null)),
        ("guardians".to_owned(), json!(2)),
    ]
    .into_iter()
    .collect();
    let part = SubjectPart {
        table: "persons",
        activities: vec![Activity::Roster],
        class: RetentionClass::Holders,
        rows: vec![row],
    };
    let copy = SubjectData { person: PersonId::new(at()), at: at(), parts: vec![part], left_out: OUT };
    let page = copy.to_html(Language::French);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains("<script>"), "{page}");
    let number = copy.person.to_string();
    for told in
        ["Qui vous êtes", "nombre de représentants légaux", ">2<", "des agents", &number, &at().to_string()]
    {
        assert!(page.contains(told), "{told}: {page}");
    }
    let english = copy.to_html(Language::English);
    assert!(english.contains("of staff") && english.contains("Who you are"), "{english}");
    for ours in [">persons<", ">guardians<", ">class<", ">accounts<"] {
        assert!(!page.contains(ours), "{ours} is the database’s word: {page}");
    }
    // Programs read the names of the database.
    let json = serde_json::to_value(&copy).unwrap();
    assert_eq!(json["held"][0]["rows"][0]["guardians"], 2);
    assert_eq!(json["held"][0]["class"], "holders");
}

#[test]
fn c3_1_6_the_page_of_a_copy_says_states_yes_and_no_and_parts_in_the_readers_language() {
    let row: Map<String, serde_json::Value> = [
        ("state".to_owned(), json!("lent")),
        ("reason".to_owned(), json!("lent")),
        ("granted".to_owned(), json!(true)),
        (
            "entry".to_owned(),
            json!({ "name": "Zoé", "kind": "pupil", "contacts": { "guardian-1": "détenue" } }),
        ),
        ("accessories".to_owned(), json!(["chargeur", "étui"])),
    ]
    .into_iter()
    .collect();
    let part = SubjectPart {
        table: "loans",
        activities: vec![Activity::Lending],
        class: RetentionClass::Loans,
        rows: vec![row],
    };
    let copy = SubjectData { person: PersonId::new(at()), at: at(), parts: vec![part], left_out: &[] };
    let french = copy.to_html(Language::French);
    for told in [
        "Prêts de tablettes",
        "état</th><td>prêtée<",
        "motif</th><td>lent<",
        "accordé</th><td>oui<",
        "nom : Zoé",
        "nature : élève",
        "premier représentant légal : détenue",
        "chargeur, étui",
    ] {
        assert!(french.contains(told), "{told}: {french}");
    }
    let english = copy.to_html(Language::English);
    for told in
        ["Loans of tablets", "state</th><td>lent<", "granted</th><td>yes<", "kind: pupil", "first guardian: "]
    {
        assert!(english.contains(told), "{told}: {english}");
    }
}
