//! What follows from the register for people: the notice of information that they are given (C7.1; GDPR, art. 13), and the
//! skeleton of an impact assessment (GDPR, art. 35(7)), whose judgements a person writes. Both are Markdown, and say what is
//! stored today, like the register they are made of.

use super::said;
use crate::{Activity, Entry, Language, Register};

/// A document that is being written.
struct Document(String);

impl Document {
    fn titled(title: &str) -> Self {
        Self(format!("# {title}\n"))
    }

    fn heading(&mut self, title: &str) {
        self.0.push_str("\n## ");
        self.0.push_str(title);
        self.0.push('\n');
    }

    fn paragraph(&mut self, text: &str) {
        self.0.push('\n');
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// A line with what it is called; several values stand one below the other.
    fn line(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        let values: Vec<String> = values.into_iter().collect();
        match values.as_slice() {
            [] => {}
            [one] => self.0.push_str(&format!("\n**{name}.** {one}\n")),
            several => {
                self.0.push_str(&format!("\n**{name}**\n\n"));
                for value in several {
                    self.0.push_str(&format!("- {value}\n"));
                }
            }
        }
    }
}

impl Register {
    /// The notice of information (GDPR, art. 13): what is done with the data of those whom the tablets are lent to, in one
    /// language. Activities that store nothing are left out.
    #[must_use]
    pub fn notice(&self, language: Language) -> String {
        let mut notice = Document::titled(
            language.choose("Ce qui est fait de vos données", "What is done with your data"),
        );
        let controller = said::given(self.masthead.controller.as_ref(), language);
        let dpo = said::given(self.masthead.dpo.as_ref(), language);
        notice.line(language.choose("Responsable du traitement", "Controller"), [controller]);
        notice.line(language.choose("Délégué à la protection des données", "Data protection officer"), [dpo]);
        notice.line(language.choose("Établi le", "Drawn up on"), [said::date(self.at)]);
        for (entry, _status) in self.rows().filter(|(entry, _status)| !entry.stores_nothing()) {
            notice.heading(entry.activity().text().read(language));
            described(&mut notice, entry, language);
        }
        notice.heading(language.choose("Vos droits", "Your rights"));
        notice.paragraph(language.choose(
            "Vous pouvez demander à voir vos données, à les faire rectifier, à en limiter le traitement, à vous y opposer \
             pour des raisons tenant à votre situation, et à les faire effacer lorsque la loi le permet (RGPD, art. 15 à 21). \
             Pour un mineur, ses représentants légaux le demandent. Écrivez au délégué à la protection des données.",
            "You can ask to see your data, to have them corrected, to have their processing restricted, to object on grounds \
             of your situation, and to have them erased where the law allows it (GDPR, art. 15 to 21). For a minor, the \
             guardians ask. Write to the data protection officer.",
        ));
        notice.paragraph(language.choose(
            "Vous pouvez saisir la CNIL (www.cnil.fr) si vous estimez que vos droits ne sont pas respectés.",
            "You can complain to the supervisory authority, in France the CNIL (www.cnil.fr).",
        ));
        notice.paragraph(language.choose(
            "Aucune décision n'est prise par une machine seule, et aucun profil n'est dressé de vous. Ces données sont \
             nécessaires au prêt d'une tablette : sans elles, elle ne peut être prêtée qu'au collège, ou pas du tout.",
            "No decision is taken by a machine alone, and no profile is made of you. These data are needed to lend a tablet: \
             without them it can be lent in school only, or not at all.",
        ));
        notice.0
    }

    /// The skeleton of the impact assessment of one activity (GDPR, art. 35(7)): what the register knows stands in it; what a
    /// person must judge is asked. `None` for an activity that stores nothing: there is nothing to assess.
    #[must_use]
    pub fn assessment(&self, activity: Activity, language: Language) -> Option<String> {
        let (entry, status) = self.row(activity).filter(|(entry, _status)| !entry.stores_nothing())?;
        let name = activity.text().read(language);
        let of = language.choose("Analyse d'impact", "Impact assessment");
        let mut assessment = Document::titled(&format!("{of} — {name}"));
        let controller = said::given(self.masthead.controller.as_ref(), language);
        assessment.line(language.choose("Responsable du traitement", "Controller"), [controller]);
        assessment.line(language.choose("État", "Status"), [said::status(self, status, language)]);
        assessment.line(
            language.choose("Empreinte de l'entrée du registre", "Digest of the entry of the register"),
            [format!("`{}`", entry.digest())],
        );
        assessment.heading(language.choose("1. Description (art. 35(7)a)", "1. Description (art. 35(7)a)"));
        described(&mut assessment, entry, language);
        let columns = said::columns(entry).into_iter().map(|column| format!("`{column}`"));
        assessment.line(language.choose("Données conservées", "Data stored"), columns);
        let ask = |document: &mut Document, title: &str, questions: &[&str]| {
            document.heading(title);
            let open = language.choose("*à compléter*", "*to be written*");
            for question in questions {
                document.paragraph(&format!("**{question}** {open}"));
            }
        };
        ask(
            &mut assessment,
            language.choose(
                "2. Nécessité et proportionnalité (art. 35(7)b)",
                "2. Necessity and proportionality (art. 35(7)b)",
            ),
            language.choose(
                &[
                    "Pourquoi chaque donnée est-elle nécessaire à la finalité ?",
                    "Le même but peut-il être atteint avec moins de données, ou moins longtemps ?",
                    "Comment les personnes sont-elles informées, et comment exercent-elles leurs droits ?",
                ],
                &[
                    "Why does the purpose need each of these data?",
                    "Could the same be reached with fewer data, or for a shorter time?",
                    "How are people told, and how do they exercise their rights?",
                ],
            ),
        );
        ask(
            &mut assessment,
            language.choose("3. Risques (art. 35(7)c)", "3. Risks (art. 35(7)c)"),
            language.choose(
                &[
                    "Accès illégitime : qui, comment, quelle gravité, quelle vraisemblance ?",
                    "Modification non désirée : quelle gravité, quelle vraisemblance ?",
                    "Disparition : quelle gravité, quelle vraisemblance ?",
                ],
                &[
                    "Illegitimate access: who, how, how severe, how likely?",
                    "Unwanted change: how severe, how likely?",
                    "Disappearance: how severe, how likely?",
                ],
            ),
        );
        assessment.heading(language.choose("4. Mesures (art. 35(7)d)", "4. Measures (art. 35(7)d)"));
        let measures = entry.wording().measures.iter().map(|it| it.text().read(language).to_owned());
        assessment.line(language.choose("Ce qui est en place", "What is in place"), measures);
        ask(
            &mut assessment,
            language
                .choose("5. Avis et décision (art. 35(2), 36)", "5. Advice and decision (art. 35(2), 36)"),
            language.choose(
                &[
                    "Avis du délégué à la protection des données :",
                    "Avis des personnes concernées ou de leurs représentants :",
                    "Décision du responsable du traitement, risques qui demeurent :",
                ],
                &[
                    "Advice of the data protection officer:",
                    "Views of the people concerned or their representatives:",
                    "Decision of the controller, and the risks that remain:",
                ],
            ),
        );
        Some(assessment.0)
    }
}

/// What the register says of an activity, in the order in which people are told.
fn described(document: &mut Document, entry: &Entry, language: Language) {
    let wording = entry.wording();
    let read = |text: crate::Text| text.read(language).to_owned();
    document.line(language.choose("Pourquoi", "What for"), [read(wording.purpose)]);
    let basis = format!("{}. {}", read(wording.basis.text()), read(wording.because));
    document.line(language.choose("Base légale", "Legal basis"), [basis]);
    let people = wording.people.iter().map(|it| read(it.text()));
    document.line(language.choose("Personnes concernées", "People concerned"), people);
    let categories = wording.categories.iter().map(|it| read(it.text()));
    document.line(language.choose("Données", "Data"), categories);
    let recipients = wording.recipients.iter().map(|it| read(it.text()));
    document.line(language.choose("Qui les reçoit", "Who is given them"), recipients);
    document.line(
        language.choose("Hors de l'Union européenne", "Outside the European Union"),
        [read(wording.outside_the_union)],
    );
    let retention = entry.classes().into_iter().map(|class| said::retention(class, language));
    document.line(language.choose("Combien de temps", "For how long"), retention);
}
