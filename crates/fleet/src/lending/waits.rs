//! Why a restitution is where it is, and what to do: one sentence in each language, decided from what is known.

use lending::{EraseTerms, Grounds, NotErased, grant};
use store::commands::{Command, CommandState};
use store::destructions::{self, DestructionState};
use store::restitutions::{Restitution, StageName};
use store::{StoreError, Tx, commands, erase_orders, return_profiles};
use types::{DestructionKind, Instant};

use crate::why::Why;

/// What a restitution waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// For what, in words.
    pub why: Why,
    /// Until when, if that is known.
    pub until: Option<Instant>,
    /// Whether it goes on only by somebody's hand.
    pub by_hand: bool,
}

fn answer(code: &'static str, english: impl Into<String>, french: impl Into<String>) -> Waits {
    Waits { why: Why { code, english: english.into(), french: french.into() }, until: None, by_hand: false }
}

impl Waits {
    fn until(mut self, instant: Instant) -> Self {
        self.until = Some(instant);
        self
    }

    fn by_hand(mut self) -> Self {
        self.by_hand = true;
        self
    }
}

/// What this restitution waits for.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(super) fn of(
    tx: &mut Tx<'_>,
    row: &Restitution,
    terms: &EraseTerms,
    now: Instant,
) -> Result<Waits, StoreError> {
    match row.stage {
        StageName::Received => received(tx, row, terms, now),
        StageName::Ordered | StageName::Delivered => under_order(tx, row),
        StageName::Acknowledged => Ok(answer(
            "to-come-back",
            "the tablet said that it erases itself; it is empty once it has enrolled again as only an erased tablet does, or \
             a technician attests it",
            "la tablette a répondu qu’elle s’efface ; elle est vide quand elle s’est réinscrite comme seule le fait une \
             tablette effacée, ou quand un technicien l’atteste",
        )),
        StageName::Erased => Ok(answer(
            "to-be-shelved",
            "it is proven empty: put it into stock, or into repair",
            "son effacement est prouvé : mettez-la en stock ou en réparation",
        )
        .by_hand()),
        StageName::InStock | StageName::InRepair | StageName::Undone => {
            Ok(answer("over", "it is over", "elle est terminée"))
        }
    }
}

fn received(
    tx: &mut Tx<'_>,
    row: &Restitution,
    terms: &EraseTerms,
    now: Instant,
) -> Result<Waits, StoreError> {
    let told = erase_orders::told(tx, row.loan_id, row.saved_at)?;
    let present = erase_orders::present(tx, row.tablet_id)?;
    let decided = row.decided()?;
    let grounds = Grounds::Restitution(&decided, &told);
    if let Err(why) = grant(row.counted_order_id, &grounds, &present, terms, now) {
        return Ok(not_granted(&why));
    }
    if erase_orders::get(tx, &row.counted_order_id)?.is_some() {
        return Ok(answer(
            "order-ended",
            "its order ended before the tablet was proven empty: order the erasure again, which counts against you",
            "son ordre a pris fin avant que l’effacement soit prouvé : ordonnez-le de nouveau, à votre compte",
        )
        .by_hand());
    }
    let counted = destructions::by_reference(tx, DestructionKind::Erase, &row.counted_order_id.to_string())?;
    Ok(match counted.map(|counted| counted.state) {
        Some(DestructionState::Counted | DestructionState::Released) => answer(
            "to-be-ordered",
            "the calendar orders its erasure now",
            "le calendrier ordonne son effacement",
        ),
        Some(DestructionState::Held) => answer(
            "second-person",
            "its erasure is above the budgets of the day, and waits for a second person of the département (M5)",
            "son effacement dépasse les quotas du jour et attend une seconde personne du département (M5)",
        )
        .by_hand(),
        Some(DestructionState::Void) | None => answer(
            "not-counted",
            "the brake has not counted its erasure, or a second person refused it: order it by hand (M5)",
            "le frein n’a pas compté son effacement, ou une seconde personne l’a refusé : ordonnez-le à la main (M5)",
        )
        .by_hand(),
    })
}

fn not_granted(why: &NotErased) -> Waits {
    let english = why.to_string();
    match why {
        NotErased::SecondThoughts(until) => answer(
            "second-thoughts",
            english,
            format!("la réception vient d’être saisie et peut être annulée ; l’effacement est possible à partir du {until}"),
        )
        .until(*until),
        NotErased::WithinNotice(until) => answer(
            "within-notice",
            english,
            format!("la personne a jusqu’au {until} pour sauvegarder ses données, sauf si elle confirme que c’est fait"),
        )
        .until(*until),
        NotErased::NotTold => answer(
            "not-told",
            english,
            "aucun avis n’est parvenu à la personne : envoyez-en un, remettez la lettre, ou notez que les données sont sauvegardées",
        )
        .by_hand(),
        NotErased::Held(_) => answer(
            "held",
            english,
            "la tablette est gardée en l’état : un sinistre, une vérification ou une demande d’une autorité est en cours",
        )
        .by_hand(),
        NotErased::Lent(_) => {
            answer("lent", english, "la tablette est prêtée : un ordre ne survit jamais à son prêt").by_hand()
        }
        _ => answer("not-granted", english, "l’effacement ne peut pas être ordonné en l’état").by_hand(),
    }
}

fn under_order(tx: &mut Tx<'_>, row: &Restitution) -> Result<Waits, StoreError> {
    let Some(order) = row.order_id else { return Ok(answer("over", "it is over", "elle est terminée")) };
    let came_back = return_profiles::of_order(tx, order)?.map(|profile| profile.enrolment_id);
    if let Some(back) = came_back
        && erase_orders::present(tx, row.tablet_id)?.enrolment == Some(back)
    {
        return Ok(answer(
            "came-back",
            "the tablet came back as an erased one does, but its answer was lost: look at it, and attest that it is empty",
            "la tablette est revenue comme une tablette effacée, mais sa réponse s’est perdue : regardez-la et attestez \
             qu’elle est vide",
        )
        .by_hand());
    }
    let queued = commands::of_erase_order(tx, order)?;
    Ok(match queued.last() {
        None => answer(
            "not-enrolled",
            "the tablet was not enrolled when its erasure was ordered: erase it by hand, and attest it",
            "la tablette n’était pas inscrite quand son effacement a été ordonné : effacez-la à la main et attestez-le",
        )
        .by_hand(),
        Some(last) => by_its_command(last),
    })
}

fn by_its_command(last: &Command) -> Waits {
    match last.state {
        CommandState::Queued => answer(
            "to-connect",
            "the tablet has not connected since its erasure was ordered: switch it on near its network",
            "la tablette ne s’est pas connectée depuis que son effacement a été ordonné : allumez-la près de son réseau",
        ),
        CommandState::Sent | CommandState::NotNow | CommandState::Acknowledged => answer(
            "to-answer",
            "the tablet was given the command, and has not answered yet",
            "la tablette a reçu la commande et n’a pas encore répondu",
        ),
        CommandState::Failed => {
            let words =
                last.error.as_ref().and_then(|error| error.pointer("/words")?.as_str().map(str::to_owned));
            let words = words.unwrap_or_default();
            answer(
                "failed",
                format!("the tablet could not be erased ({words}): order it again, or erase it by hand and attest it"),
                format!("la tablette n’a pas pu être effacée ({words}) : ordonnez-le de nouveau, ou effacez-la à la main et attestez-le"),
            )
            .by_hand()
        }
        CommandState::Expired | CommandState::Cancelled | CommandState::Void => answer(
            "called-off",
            "its command was called off: order it again, or erase it by hand and attest it",
            "sa commande a été annulée : ordonnez-la de nouveau, ou effacez-la à la main et attestez-le",
        )
        .by_hand(),
    }
}
