//! Papers, their clocks, and when what they are about was noticed (C5.4.2).

use types::{Day, IncidentKind, RuleId};

use super::rules::{complaint, letter};
use super::{declared, hours, span};
use crate::papers::{PaperKind, Papers, Standing, clocks};
use crate::*;

#[test]
fn c5_4_2_late_is_shown_and_never_refused() {
    let mut theft = declared(IncidentKind::Theft);
    let standings = |incident: &Incident, at: u64| {
        clocks(incident, hours(at)).iter().map(|clock| (clock.paper, clock.standing)).collect::<Vec<_>>()
    };
    let (letter_paper, complaint_paper) = (PaperKind::Letter, PaperKind::Complaint);
    assert_eq!(
        standings(&theft, 48),
        [(letter_paper, Standing::Awaited), (complaint_paper, Standing::Awaited)],
        "48 hours are 48 hours"
    );
    assert_eq!(standings(&theft, 50)[1], (complaint_paper, Standing::Missing(span(2))));
    theft.papers.complaint = complaint(51);
    theft.papers.letter = letter(48);
    assert_eq!(
        standings(&theft, 100),
        [(letter_paper, Standing::InTime), (complaint_paper, Standing::CameLate(span(3)))]
    );
}

#[test]
fn c5_4_2_each_kind_has_its_papers() {
    let papers = |kind| clocks(&declared(kind), hours(1)).iter().map(|clock| clock.paper).collect::<Vec<_>>();
    assert_eq!(papers(IncidentKind::Theft), [PaperKind::Letter, PaperKind::Complaint]);
    for kind in [IncidentKind::Loss, IncidentKind::Breakage, IncidentKind::Damage, IncidentKind::Fault] {
        assert_eq!(papers(kind), [PaperKind::Letter], "{kind}");
    }
    for kind in [IncidentKind::AuthorityRequest, IncidentKind::CompromisedCode] {
        assert_eq!(papers(kind), [], "{kind}");
    }
}

#[test]
fn c5_4_2_a_paper_is_one_that_such_an_incident_asks_for_and_not_from_before() {
    use crate::papers::{admit, needed};
    let noticed_on = Day::of(hours(0));
    for kind in IncidentKind::ALL.iter().copied() {
        let incident = declared(kind);
        for paper in PaperKind::ALL.iter().copied() {
            if !needed(kind).contains(&paper) {
                let refused = admit(&incident, paper, noticed_on);
                assert_eq!(refused, Err(Refusal::PaperNotAsked { paper, kind }), "{kind}");
                continue;
            }
            for after in [0, 1, 400] {
                assert_eq!(admit(&incident, paper, noticed_on.plus(after)), Ok(()), "{kind}");
            }
            let before = noticed_on.plus(-1);
            let refused = admit(&incident, paper, before).unwrap_err();
            assert_eq!(refused, Refusal::PaperBefore { paper, dated: before, noticed_on }, "{kind}");
            let words = refused.to_string();
            assert!(
                words.contains(&before.to_string()) && words.contains(&noticed_on.to_string()),
                "{words}"
            );
        }
    }
    let loss = admit(&declared(IncidentKind::Loss), PaperKind::Complaint, noticed_on).unwrap_err();
    assert!(loss.to_string().contains("it needs its letter"), "{loss}");
    let code = admit(&declared(IncidentKind::CompromisedCode), PaperKind::Letter, noticed_on).unwrap_err();
    assert!(code.to_string().contains("it needs no paper"), "{code}");
    assert_eq!((loss.rule(), code.rule()), (RuleId::C5_4_2, RuleId::C5_4_2));
}

#[test]
fn c5_4_2_when_it_was_noticed_is_put_right_up_to_its_declaration_and_the_day_of_its_papers() {
    let theft = Incident { declared_at: hours(100), ..declared(IncidentKind::Theft) };
    let put_right = |theft: &Incident, at| theft.put_noticed_right(at, None, None);
    let right = put_right(&theft, hours(60)).unwrap();
    assert_eq!(right, Incident { noticed_at: hours(60), ..theft.clone() }, "nothing else is changed");
    assert!(clocks(&right, hours(0)).iter().all(|clock| clock.due_at == hours(108)), "its clocks follow");
    assert!(put_right(&theft, hours(100)).is_ok(), "whoever declares at once noticed it then");
    let late = put_right(&theft, hours(101)).unwrap_err();
    let (noticed_at, declared_at) = (hours(101), hours(100));
    assert_eq!(late, Refusal::NoticedAfterDeclared { noticed_at, declared_at });
    assert_eq!(late.rule(), RuleId::C5_4_2);
    assert!(late.to_string().contains(&declared_at.to_string()), "{late}");
    let with_complaint = Papers { complaint: complaint(30), ..theft.papers.clone() };
    let with_letter = Papers { letter: letter(30), ..theft.papers.clone() };
    for (papers, paper) in [(with_complaint, PaperKind::Complaint), (with_letter, PaperKind::Letter)] {
        let theft = Incident { papers, ..theft.clone() };
        let (dated, noticed_on) = (Day::of(hours(30)), Day::of(hours(60)));
        assert!(dated < noticed_on);
        let refused = put_right(&theft, hours(60));
        assert_eq!(refused, Err(Refusal::PaperBefore { paper, dated, noticed_on }));
        assert!(put_right(&theft, hours(30)).is_ok(), "papers have a date and no hour");
    }
}

#[test]
fn c5_4_2_a_declaration_is_admitted_however_late_and_concerns_whoever_had_the_tablet_then() {
    let theft = Incident { declared_at: hours(100), ..declared(IncidentKind::Theft) };
    let declaration = Declaration {
        tablet: theft.tablet,
        college: theft.college.clone(),
        kind: theft.kind,
        noticed_at: hours(0),
        declarant: theft.declarant,
        authority: None,
    };
    let late = Incident::declare(theft.id, declaration, hours(24 * 900)).unwrap();
    assert_eq!(late.noticed_at, hours(0));
    // What is put right goes on concerning the same person, or nobody.
    let (one, another) = (types::LoanId::new(hours(1)), types::LoanId::new(hours(2)));
    let refused = Err(Refusal::ConcernsAnother { noticed_at: hours(60) });
    for (concerned, instead) in [(Some(one), Some(another)), (None, Some(one)), (Some(one), None)] {
        assert_eq!(theft.put_noticed_right(hours(60), concerned, instead), refused);
    }
    assert!(theft.put_noticed_right(hours(60), Some(one), Some(one)).is_ok());
    assert_eq!(Refusal::ConcernsAnother { noticed_at: hours(60) }.rule(), RuleId::C5_4_2);
}
