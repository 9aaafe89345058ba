//! Emergency orders beside one another: which stand in the way, which end with another, and by which one goes on (C5.3.7).

use std::collections::BTreeSet;

use store::organisations::{self, OrganisationState};
use testkit::people::Employer;
use types::{Day, EmergencyOrderId, Role, RuleId, Secret};

use super::fixture::{days, engines, now};
use super::profiles::{BASE, Cast, EMERGENCY, HERE, base, college, id};
use crate::page::Page;
use crate::profiles::{self, Order, Shown, Wanted, When};
use crate::{Principal, Refusal};

const THERE: &str = "0767777B";

fn wanted(base: &Shown, colleges: &[&str], on: (i32, i32)) -> Wanted {
    let today = Day::of(now());
    Wanted {
        base: id(base),
        colleges: colleges.iter().map(|uai| uai.parse().unwrap()).collect(),
        reason: "the schools are closed".into(),
        starts_on: today.plus(on.0),
        ends_on: today.plus(on.1),
        renews: None,
        instead_of: BTreeSet::new(),
    }
}

/// The head of another collège.
async fn neighbour(cast: &Cast) -> Principal {
    cast.people.someone(Employer::College(THERE.parse().unwrap()), "nora", &[Role::Head]).await.1
}

async fn listed(cast: &Cast) -> Vec<Order> {
    let page = Page::read(None, None).unwrap();
    profiles::list_emergencies(&cast.people.fleet, &cast.academie.1, page, now()).await.unwrap().items
}

#[tokio::test]
async fn c5_3_7_an_order_for_all_names_every_order_in_its_way_and_ends_them_in_the_same_act() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let (fleet, nora) = (&cast.people.fleet, neighbour(&cast).await);
        cast.published(base(1)).await;
        let prepared = cast.published(Secret::new(EMERGENCY.to_owned())).await;
        let order =
            async |by: &Principal, wanted: Wanted| profiles::order_emergency(fleet, by, wanted, now()).await;
        let here = order(&cast.head.1, wanted(&prepared, &[HERE], (0, 9))).await.unwrap().order.id;
        let there = order(&nora, wanted(&prepared, &[THERE], (2, 5))).await.unwrap().order.id;
        // It is refused, and each of them is named: which, whose, and the act that ends them.
        let refused = order(&cast.academie.1, wanted(&prepared, &[], (0, 29))).await.unwrap_err();
        assert_eq!(refused.rule(), Some(RuleId::C5_3_7));
        let told = refused.to_string();
        for word in [format!("{here} ({HERE}"), format!("{there} ({THERE}"), format!("{here},{there}")] {
            assert!(told.contains(&word), "{word}: {told}");
        }
        let instead = |of: &[EmergencyOrderId]| Wanted {
            instead_of: of.iter().copied().collect(),
            ..wanted(&prepared, &[], (0, 29))
        };
        // One of the two is not enough, and ends nothing; nor may a head end what others ordered.
        let refused = order(&cast.academie.1, instead(&[here])).await.unwrap_err();
        let told = refused.to_string();
        assert!(told.contains(&there.to_string()) && !told.contains(&here.to_string()), "{told}");
        let head = Wanted { instead_of: [there].into(), ..wanted(&prepared, &[HERE], (0, 9)) };
        assert!(matches!(order(&cast.head.1, head).await, Err(Refusal::NotFound { .. })));
        assert!(listed(&cast).await.iter().all(|order| order.order.ended_at.is_none()));
        // It begins on the day on which they end.
        let later = Wanted { instead_of: [here, there].into(), ..wanted(&prepared, &[], (1, 20)) };
        let later = order(&cast.academie.1, later).await;
        assert!(matches!(later, Err(Refusal::Invalid { field: "starts_on", .. })), "{later:?}");
        let given = order(&cast.academie.1, instead(&[here, there])).await.unwrap();
        let standing: Vec<_> =
            listed(&cast).await.into_iter().filter(|order| order.order.ended_at.is_none()).collect();
        assert_eq!(standing.iter().map(|order| order.order.id).collect::<Vec<_>>(), [given.order.id]);
        assert!(standing[0].in_force);
        let log = cast.people.audit().await;
        let entries = |action: &str| log.iter().filter(|one| *one == action).count();
        assert_eq!(
            (entries("emergency.end"), entries("emergency.order")),
            (2, 3),
            "one entry for each change"
        );
        // What does not stand in its way is not ended by it.
        let again = Wanted { instead_of: [here].into(), ..wanted(&prepared, &[HERE], (0, 9)) };
        let again = order(&cast.academie.1, again).await;
        assert!(matches!(again, Err(Refusal::Invalid { field: "instead_of", .. })), "{again:?}");
    }
}

#[tokio::test]
async fn c5_3_7_an_order_renewed_for_some_colleges_at_a_time_names_all_that_it_goes_on_by() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        neighbour(&cast).await;
        cast.published(base(1)).await;
        let prepared = cast.published(Secret::new(EMERGENCY.to_owned())).await;
        let both = wanted(&prepared, &[HERE, THERE], (0, 9));
        let first = profiles::order_emergency(fleet, &cast.academie.1, both, now()).await.unwrap().order.id;
        let renew = async |renews: EmergencyOrderId, uai: &str, on: (i32, i32)| {
            let at = now().plus(days(u64::try_from(on.0).unwrap() - 1));
            let chief = cast.people.session(cast.academie.0, at).await;
            let renewal = Wanted { renews: Some(renews), ..wanted(&prepared, &[uai], on) };
            profiles::order_emergency(fleet, &chief, renewal, at).await.unwrap().order.id
        };
        let here = renew(first, HERE, (10, 19)).await;
        let there = renew(first, THERE, (10, 19)).await;
        let end = async |order: EmergencyOrderId, day: u64| {
            let at = now().plus(days(day));
            let chief = cast.people.session(cast.academie.0, at).await;
            profiles::end_emergency(fleet, &chief, order, "open again", at).await.unwrap().goes_on_by
        };
        assert_eq!(end(first, 9).await, [here, there]);
        let further = renew(there, THERE, (20, 25)).await;
        let goes_on = async |order: EmergencyOrderId| {
            let late = now().plus(days(19));
            let chief = cast.people.session(cast.academie.0, late).await;
            let page = Page::read(None, None).unwrap();
            let orders = profiles::list_emergencies(fleet, &chief, page, late).await.unwrap().items;
            orders.into_iter().find(|one| one.order.id == order).unwrap().goes_on_by
        };
        assert_eq!(goes_on(first).await, [here, there, further], "whatever renewed it first");
        assert_eq!(end(there, 19).await, [further]);
        assert_eq!(end(further, 19).await, []);
        assert_eq!(goes_on(first).await, [here], "those that stand");
    }
}

#[tokio::test]
async fn c5_3_7_an_order_is_renewed_together_with_a_college_that_was_closed_meanwhile() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        neighbour(&cast).await;
        cast.published(base(1)).await;
        let prepared = cast.published(Secret::new(EMERGENCY.to_owned())).await;
        let both = wanted(&prepared, &[HERE, THERE], (0, 9));
        let first = profiles::order_emergency(fleet, &cast.academie.1, both, now()).await.unwrap().order;
        let close = fleet.store().write(|tx| {
            let there = organisations::by_uai(tx, &THERE.parse().unwrap())?.unwrap();
            organisations::update(
                tx,
                &organisations::Organisation { state: OrganisationState::Closed, ..there },
            )
        });
        assert!(close.await.unwrap());
        let late = now().plus(days(8));
        let chief = cast.people.session(cast.academie.0, late).await;
        let anew = profiles::order_emergency(fleet, &chief, wanted(&prepared, &[THERE], (8, 12)), late).await;
        assert!(matches!(anew, Err(Refusal::Invalid { field: "colleges", .. })), "it is closed: {anew:?}");
        let renewal = Wanted { renews: Some(first.id), ..wanted(&prepared, &[HERE, THERE], (10, 19)) };
        let renewed = profiles::order_emergency(fleet, &chief, renewal, late).await.unwrap();
        assert_eq!(renewed.order.uais, first.uais, "the others go on, together with it");
    }
}

#[tokio::test]
async fn c3_1_3_the_plan_of_a_base_says_which_apps_of_colleges_it_would_withhold() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let (fleet, nora) = (&cast.people.fleet, neighbour(&cast).await);
        cast.published(base(1)).await;
        let maths = "\n[[app]]\nbundle = \"fr.example.maths\"\nname = \"App\"\nstore = \"100000001\"\n";
        let text = college(HERE, maths);
        cast.people.offers(text.expose()).await;
        let draft = profiles::draft(fleet, &cast.head.1, text, now()).await.unwrap();
        profiles::submit(fleet, &cast.head.1, id(&draft), "room 4", now()).await.unwrap();
        profiles::publish(fleet, &cast.head.1, id(&draft), When::default(), now()).await.unwrap();
        let list = "[blocked-apps]\nbundles = [\n";
        let more = || Secret::new(BASE.replacen(list, &format!("{list}    \"fr.example.maths\",\n"), 1));
        let plan = profiles::plan_of_draft(fleet, &cast.author, more(), now()).await.unwrap();
        let [(uai, in_vain)] = plan.withholds.as_slice() else { panic!("{:?}", plan.withholds) };
        assert_eq!((uai.to_string().as_str(), in_vain.bundle.as_str()), (HERE, "fr.example.maths"));
        let other = profiles::plan_of_draft(fleet, &cast.author, base(2), now()).await.unwrap();
        assert!(other.withholds.is_empty(), "a base that blocks nothing of theirs: {:?}", other.withholds);
        // Of a version, too; and what one collège adds is not told another.
        let version = profiles::draft(fleet, &cast.author, more(), now()).await.unwrap();
        for (by, seen) in [(&cast.author, 1), (&cast.head.1, 1), (&nora, 0)] {
            let plan = profiles::plan(fleet, by, id(&version), None, now()).await.unwrap();
            assert_eq!(plan.withholds.len(), seen, "{:?}", plan.withholds);
        }
    }
}
