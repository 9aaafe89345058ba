//! *Why is it pending?* One sentence for any command, decided from what is known of it and of its tablet.

use types::{Duration, Instant};

use crate::push::Trouble;

/// What decides the answer. Plain values: `commands::why` loads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Where the command stands.
    pub standing: Standing,
    /// When it was queued.
    pub queued_at: Instant,
    /// It is not offered before this instant.
    pub not_before: Option<Instant>,
    /// Whether the tablet can be reached at all.
    pub reach: Reach,
    /// When the tablet last spoke to us.
    pub last_seen: Option<Instant>,
}

/// Where a command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Waiting to be fetched.
    Queued,
    /// Fetched, not answered.
    Sent {
        /// When it was last handed over.
        at: Instant,
        /// How often it was handed over without an answer.
        times: u32,
        /// When it is handed over again at the earliest, if that is to come.
        again_at: Option<Instant>,
    },
    /// Fetched, not answered, and not offered again: its time passed, or a newer one replaced it.
    Late {
        /// When it was last handed over.
        at: Instant,
    },
    /// The tablet said NotNow.
    NotNow {
        /// When it last said so.
        at: Instant,
        /// How many times it has.
        times: u32,
    },
    /// Over, and how.
    Over(Ending),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The tablet acknowledged it.
    Acknowledged,
    /// The tablet answered with an error.
    Failed,
    /// Its time passed.
    Expired,
    /// Someone cancelled it, or a newer one replaced it.
    Cancelled,
    /// A restore, or the end of its order, made it void.
    Void,
}

/// What stands between us and the tablet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It is not enrolled, or no longer.
    NotEnrolled,
    /// It enrolled but has not sent its push token.
    NoPushToken,
    /// There is no push certificate.
    NoPushCertificate,
    /// The push certificate expired.
    PushCertificateExpired {
        /// When it did.
        at: Instant,
    },
    /// Apple no longer knows the tablet's push token.
    TokenInvalid {
        /// Since when.
        since: Instant,
    },
    /// It can be pushed, and has not been since the command was queued.
    NotPushed,
    /// It is not pushed for this in the quiet hours.
    Quiet {
        /// When they end.
        until: Instant,
    },
    /// Apple refused or could not take the push.
    PushFailing {
        /// Why.
        trouble: Trouble,
        /// When it is tried again; `None`: not by itself.
        next: Option<Instant>,
    },
    /// Apple accepted a push for it.
    Pushed {
        /// When.
        at: Instant,
    },
}

/// The answer: a code for programs, and a sentence for people in each language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// A stable code, such as `pushed-silent`.
    pub code: &'static str,
    /// The sentence in English.
    pub english: String,
    /// The sentence in French.
    pub french: String,
}

/// Decides why a command is where it is.
#[must_use]
pub fn why(facts: &Facts, now: Instant) -> Why {
    match facts.standing {
        Standing::Over(ending) => over(ending),
        Standing::NotNow { at, times } => {
            let (en, fr) = (elapsed_english(now.since(at)), elapsed_french(now.since(at)));
            let (times_en, times_fr) = if times > 1 {
                (format!(" ({times} times)"), format!(" ({times} fois)"))
            } else {
                Default::default()
            };
            answer(
                "not-now",
                format!(
                    "the tablet said NotNow {en} ago{times_en}, most often because it is locked; it is asked again when it comes back"
                ),
                format!(
                    "la tablette a répondu « pas maintenant » il y a {fr}{times_fr}, le plus souvent parce qu’elle est verrouillée ; la demande lui sera refaite à son retour"
                ),
            )
        }
        Standing::Sent { times, again_at: Some(again), .. } if again > now => answer(
            "parked",
            format!(
                "the tablet fetched it {times} times and never answered; others go first, and it is offered again from {again}"
            ),
            format!(
                "la tablette l’a reçue {times} fois sans jamais répondre ; les autres passent d’abord, et elle lui sera présentée de nouveau à partir du {again}"
            ),
        ),
        Standing::Sent { at, .. } => {
            let (en, fr) = (elapsed_english(now.since(at)), elapsed_french(now.since(at)));
            answer(
                "sent",
                format!(
                    "the tablet fetched it {en} ago and has not answered yet; it is offered again at its next connection"
                ),
                format!(
                    "la tablette l’a reçue il y a {fr} et n’a pas encore répondu ; elle lui sera présentée de nouveau à sa prochaine connexion"
                ),
            )
        }
        Standing::Late { at } => {
            let (en, fr) = (elapsed_english(now.since(at)), elapsed_french(now.since(at)));
            answer(
                "late",
                format!(
                    "the tablet fetched it {en} ago and has not answered; its time has passed or a newer one replaced it, so it is not offered again, and an answer still counts"
                ),
                format!(
                    "la tablette l’a reçue il y a {fr} et n’a pas répondu ; son délai est passé ou une plus récente l’a remplacée : elle ne lui sera plus présentée, mais une réponse compterait encore"
                ),
            )
        }
        Standing::Queued => match facts.not_before {
            Some(start) if start > now => answer(
                "not-before",
                format!("it is not due before {start}"),
                format!("elle n’est pas due avant le {start}"),
            ),
            _ => waiting(facts, now),
        },
    }
}

fn waiting(facts: &Facts, now: Instant) -> Why {
    match &facts.reach {
        Reach::NotEnrolled => answer(
            "not-enrolled",
            "the tablet is not enrolled; enrol it with a link or through automated enrolment".into(),
            "la tablette n’est pas enrôlée ; enrôlez-la par un lien ou par l’enrôlement automatisé".into(),
        ),
        Reach::NoPushToken => answer(
            "no-push-token",
            "the tablet has not sent its push token yet: its enrolment is not finished".into(),
            "la tablette n’a pas encore envoyé son jeton de notification : son enrôlement n’est pas terminé".into(),
        ),
        Reach::NoPushCertificate => answer(
            "no-push-certificate",
            "there is no push certificate, so the tablet cannot be woken; install one with `ardoise push-certificate set`".into(),
            "aucun certificat de notification n’est installé, la tablette ne peut être réveillée ; installez-en un avec `ardoise push-certificate set`".into(),
        ),
        Reach::PushCertificateExpired { at } => answer(
            "push-certificate-expired",
            format!("the push certificate expired on {at}; renew it with the same Apple Account, then install it with `ardoise push-certificate set`"),
            format!("le certificat de notification a expiré le {at} ; renouvelez-le avec le même compte Apple, puis installez-le avec `ardoise push-certificate set`"),
        ),
        Reach::TokenInvalid { since } => answer(
            "push-token-invalid",
            format!("Apple has refused the tablet’s push token since {since}: it was erased, or left management; it is served if it comes by itself"),
            format!("Apple refuse le jeton de notification de la tablette depuis le {since} : elle a été effacée ou n’est plus gérée ; elle sera servie si elle revient d’elle-même"),
        ),
        Reach::NotPushed => answer(
            "not-pushed",
            "the tablet has not been pushed yet".into(),
            "la tablette n’a pas encore été notifiée".into(),
        ),
        Reach::Quiet { until } => answer(
            "quiet-hours",
            format!("it is not urgent, and tablets are not woken in the quiet hours: it is pushed after {until}, or served when the tablet comes by itself"),
            format!("elle n’est pas urgente, et les tablettes ne sont pas réveillées aux heures calmes : la notification partira après le {until}, à moins que la tablette ne revienne d’elle-même"),
        ),
        Reach::PushFailing { trouble, next } => failing(trouble, *next),
        Reach::Pushed { at } => {
            let silent_since = facts.last_seen.unwrap_or(facts.queued_at);
            let silence = now.since(silent_since);
            answer(
                "pushed-silent",
                format!("pushed {} ago; the tablet has been silent for {}", elapsed_english(now.since(*at)), elapsed_english(silence)),
                format!("notifiée il y a {} ; la tablette est silencieuse depuis {}", elapsed_french(now.since(*at)), elapsed_french(silence)),
            )
        }
    }
}

/// Apple did not take the push: why, and who does what next.
fn failing(trouble: &Trouble, next: Option<Instant>) -> Why {
    let (code, english, french) = match trouble {
        Trouble::Throttled => (
            "push-failing",
            "Apple asks to wait before this tablet is pushed again".to_owned(),
            "Apple demande d’attendre avant de notifier de nouveau cette tablette".to_owned(),
        ),
        Trouble::Unavailable(reason) => (
            "push-failing",
            format!("Apple’s push service did not take the push ({reason})"),
            format!("le service de notification d’Apple n’a pas pris la notification ({reason})"),
        ),
        Trouble::CertificateRefused(reason) => (
            "push-certificate-refused",
            format!(
                "Apple refuses the push certificate ({reason}); renew it with the same Apple Account, then install it with `ardoise push-certificate set`"
            ),
            format!(
                "Apple refuse le certificat de notification ({reason}) ; renouvelez-le avec le même compte Apple, puis installez-le avec `ardoise push-certificate set`"
            ),
        ),
        Trouble::Rejected(reason) => (
            "push-rejected",
            format!(
                "Apple rejects the push itself ({reason}), which should never happen: tell whoever maintains Ardoise; the tablet is served if it comes by itself"
            ),
            format!(
                "Apple rejette la notification elle-même ({reason}), ce qui ne devrait jamais arriver : signalez-le à qui maintient Ardoise ; la tablette sera servie si elle revient d’elle-même"
            ),
        ),
    };
    match next {
        Some(next) => answer(
            code,
            format!("{english}; it is tried again at {next}"),
            format!("{french} ; un nouvel essai aura lieu le {next}"),
        ),
        None => answer(code, english, french),
    }
}

fn over(ending: Ending) -> Why {
    let (code, english, french) = match ending {
        Ending::Acknowledged => (
            "acknowledged",
            "it is done: the tablet acknowledged it",
            "elle est faite : la tablette l’a confirmée",
        ),
        Ending::Failed => (
            "failed",
            "the tablet answered with an error, shown beside the command",
            "la tablette a répondu par une erreur, affichée avec la commande",
        ),
        Ending::Expired => (
            "expired",
            "its time passed before the tablet fetched it",
            "son délai est passé avant que la tablette ne la reçoive",
        ),
        Ending::Cancelled => (
            "cancelled",
            "it was cancelled, or replaced by a newer one",
            "elle a été annulée, ou remplacée par une plus récente",
        ),
        Ending::Void => (
            "void",
            "it was made void by a restore, or by the end of what it rested on",
            "elle a été rendue caduque par une restauration, ou par la fin de ce qui la fondait",
        ),
    };
    answer(code, english.into(), french.into())
}

fn answer(code: &'static str, english: String, french: String) -> Why {
    Why { code, english, french }
}

fn elapsed_english(span: Duration) -> String {
    elapsed(span, ["second", "minute", "hour", "day"])
}

fn elapsed_french(span: Duration) -> String {
    elapsed(span, ["seconde", "minute", "heure", "jour"])
}

/// The largest whole unit: `12 days`, `1 hour`.
fn elapsed(span: Duration, [second, minute, hour, day]: [&str; 4]) -> String {
    let seconds = span.as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, second),
        60..3_600 => (seconds / 60, minute),
        3_600..86_400 => (seconds / 3_600, hour),
        _ => (seconds / 86_400, day),
    };
    let plural = if count > 1 { "s" } else { "" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn at(day: i64) -> Instant {
        Instant::from_millis(1_790_000_000_000 + day * DAY)
    }

    fn queued(reach: Reach, last_seen: Option<Instant>) -> Facts {
        Facts { standing: Standing::Queued, queued_at: at(0), not_before: None, reach, last_seen }
    }

    #[test]
    fn every_wait_is_answered_in_one_sentence() {
        let cases = [
            (queued(Reach::NotEnrolled, None), "not-enrolled", "not enrolled"),
            (queued(Reach::NoPushToken, None), "no-push-token", "push token"),
            (queued(Reach::NoPushCertificate, None), "no-push-certificate", "no push certificate"),
            (
                queued(Reach::PushCertificateExpired { at: at(-1) }, None),
                "push-certificate-expired",
                "expired on",
            ),
            (queued(Reach::TokenInvalid { since: at(1) }, None), "push-token-invalid", "refused"),
            (queued(Reach::NotPushed, None), "not-pushed", "not been pushed yet"),
            (
                queued(Reach::PushFailing { trouble: Trouble::Throttled, next: Some(at(13)) }, None),
                "push-failing",
                "tried again",
            ),
            (
                queued(
                    Reach::PushFailing {
                        trouble: Trouble::Unavailable("no route".into()),
                        next: Some(at(13)),
                    },
                    None,
                ),
                "push-failing",
                "(no route); it is tried again",
            ),
            (
                queued(
                    Reach::PushFailing {
                        trouble: Trouble::CertificateRefused("BadCertificate".into()),
                        next: Some(at(13)),
                    },
                    None,
                ),
                "push-certificate-refused",
                "same Apple Account",
            ),
            (
                queued(
                    Reach::PushFailing {
                        trouble: Trouble::Rejected("413 PayloadTooLarge".into()),
                        next: None,
                    },
                    None,
                ),
                "push-rejected",
                "413 PayloadTooLarge",
            ),
            (queued(Reach::Pushed { at: at(0) }, Some(at(0))), "pushed-silent", "silent for 12 days"),
            (
                Facts {
                    standing: Standing::NotNow { at: at(11), times: 3 },
                    ..queued(Reach::NotPushed, None)
                },
                "not-now",
                "NotNow 1 day ago (3 times)",
            ),
            (
                Facts {
                    standing: Standing::Sent { at: at(12), times: 1, again_at: None },
                    ..queued(Reach::NotPushed, None)
                },
                "sent",
                "fetched it",
            ),
            (
                Facts {
                    standing: Standing::Sent { at: at(11), times: 6, again_at: Some(at(13)) },
                    ..queued(Reach::NotPushed, None)
                },
                "parked",
                "6 times and never answered",
            ),
            (
                Facts { standing: Standing::Late { at: at(11) }, ..queued(Reach::NotPushed, None) },
                "late",
                "fetched it 1 day ago",
            ),
            (
                Facts { not_before: Some(at(20)), ..queued(Reach::NotPushed, None) },
                "not-before",
                "not due before",
            ),
        ];
        for (facts, code, words) in cases {
            let why = why(&facts, at(12));
            assert_eq!(why.code, code);
            assert!(why.english.contains(words), "{}", why.english);
            assert!(!why.french.is_empty() && !why.english.contains('\n'));
        }
    }

    #[test]
    fn a_command_that_is_over_says_how_it_ended() {
        for (ending, code) in [
            (Ending::Acknowledged, "acknowledged"),
            (Ending::Failed, "failed"),
            (Ending::Expired, "expired"),
            (Ending::Cancelled, "cancelled"),
            (Ending::Void, "void"),
        ] {
            let facts = Facts { standing: Standing::Over(ending), ..queued(Reach::NotEnrolled, None) };
            assert_eq!(why(&facts, at(1)).code, code);
        }
    }
}
