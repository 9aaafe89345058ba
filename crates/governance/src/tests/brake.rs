//! The brake, case by case (M5).

use types::{
    AccountId, CampaignId, CountersignatureId, Day, DestructionId, DestructionKind, Instant, Role, TabletId,
};

use super::world::*;
use crate::brake::{
    Act, Batch, Budget, Budgets, Campaign, CampaignPlan, Decision, DestructionState, Engaged, HeldAct,
    Ledger, NotDelivered, NotOpened, NotReleased, Pass, Running, Switch, SwitchNotReleased, Tally, What,
    at_delivery, counting_day, decide, decide_batch, drill, held_question, release,
};
use crate::countersignature::{Asked, Parties, Purpose, SecondPerson};
use crate::{Deed, Maker, Making, Newcomers, Standing};

const KINDS: [What; 4] = [What::Restitution, What::Erasure, What::LostMode, What::Unenrolment];

fn act(what: What, account: AccountId, college: u32) -> Act {
    Act { what, account, college: Some(uai(college)) }
}

fn plain(act: &Act, tally: Tally) -> Decision {
    decide(act, tally, Budgets::default(), &[], &Switch::Released, now())
}

fn at(text: &str) -> Instant {
    let day: Day = text.parse().unwrap();
    day.starts_at().plus(HOUR * 12)
}

fn plan(colleges: &[u32], starts_on: &str, ends_on: &str, ceiling: u32) -> CampaignPlan {
    CampaignPlan {
        colleges: uais(colleges),
        starts_on: starts_on.parse().unwrap(),
        ends_on: ends_on.parse().unwrap(),
        ceiling,
        reason: "end of the school year".to_owned(),
    }
}

/// Two persons of the département.
fn two() -> (Standing, Standing) {
    let ours = departement();
    (someone(&ours, Role::Operator), someone(&ours, Role::Administrator))
}

fn open(plan: &CampaignPlan, signed: &CampaignPlan, at: Instant) -> Result<Campaign, NotOpened> {
    let (asker, second) = two();
    let parties = Parties { asker: &asker, second: &second, hands: &nobody_made_anybody() };
    let question = question(Purpose::OpenCampaign, signed.question(), SecondPerson::Departement);
    let proof = countersigned(question, parties, at).unwrap();
    Campaign::open(CampaignId::new(at), plan.clone(), proof, &asker, &session(at), at)
}

#[test]
fn m5_the_last_act_within_each_budget_goes_and_the_next_one_waits() {
    let thief = AccountId::new(now());
    let budgets = Budgets::default();
    assert_eq!((budgets.actor, budgets.college, budgets.fleet), (40, 60, 300));
    for what in KINDS {
        let act = act(what, thief, 1);
        let at = |actor, college, fleet| plain(&act, Tally { actor, college, fleet });
        assert_eq!(at(39, 59, 299), Decision::Go(Pass::WithinBudgets));
        assert_eq!(at(40, 59, 299), Decision::Hold(Budget::Actor));
        assert_eq!(at(39, 60, 299), Decision::Hold(Budget::College));
        assert_eq!(at(39, 59, 300), Decision::Hold(Budget::Fleet));
        assert_eq!(at(u32::MAX, u32::MAX, u32::MAX), Decision::Hold(Budget::Actor));
    }
}

#[test]
fn m5_all_three_kinds_share_one_budget() {
    let thief = AccountId::new(now());
    let mut ledger = Ledger::default();
    for turn in 0..40 {
        let act = act(KINDS[turn % 4], thief, 1);
        assert_eq!(plain(&act, ledger.tally(&act, &Newcomers::default())), Decision::Go(Pass::WithinBudgets));
        ledger.pass(&act, Pass::WithinBudgets, &mut []);
    }
    for what in KINDS {
        let one_more = act(what, thief, 2);
        let tally = ledger.tally(&one_more, &Newcomers::default());
        assert_eq!(plain(&one_more, tally), Decision::Hold(Budget::Actor));
    }
    // What is counted are the three kinds of destruction; turning lost mode off is not among them.
    assert_eq!(
        DestructionKind::ALL,
        [DestructionKind::Erase, DestructionKind::LostMode, DestructionKind::Unenrol]
    );
    assert!(DestructionKind::ALL.iter().all(|kind| KINDS.iter().any(|what| what.kind() == *kind)));
}

#[test]
fn t_c14_thirteen_thousand_asked_for_at_once_are_none() {
    let thief = AccountId::new(now());
    let acts: Vec<_> = (0..13_000).map(|tablet| act(What::Unenrolment, thief, tablet % 187)).collect();
    let none = (Ledger::default(), Newcomers::default());
    let decide =
        |acts: &[Act], switch| decide_batch(acts, &none.0, &none.1, Budgets::default(), &[], switch, now());
    let all = decide(&acts, &Switch::Released);
    assert_eq!(all, Batch::Hold { index: 40, budget: Budget::Actor });
    // The same act, as often as one person may.
    let few = decide(&acts[..40], &Switch::Released);
    assert_eq!(few, Batch::Go(vec![Pass::WithinBudgets; 40]));
}

#[test]
fn t_c14_accounts_made_for_the_purpose_share_the_budget_of_whoever_made_them() {
    let [thief, puppet, second_puppet, colleague] = [(); 4].map(|()| AccountId::new(now()));
    let made = |account, hours| Making {
        account,
        deed: Deed::Created,
        by: Maker::Account(thief),
        at: now().minus(HOUR * hours),
    };
    let newcomers = Newcomers::of(&[made(puppet, 1), made(second_puppet, 23), made(colleague, 25)], now());
    let mut ledger = Ledger::default();
    for turn in 0..40 {
        let act = act(What::Erasure, [thief, puppet, second_puppet][turn % 3], 1);
        assert_eq!(plain(&act, ledger.tally(&act, &newcomers)), Decision::Go(Pass::WithinBudgets));
        ledger.pass(&act, Pass::WithinBudgets, &mut []);
    }
    let decision = |account| {
        let act = act(What::Erasure, account, 2);
        plain(&act, ledger.tally(&act, &newcomers))
    };
    for account in [thief, puppet, second_puppet] {
        assert_eq!(decision(account), Decision::Hold(Budget::Actor));
    }
    assert_eq!(decision(colleague), Decision::Go(Pass::WithinBudgets));
}

#[test]
fn m5_tablets_that_no_college_has_count_together() {
    let counted = Ledger::of([(AccountId::new(now()), 60)], [(None, 60)]);
    let stock = Act { what: What::Unenrolment, account: AccountId::new(now()), college: None };
    assert_eq!(plain(&stock, counted.tally(&stock, &Newcomers::default())), Decision::Hold(Budget::College));
}

#[test]
fn m5_a_day_is_a_civil_day_in_paris_and_a_clock_set_back_opens_no_second_one() {
    let midnight = "2026-11-25".parse::<Day>().unwrap().starts_at();
    let yesterday = counting_day(midnight.minus(MILLISECOND), None);
    let today = counting_day(midnight, Some(yesterday));
    assert_eq!((yesterday.to_string().as_str(), today.to_string().as_str()), ("2026-11-24", "2026-11-25"));
    assert_eq!(counting_day(midnight.minus(HOUR), Some(today)), today);
    // The longest day has one budget for its 25 hours, the shortest has a whole one for its 23.
    for (day, hours) in [("2026-10-25", 25), ("2026-03-29", 23)] {
        let day: Day = day.parse().unwrap();
        let instants: Vec<_> = (0..hours).map(|hour| day.starts_at().plus(HOUR * hour)).collect();
        assert!(instants.iter().all(|instant| counting_day(*instant, Some(day)) == day));
        assert_eq!(counting_day(day.starts_at().plus(HOUR * hours), Some(day)), day.plus(1));
    }
}

#[test]
fn m5_the_switch_stops_everything_whatever_the_budgets_and_campaigns_say() {
    let campaign = open(
        &plan(&[1], "2026-11-25", "2026-11-30", 100),
        &plan(&[1], "2026-11-25", "2026-11-30", 100),
        now(),
    );
    let campaign = campaign.unwrap();
    let running = [Running { campaign: &campaign, used: 0 }];
    let engaged = Switch::Released.engage(Maker::Host, "a stolen account".to_owned(), now());
    let Switch::Engaged(why) = engaged.clone() else { panic!("it was thrown") };
    for what in KINDS {
        let act = act(what, AccountId::new(now()), 1);
        let decision = decide(&act, Tally::default(), Budgets::default(), &running, &engaged, now());
        assert_eq!(decision, Decision::Stopped(why.clone()));
    }
    // Thrown a second time, it keeps its first reason.
    assert_eq!(engaged.clone().engage(Maker::Host, "again".to_owned(), now().plus(HOUR)), engaged);
}

#[test]
fn m5_the_switch_stops_what_is_queued_and_only_what_went_or_was_released_is_delivered() {
    let thrown = Switch::Released.engage(Maker::Host, "a stolen account".to_owned(), now());
    for state in DestructionState::ALL {
        let goes = matches!(state, DestructionState::Counted | DestructionState::Released);
        assert_eq!(at_delivery(*state, &Switch::Released).is_ok(), goes, "{state}");
        assert!(at_delivery(*state, &thrown).is_err(), "{state}");
    }
    let stopped = at_delivery(DestructionState::Counted, &thrown).unwrap_err();
    assert!(matches!(stopped, NotDelivered::Stopped(_)));
    assert!(stopped.to_string().contains("a stolen account"));
    assert_eq!(at_delivery(DestructionState::Held, &Switch::Released), Err(NotDelivered::Held));
    assert_eq!(at_delivery(DestructionState::Void, &Switch::Released), Err(NotDelivered::Void));
}

#[test]
fn t_c24_what_a_restore_voided_never_goes() {
    for state in DestructionState::ALL {
        assert!(!DestructionState::Void.may_become(*state));
        assert_eq!(state.may_become(DestructionState::Void), *state != DestructionState::Void);
    }
    assert!(DestructionState::Held.may_become(DestructionState::Released));
    assert!(!DestructionState::Held.may_become(DestructionState::Counted), "what was held is never counted");
}

#[test]
fn m5_releasing_the_switch_takes_a_signature_for_this_time_that_it_was_thrown() {
    let (asker, second) = two();
    let sign = |engaged: &Engaged| {
        let parties = Parties { asker: &asker, second: &second, hands: &nobody_made_anybody() };
        let question = question(Purpose::ReleaseBrake, engaged.question(), SecondPerson::Departement);
        countersigned(question, parties, now()).unwrap()
    };
    let thrown = |reason: &str, at| Engaged { since: at, by: Maker::Host, reason: reason.to_owned() };
    let (first, next) = (thrown("a drill", now()), thrown("a stolen account", now().plus(HOUR)));
    let signature = sign(&first);
    let id = signature.id();
    assert_eq!(Switch::Engaged(first.clone()).release(signature), Ok((Switch::Released, id)));
    let reused = Switch::Engaged(next).release(sign(&first));
    assert_eq!(reused, Err(SwitchNotReleased::SignedForAnother));
    assert_eq!(Switch::Released.release(sign(&first)), Err(SwitchNotReleased::NotEngaged));
}

fn held(count: u32, account: AccountId) -> Vec<HeldAct> {
    let one = |number: u32| HeldAct {
        id: DestructionId::new(now()),
        kind: DestructionKind::Erase,
        account,
        college: Some(uai(number)),
        tablet: TabletId::new(now()),
        reference: format!("command {number}"),
        state: DestructionState::Held,
    };
    (0..count).map(one).collect()
}

#[test]
fn m5_a_second_person_lets_go_exactly_the_acts_they_saw() {
    let (asker, second) = two();
    let acts = held(50, asker.account());
    let sign = |acts: &[HeldAct]| {
        let parties = Parties { asker: &asker, second: &second, hands: &nobody_made_anybody() };
        let question =
            question(Purpose::ExceedBudget, held_question(acts).unwrap(), SecondPerson::Departement);
        countersigned(question, parties, now()).unwrap()
    };
    let signature = sign(&acts);
    let id = signature.id();
    let mut shuffled = acts.clone();
    shuffled.reverse();
    let released = release(&shuffled, signature, &Switch::Released).unwrap();
    assert_eq!((released.acts().len(), released.countersignature()), (50, id));

    let mut one_more = acts.clone();
    one_more.extend(held(1, asker.account()));
    let another_tablet = |mut acts: Vec<HeldAct>| {
        acts[7].tablet = TabletId::new(now());
        acts
    };
    for other in [one_more, acts[1..].to_vec(), another_tablet(acts.clone()), Vec::new()] {
        assert_eq!(release(&other, sign(&acts), &Switch::Released), Err(NotReleased::SignedForAnother));
    }
    let colleagues = held(3, second.account());
    assert_eq!(release(&colleagues, sign(&colleagues), &Switch::Released), Err(NotReleased::NotTheAsker));
    let mut gone = acts.clone();
    gone[3].state = DestructionState::Released;
    let not_held = NotReleased::NotHeld { id: gone[3].id, state: DestructionState::Released };
    assert_eq!(release(&gone, sign(&acts), &Switch::Released), Err(not_held));
    let thrown = Switch::Released.engage(Maker::Host, "a stolen account".to_owned(), now());
    assert!(matches!(release(&acts, sign(&acts), &thrown), Err(NotReleased::Stopped(_))));
}

#[test]
fn m5_a_campaign_lets_restitutions_pass_in_its_colleges_on_its_days_up_to_its_ceiling() {
    let now = at("2027-06-28");
    let plan = plan(&[1, 2], "2027-06-28", "2027-07-02", 500);
    let campaign = open(&plan, &plan, now).unwrap();
    let teacher = AccountId::new(now);
    let full = Tally { actor: 40, college: 60, fleet: 300 };
    let goes = |act: &Act, used, now| {
        let running = [Running { campaign: &campaign, used }];
        decide(act, full, Budgets::default(), &running, &Switch::Released, now)
            == Decision::Go(Pass::UnderCampaign(campaign.id()))
    };
    let restitution = act(What::Restitution, teacher, 1);
    assert!(goes(&restitution, 0, now) && goes(&restitution, 499, now));
    assert!(!goes(&restitution, 500, now), "the ceiling is for all days together");
    for what in [What::Erasure, What::LostMode, What::Unenrolment] {
        assert!(!goes(&act(what, teacher, 1), 0, now), "{what:?}");
    }
    assert!(!goes(&act(What::Restitution, teacher, 3), 0, now), "another collège");
    assert!(!goes(&Act { college: None, ..restitution.clone() }, 0, now), "no collège");

    // From its first instant to its last, and not before it was opened.
    assert!(goes(&restitution, 0, plan.ends_on.ends_at().minus(MILLISECOND)));
    assert!(!goes(&restitution, 0, plan.ends_on.ends_at()));
    assert!(!goes(&restitution, 0, now.minus(MILLISECOND)), "the clock was set back");

    // Ended early, it lets nothing pass, whatever the clock says.
    let mut row = campaign.to_row();
    row.ended_at = Some(now.plus(HOUR));
    let ended = read_campaign(row, &plan, now).unwrap();
    assert!(!ended.is_open(now) && !ended.is_open(now.plus(HOUR * 2)));
}

#[test]
fn m5_under_a_campaign_the_budgets_stay_whole() {
    let now = at("2027-06-28");
    let plan = plan(&[1], "2027-06-28", "2027-06-28", 500);
    let campaign = open(&plan, &plan, now).unwrap();
    let teacher = AccountId::new(now);
    let mut acts = vec![act(What::Restitution, teacher, 1); 500];
    acts.extend(vec![act(What::Erasure, teacher, 1); 41]);
    let running = [Running { campaign: &campaign, used: 0 }];
    let none = (Ledger::default(), Newcomers::default());
    let told = drill(&acts, &none.0, &none.1, Budgets::default(), &running, &Switch::Released, now);
    assert_eq!((told.under_campaigns, told.within_budgets, told.held[&Budget::Actor]), (500, 40, 1));
}

#[test]
fn m5_a_campaign_is_opened_as_it_was_signed_and_within_reason() {
    let good = plan(&[1], "2026-11-25", "2026-12-25", 100);
    assert!(open(&good, &good, now()).is_ok());
    let raised = CampaignPlan { ceiling: 13_000, ..good.clone() };
    assert_eq!(open(&raised, &good, now()), Err(NotOpened::SignedForAnother));
    let wider = CampaignPlan { colleges: uais(&[1, 2]), ..good.clone() };
    assert_eq!(open(&wider, &good, now()), Err(NotOpened::SignedForAnother));
    let bad = [
        (plan(&[], "2026-11-25", "2026-11-26", 1), NotOpened::NoCollege),
        (plan(&[1], "2026-11-24", "2026-11-26", 1), NotOpened::Days),
        (plan(&[1], "2026-11-27", "2026-11-26", 1), NotOpened::Days),
        (plan(&[1], "2026-11-25", "2026-12-26", 1), NotOpened::Days),
        (plan(&[1], "2026-11-25", "2026-11-26", 0), NotOpened::Ceiling),
        (CampaignPlan { reason: " ".to_owned(), ..good.clone() }, NotOpened::NoReason),
    ];
    for (plan, why) in bad {
        assert_eq!(open(&plan, &plan, now()), Err(why));
    }
    let (asker, second) = two();
    let parties = Parties { asker: &asker, second: &second, hands: &nobody_made_anybody() };
    let question = question(Purpose::OpenCampaign, good.question(), SecondPerson::Departement);
    let proof = countersigned(question, parties, now()).unwrap();
    let by_another = Campaign::open(CampaignId::new(now()), good, proof, &second, &session(now()), now());
    assert_eq!(by_another, Err(NotOpened::NotTheAsker));
}

/// The row of a campaign beside that of its countersignature, which was for `signed`.
#[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
fn read_campaign(
    mut row: crate::brake::CampaignRow,
    signed: &CampaignPlan,
    at: Instant,
) -> Result<Campaign, crate::BadRow> {
    let (asker, second) = two();
    let parties = Parties { asker: &asker, second: &second, hands: &nobody_made_anybody() };
    let question = question(Purpose::OpenCampaign, signed.question(), SecondPerson::Departement);
    let asked = Asked::ask(CountersignatureId::new(at), question, &asker, &session(at), at).unwrap();
    let mut signature = given(&asked, parties, at).unwrap().to_row();
    (signature.used_at, signature.used_for) = (Some(at), Some(row.id.to_string()));
    (row.countersignature, row.opened_by) = (signature.id, signature.asked_by);
    Campaign::from_row(row, &read(signature))
}

#[test]
fn m5_a_campaign_whose_row_was_widened_afterwards_lets_nothing_pass() {
    let plan = plan(&[1], "2026-11-25", "2026-11-30", 100);
    let row = open(&plan, &plan, now()).unwrap().to_row();
    assert!(read_campaign(row.clone(), &plan, now()).is_ok());
    let edits: [fn(&mut crate::brake::CampaignRow); 6] = [
        |row| row.ceiling = 13_000,
        |row| row.colleges = uais(&[1, 2]),
        |row| row.starts_on = row.starts_on.plus(-1),
        |row| row.ends_on = row.ends_on.plus(1),
        |row| row.reason = "another".to_owned(),
        |row| row.created_at = row.created_at.minus(MILLISECOND),
    ];
    for edit in edits {
        let mut edited = row.clone();
        edit(&mut edited);
        assert!(read_campaign(edited, &plan, now()).is_err());
    }
}

#[test]
fn m5_the_drill_tells_what_would_happen_and_does_nothing() {
    let [thief, honest] = [(); 2].map(|()| AccountId::new(now()));
    let ledger = Ledger::of([(honest, 5)], [(Some(uai(1)), 5)]);
    let mut acts = vec![act(What::Restitution, honest, 1); 10];
    acts.extend((0..13_000).map(|tablet| act(What::Erasure, thief, tablet % 187)));
    let before = ledger.clone();
    let run = |switch: &Switch| {
        drill(&acts, &ledger, &Newcomers::default(), Budgets::default(), &[], switch, now())
    };
    let told = run(&Switch::Released);
    assert_eq!((told.within_budgets, told.held[&Budget::Actor], told.stopped), (50, 12_960, 0));
    assert_eq!(told.decisions.len(), acts.len());
    let stopped = run(&Switch::Released.engage(Maker::Host, "stop".to_owned(), now()));
    assert_eq!((stopped.within_budgets, stopped.stopped), (0, 13_010));
    assert_eq!(ledger, before);
}
