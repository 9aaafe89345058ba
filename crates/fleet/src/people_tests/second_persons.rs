//! Second persons: who may answer, once, what exactly, and what ends a request.

use governance::countersignature::{CountersignatureState as State, NotCountersigned, Verdict};
use testkit::people::{self, Employer};
use types::{AccountId, CountersignatureId, Duration, OrganisationId, Role};

use super::fixture::{People, days, engines, now};
use crate::accounts::{self, FirstWanted, NewAccount};
use crate::coming_in::identify;
use crate::countersignatures::{self, Line, Said, Signable, Which};
use crate::organisations::{self, Kind, Named};
use crate::page::Page;
use crate::{Principal, Refusal, Scope, roles};

/// The académie is founded, and a first account for it was asked by Camille.
struct Asked {
    people: People,
    academie: OrganisationId,
    denis: (AccountId, Principal),
    id: CountersignatureId,
}

impl Asked {
    async fn new(engine: store::Engine) -> Self {
        let people = People::new(engine).await;
        let denis = people.someone(Employer::Departement, "denis", &[Role::Operator]).await;
        let created =
            organisations::create(&people.fleet, &people.operator, Kind::Academie, "Normandie", now());
        let academie = created.await.unwrap().id;
        let id = ask(&people, academie, "anne.roy").await.unwrap();
        Self { people, academie, denis, id }
    }

    async fn line(&self, by: &Principal) -> Result<Line, Refusal> {
        countersignatures::show(&self.people.fleet, by, self.id, now()).await
    }

    async fn answers(&self, by: &Principal, verdict: Verdict) -> Result<Line, Refusal> {
        let seen = self.line(&self.people.operator).await.unwrap().content_sha256;
        let said = Said { verdict, seen, reason: Some("we spoke".into()) };
        countersignatures::answer(&self.people.fleet, by, self.id, said, now()).await
    }

    async fn invites(&self, login: &str) -> Result<AccountId, Refusal> {
        invite(&self.people, self.academie, login, self.id, now()).await
    }
}

async fn ask(people: &People, into: OrganisationId, login: &str) -> Result<CountersignatureId, Refusal> {
    let wanted = FirstWanted { into: Named::Id(into), login: login.parse().unwrap(), email: None };
    accounts::ask_first(&people.fleet, &people.operator, wanted, "they begin".into(), now()).await
}

async fn invite(
    people: &People,
    into: OrganisationId,
    login: &str,
    id: CountersignatureId,
    at: types::Instant,
) -> Result<AccountId, Refusal> {
    let new = NewAccount { login: login.parse().unwrap(), name: login.into(), email: None };
    let by = people.session(people.camille, at).await;
    let invited = accounts::invite_first(&people.fleet, &by, Named::Id(into), new, id, at).await?;
    Ok(invited.account)
}

/// Why the word of a second person did not count.
fn why<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> NotCountersigned {
    match refused {
        Err(Refusal::NotCountersigned { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn c3_1_7_a_second_person_sees_what_is_asked_signs_it_and_the_signature_serves_once() {
    for engine in engines() {
        let asked = Asked::new(engine).await;
        let listed = |which| {
            let page = Page::default();
            countersignatures::list(&asked.people.fleet, &asked.denis.1, which, page, now())
        };
        let line = listed(Which::ToAnswer).await.unwrap().items.pop().unwrap();
        assert_eq!((line.id, line.state, line.answerable), (asked.id, State::Waiting, true));
        assert_eq!((line.asked_by.login.as_str(), line.reason.as_deref()), ("camille", Some("they begin")));
        for sentence in [&line.in_words.english, &line.in_words.french] {
            assert!(sentence.contains("Normandie") && sentence.contains("anne.roy"), "{line:?}");
        }
        assert!(line.in_words.french.contains("reçoive de l’extérieur"), "{line:?}");
        assert!(line.content.unwrap().contains("\"login\":\"anne.roy\""));
        assert!(listed(Which::Asked).await.unwrap().items.is_empty(), "he asked nothing");

        // Not yet signed; then signed for these names and no others, and once.
        assert_eq!(why(asked.invites("anne.roy").await), NotCountersigned::Ended { state: State::Waiting });
        assert_eq!(asked.answers(&asked.denis.1, Verdict::Give).await.unwrap().state, State::Given);
        assert_eq!(why(asked.invites("eve").await), NotCountersigned::ForAnother { what: "content" });
        asked.invites("anne.roy").await.unwrap();
        assert_eq!(why(asked.invites("anne.roy").await), NotCountersigned::Used { at: now() });
        assert_eq!(
            asked.people.audit().await,
            ["organisation.create", "countersignature.ask", "countersignature.give", "account.invite-first"]
        );
    }
}

#[tokio::test]
async fn asking_the_same_again_while_it_waits_asks_nothing_new() {
    for engine in engines() {
        let asked = Asked::new(engine).await;
        assert_eq!(ask(&asked.people, asked.academie, "anne.roy").await.unwrap(), asked.id);
        assert_ne!(ask(&asked.people, asked.academie, "paul.roux").await.unwrap(), asked.id);
    }
}

#[tokio::test]
async fn of_two_who_answer_at_once_one_does() {
    for engine in engines() {
        let asked = Asked::new(engine).await;
        let emma = asked.people.someone(Employer::Departement, "emma", &[Role::Operator]).await;
        let (one, other) = tokio::join!(
            asked.answers(&asked.denis.1, Verdict::Give),
            asked.answers(&emma.1, Verdict::Refuse)
        );
        let (answered, refused) = if one.is_ok() { (one, other) } else { (other, one) };
        let state = answered.unwrap().state;
        assert_eq!(why(refused), NotCountersigned::Ended { state });
        assert_eq!(asked.line(&asked.people.operator).await.unwrap().state, state);
        let answers = ["countersignature.give", "countersignature.refuse"];
        let audit = asked.people.audit().await;
        assert_eq!(audit.iter().filter(|action| answers.contains(&action.as_str())).count(), 1);
    }
}

#[tokio::test]
async fn of_two_who_use_one_signature_at_once_one_does() {
    for engine in engines() {
        let asked = Asked::new(engine).await;
        asked.answers(&asked.denis.1, Verdict::Give).await.unwrap();
        let (one, other) = tokio::join!(asked.invites("anne.roy"), asked.invites("anne.roy"));
        assert_eq!([&one, &other].into_iter().filter(|used| used.is_ok()).count(), 1);
        let refused = if one.is_ok() { other } else { one };
        assert!(matches!(why(refused), NotCountersigned::Used { .. }));
    }
}

#[tokio::test]
async fn c3_1_7_nobody_answers_what_they_asked_nor_does_their_creature() {
    for engine in engines() {
        let asked = Asked::new(engine).await;
        let oneself = asked.answers(&asked.people.operator, Verdict::Give).await;
        assert_eq!(why(oneself), NotCountersigned::Oneself);

        // Camille makes an account; somebody else gives it a role; it is still hers for 30 days.
        let (people, emma) = (
            &asked.people,
            asked.people.someone(Employer::Departement, "emma", &[Role::Administrator]).await,
        );
        let new = NewAccount { login: "creature".parse().unwrap(), name: "C".into(), email: None };
        let creature = accounts::invite(&people.fleet, &people.operator, new, now()).await.unwrap().account;
        people
            .fleet
            .store()
            .write(move |tx| {
                use crate::accounts::State::{Active, Invited};
                store::accounts::turn(tx, creature, Invited, Active)
            })
            .await
            .unwrap();
        let to = accounts::Named::Id(creature);
        let wanted = roles::Wanted { to, role: Role::Operator, colleges: None, reason: None };
        roles::give(&people.fleet, &emma.1, wanted, now()).await.unwrap();
        let hers = people.session(creature, now()).await;
        assert_eq!(why(asked.answers(&hers, Verdict::Give).await), NotCountersigned::OneHand);
        let page = Page::default();
        let listed = countersignatures::list(&people.fleet, &hers, Which::ToAnswer, page, now()).await;
        // It is put before her with the reason why she may not, and nothing else of it is hers.
        let line = listed.unwrap().items.pop().unwrap();
        assert_eq!((line.id, line.answerable), (asked.id, false));
        let Signable::No(why) = line.signable else { panic!("{:?}", line.signable) };
        assert!(why.english.contains("one hand") && why.french.contains("une même main"), "{why:?}");
    }
}

#[tokio::test]
async fn c3_1_7_nobody_finds_what_is_asked_about_themselves_while_it_waits() {
    for engine in engines() {
        let people = People::new(engine).await;
        let emma = people.someone(Employer::Departement, "emma", &[Role::Administrator]).await;
        let marie = people.someone(Employer::Departement, "marie", &[Role::Administrator]).await;
        let about = accounts::Named::Id(marie.0);
        let ask =
            accounts::ask_recovery(&people.fleet, &people.operator, about, "she lost both".into(), now());
        let id = ask.await.unwrap();
        let listed = async |by: &Principal| {
            let list =
                countersignatures::list(&people.fleet, by, Which::ToAnswer, Page::default(), now()).await;
            list.unwrap().items.iter().map(|line| line.id).collect::<Vec<_>>()
        };
        assert_eq!((listed(&emma.1).await, listed(&marie.1).await), (vec![id], vec![]));
        let shown = countersignatures::show(&people.fleet, &marie.1, id, now()).await;
        assert!(matches!(shown, Err(Refusal::NotFound { .. })), "{shown:?}");
    }
}

#[tokio::test]
async fn t_c1_a_request_that_is_not_ones_own_business_looks_as_if_it_did_not_exist() {
    for engine in engines() {
        let asked = Asked::new(engine).await;
        let college = Employer::College("0761234A".parse().unwrap());
        let head = asked.people.someone(college, "head", &[Role::Head]).await;
        assert!(matches!(asked.line(&head.1).await, Err(Refusal::NotFound { .. })));
        let answered = asked.answers(&head.1, Verdict::Give).await;
        assert!(matches!(answered, Err(Refusal::NotFound { .. })), "{answered:?}");
        // An auditor reads what was done, and has no part in it.
        let auditor = asked.people.someone(Employer::Departement, "auditor", &[Role::Auditor]).await;
        assert!(matches!(asked.line(&auditor.1).await, Err(Refusal::NotFound { .. })));
    }
}

#[tokio::test]
async fn t_c14_whoever_was_demoted_or_suspended_while_a_request_waits_gets_nothing_by_it() {
    for engine in engines() {
        // The asker loses the right: the request is over, and stays so when the right comes back.
        let asked = Asked::new(engine).await;
        let (fleet, camille) = (&asked.people.fleet, asked.people.camille);
        let emma = asked.people.someone(Employer::Departement, "emma", &[Role::Administrator]).await;
        let detail = accounts::show(fleet, &emma.1, accounts::Named::Id(camille), now()).await.unwrap();
        let role = detail.roles.iter().find(|role| role.role() == Role::Administrator).unwrap().id();
        roles::take_back(fleet, &emma.1, role, Some("moves on".into()), now()).await.unwrap();
        assert_eq!(
            why(asked.answers(&asked.denis.1, Verdict::Give).await),
            NotCountersigned::Ended { state: State::Void }
        );

        // The second person is suspended after they signed: nothing is done by their word, even once they are back.
        let asked = Asked::new(engine).await;
        let fleet = &asked.people.fleet;
        let emma = asked.people.someone(Employer::Departement, "emma", &[Role::Administrator]).await;
        asked.answers(&asked.denis.1, Verdict::Give).await.unwrap();
        let denis = || accounts::Named::Id(asked.denis.0);
        accounts::suspend(fleet, &emma.1, denis(), None, now()).await.unwrap();
        accounts::reopen(fleet, &emma.1, denis(), None, now()).await.unwrap();
        assert_eq!(why(asked.invites("anne.roy").await), NotCountersigned::Ended { state: State::Void });
    }
}

#[tokio::test]
async fn a_request_waits_a_week_a_signature_a_day_and_a_clock_set_back_opens_nothing() {
    for engine in engines() {
        let asked = Asked::new(engine).await;
        let fleet = &asked.people.fleet;
        let seen = asked.line(&asked.people.operator).await.unwrap().content_sha256;
        let at = async |when: types::Instant| {
            let denis = asked.people.session(asked.denis.0, when).await;
            let said = Said { verdict: Verdict::Give, seen, reason: None };
            countersignatures::answer(fleet, &denis, asked.id, said, when).await
        };
        let before = now().minus(Duration::from_secs(60));
        assert_eq!(why(at(before).await), NotCountersigned::InTheFuture { at: now() });
        assert_eq!(why(at(now().plus(days(7))).await), NotCountersigned::Ended { state: State::Expired });
        let signed = now().plus(days(7)).minus(Duration::from_millis(1));
        at(signed).await.unwrap();
        let used = async |when| invite(&asked.people, asked.academie, "anne.roy", asked.id, when).await;
        assert_eq!(why(used(now()).await), NotCountersigned::InTheFuture { at: signed });
        assert_eq!(why(used(signed.plus(days(1))).await), NotCountersigned::Stale { at: signed });
        used(signed.plus(Duration::from_secs(3_600))).await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_is_to_what_was_looked_at_and_a_refusal_says_why() {
    for engine in engines() {
        let asked = Asked::new(engine).await;
        let answer =
            |said| countersignatures::answer(&asked.people.fleet, &asked.denis.1, asked.id, said, now());
        let other = store::Digest::of(b"something else");
        let said = Said { verdict: Verdict::Give, seen: other, reason: None };
        assert_eq!(why(answer(said).await), NotCountersigned::NotSeen);
        let seen = asked.line(&asked.denis.1).await.unwrap().content_sha256;
        let said = Said { verdict: Verdict::Refuse, seen, reason: Some("  ".into()) };
        assert!(matches!(answer(said).await, Err(Refusal::Invalid { field: "reason", .. })));
        let said = Said { verdict: Verdict::Refuse, seen, reason: Some("who is she?".into()) };
        let refused = answer(said).await.unwrap();
        assert_eq!((refused.state, refused.answer_reason.as_deref()), (State::Refused, Some("who is she?")));
        assert_eq!(why(asked.invites("anne.roy").await), NotCountersigned::Ended { state: State::Refused });
    }
}

#[tokio::test]
async fn only_whoever_asked_takes_it_back_and_then_nobody_answers() {
    for engine in engines() {
        let asked = Asked::new(engine).await;
        let fleet = &asked.people.fleet;
        let theirs = countersignatures::withdraw(fleet, &asked.denis.1, asked.id, now()).await;
        assert_eq!(why(theirs), NotCountersigned::OtherParties);
        countersignatures::withdraw(fleet, &asked.people.operator, asked.id, now()).await.unwrap();
        assert_eq!(
            why(asked.answers(&asked.denis.1, Verdict::Give).await),
            NotCountersigned::Ended { state: State::Withdrawn }
        );
    }
}

#[tokio::test]
async fn t_c14_a_session_without_a_code_and_a_token_that_is_limited_sign_nothing() {
    for engine in engines() {
        let asked = Asked::new(engine).await;
        let store = asked.people.fleet.store();
        let session = people::session(store, asked.denis.0, people::CodeShown::Never, now()).await.unwrap();
        let without = identify(&asked.people.fleet, session.expose(), now()).await.unwrap();
        let refused = asked.answers(&without, Verdict::Give).await.unwrap_err();
        assert_eq!(refused.code(), "step-up");
        let token = people::token(store, asked.denis.0, Scope::Operate, None, now()).await.unwrap();
        let token = identify(&asked.people.fleet, token.expose(), now()).await.unwrap();
        let refused = asked.answers(&token, Verdict::Give).await.unwrap_err();
        assert_eq!(refused.code(), "step-up");
        assert_eq!(asked.line(&asked.denis.1).await.unwrap().state, State::Waiting);
    }
}

#[tokio::test]
async fn t_c1_a_token_that_is_limited_to_a_college_sees_no_request_beyond_it() {
    for engine in engines() {
        let asked = Asked::new(engine).await;
        let (store, only) = (asked.people.fleet.store(), ["0761234A".parse().unwrap()]);
        for account in [asked.denis.0, asked.people.camille] {
            let token = people::token(store, account, Scope::Operate, Some(only.clone().into()), now());
            let limited = identify(&asked.people.fleet, token.await.unwrap().expose(), now()).await.unwrap();
            assert!(matches!(asked.line(&limited).await, Err(Refusal::NotFound { .. })));
            for which in [Which::ToAnswer, Which::Asked] {
                let page = Page::default();
                let listed = countersignatures::list(&asked.people.fleet, &limited, which, page, now()).await;
                assert!(listed.unwrap().items.is_empty(), "{which:?}");
            }
        }
    }
}
