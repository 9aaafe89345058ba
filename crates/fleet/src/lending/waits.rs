//! Why a restitution is where it is, and what to do: one sentence in each language, decided from what is known.

use std::collections::{BTreeMap, BTreeSet};

use lending::notice::Told;
use lending::{EraseTerms, Grounds, NotErased, Present, grant};
use store::commands::{Command, CommandState};
use store::destructions::{self, Destruction, DestructionState};
use store::restitutions::{Restitution, StageName};
use store::{StoreError, Tx, commands, erase_orders, return_profiles};
use types::{DestructionKind, EnrolmentId, EraseOrderId, Instant, LoanId, TabletId};

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

/// What is known of restitutions, gathered for all that are shown: as many statements for one as for many.
#[derive(Debug, Default)]
pub(super) struct Known {
    told: BTreeMap<LoanId, Told>,
    present: BTreeMap<TabletId, Present>,
    given: BTreeSet<EraseOrderId>,
    counted: BTreeMap<String, Destruction>,
    came_back: BTreeMap<EraseOrderId, EnrolmentId>,
    last_commands: BTreeMap<EraseOrderId, Command>,
}

impl Known {
    /// Gathers it.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub(super) fn of<'r>(
        tx: &mut Tx<'_>,
        rows: impl Iterator<Item = &'r Restitution> + Clone,
    ) -> Result<Self, StoreError> {
        let received = rows.clone().filter(|row| row.stage == StageName::Received);
        let ordered = rows.filter(|row| matches!(row.stage, StageName::Ordered | StageName::Delivered));
        let orders: Vec<EraseOrderId> = ordered.clone().filter_map(|row| row.order_id).collect();
        let came_back: BTreeMap<_, _> = return_profiles::of_orders(tx, orders.iter().copied())?
            .into_iter()
            .map(|profile| (profile.order_id, profile.enrolment_id))
            .collect();
        let mut last_commands = BTreeMap::new();
        for command in commands::of_erase_orders(tx, orders)? {
            if let Some(order) = command.erase_order_id {
                last_commands.insert(order, command);
            }
        }
        let loans: Vec<_> = received.clone().map(|row| (row.loan_id, row.saved_at)).collect();
        let under_order =
            ordered.filter(|row| row.order_id.is_some_and(|order| came_back.contains_key(&order)));
        let tablets: Vec<_> = received.clone().chain(under_order).map(|row| row.tablet_id).collect();
        let counted: Vec<_> = received.map(|row| row.counted_order_id).collect();
        let given = erase_orders::get_all(tx, counted.iter().copied())?;
        let references = counted.iter().map(ToString::to_string);
        Ok(Self {
            told: erase_orders::told_all(tx, &loans)?,
            present: erase_orders::present_all(tx, &tablets)?,
            given: given.into_iter().map(|order| order.id).collect(),
            counted: destructions::by_references(tx, DestructionKind::Erase, references)?,
            came_back,
            last_commands,
        })
    }

    /// What a restitution waits for that was among those it was gathered for.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub(super) fn waits(
        &self,
        row: &Restitution,
        terms: &EraseTerms,
        now: Instant,
    ) -> Result<Waits, StoreError> {
        match row.stage {
            StageName::Received => self.received(row, terms, now),
            StageName::Ordered | StageName::Delivered => Ok(self.under_order(row)),
            StageName::Acknowledged => Ok(answer(
                "to-come-back",
                "the tablet said that it erases itself; it is empty once it has enrolled again as only an erased tablet \
                 does, or a technician attests it",
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

    fn received(&self, row: &Restitution, terms: &EraseTerms, now: Instant) -> Result<Waits, StoreError> {
        let missing = |column| StoreError::Corrupt { table: "restitutions", row: row.id.to_string(), column };
        let told = self.told.get(&row.loan_id).ok_or_else(|| missing("loan_id"))?;
        let present = self.present.get(&row.tablet_id).ok_or_else(|| missing("tablet_id"))?;
        let decided = row.decided()?;
        let grounds = Grounds::Restitution(&decided, told);
        if let Err(why) = grant(row.counted_order_id, &grounds, present, terms, now) {
            return Ok(not_granted(&why));
        }
        if self.given.contains(&row.counted_order_id) {
            return Ok(answer(
                "order-ended",
                "its order ended before the tablet was proven empty: order the erasure again, which counts against you",
                "son ordre a pris fin avant que l’effacement soit prouvé : ordonnez-le de nouveau, à votre compte",
            )
            .by_hand());
        }
        let counted = self.counted.get(&row.counted_order_id.to_string());
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

    fn under_order(&self, row: &Restitution) -> Waits {
        let Some(order) = row.order_id else { return answer("over", "it is over", "elle est terminée") };
        let enrolled = self.present.get(&row.tablet_id).and_then(|present| present.enrolment);
        if let Some(back) = self.came_back.get(&order)
            && enrolled == Some(*back)
        {
            return answer(
                "came-back",
                "the tablet came back as an erased one does, but its answer was lost: look at it, and attest that it is empty",
                "la tablette est revenue comme une tablette effacée, mais sa réponse s’est perdue : regardez-la et attestez \
                 qu’elle est vide",
            )
            .by_hand();
        }
        match self.last_commands.get(&order) {
            None => answer(
                "not-enrolled",
                "the tablet was not enrolled when its erasure was ordered: erase it by hand, and attest it",
                "la tablette n’était pas inscrite quand son effacement a été ordonné : effacez-la à la main et attestez-le",
            )
            .by_hand(),
            Some(last) => by_its_command(last),
        }
    }
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
