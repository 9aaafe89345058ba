//! The register as one page that needs nothing else: to be read on a screen, by a screen reader, or on paper.
//!
//! Markup comes from this file alone (`&'static str`); whatever else is written goes through [`Page::text`],
//! which escapes it (T-C9). The page forbids itself scripts and every request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use types::Digest;

use super::said;
use crate::{Entry, Gate, Language, Register, Status};

/// Dark on light well above the contrast that WCAG 2.2 AA asks for; nothing is said by colour alone.
const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#1b1b1b;\
background:#fff}h1,h2{line-height:1.2}h2{border-top:2px solid #1b1b1b;padding-top:1rem;margin-top:2.5rem}\
a{color:#003a8c}table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:600;padding:.5rem 0}\
th,td{border:1px solid #767676;padding:.4rem .6rem;text-align:left;vertical-align:top}th{background:#f2f2f2}\
th[scope=row]{width:14rem}ul{margin:0;padding-left:1.2rem}code{overflow-wrap:anywhere}\
@media print{h2{break-before:page}a{color:inherit}}";

/// The policy under which the page shows as it should, for whoever serves it: no script, no request, one style.
/// The page states it too, for whoever opens the file.
#[must_use]
pub fn content_security_policy() -> String {
    let hash = STANDARD.encode(Digest::of(STYLE.as_bytes()).as_bytes());
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

/// A page that is being written.
pub(super) struct Page(String);

impl Page {
    /// Markup, which only the program writes.
    pub(super) fn markup(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, whoever wrote it.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                letter => self.0.push(letter),
            }
        }
        self
    }

    /// One line of a table with a header of its own.
    pub(super) fn line(&mut self, header: &'static str, text: &str) {
        self.markup("<tr><th scope=\"row\">")
            .text(header)
            .markup("</th><td>")
            .text(text)
            .markup("</td></tr>\n");
    }

    /// The same, with several values.
    fn list(&mut self, header: &'static str, none: &str, values: impl IntoIterator<Item = String>) {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return self.line(header, none);
        }
        self.markup("<tr><th scope=\"row\">").text(header).markup("</th><td><ul>");
        for value in values {
            self.markup("<li>").text(&value).markup("</li>");
        }
        self.markup("</ul></td></tr>\n");
    }

    /// The whole page.
    pub(super) fn ended(mut self) -> String {
        self.markup("</main>\n</body>\n</html>\n");
        self.0
    }
}

/// A page with its head, up to its title.
pub(super) fn begun(title: &str, language: Language) -> Page {
    let mut page = Page(String::with_capacity(32 * 1024));
    page.markup("<!doctype html>\n<html lang=\"").text(language.tag());
    page.markup(
        "\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n",
    );
    page.markup("<meta http-equiv=\"Content-Security-Policy\" content=\"").text(&content_security_policy());
    page.markup("\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>").text(title);
    page.markup("</title>\n<style>")
        .markup(STYLE)
        .markup("</style>\n</head>\n<body>\n<main>\n<h1>")
        .text(title);
    page.markup("</h1>\n");
    page
}

impl Register {
    /// The register as one page, in one language.
    #[must_use]
    pub fn to_html(&self, language: Language) -> String {
        let title =
            language.choose("Registre des activités de traitement", "Register of processing activities");
        let mut page = begun(title, language);
        self.masthead_lines(&mut page, language);
        self.contents(&mut page, language);
        for (entry, status) in self.rows() {
            self.entry(&mut page, entry, status, language);
        }
        page.ended()
    }

    fn masthead_lines(&self, page: &mut Page, language: Language) {
        page.markup("<table>\n<caption>")
            .text(language.choose("Tenue du registre", "Who keeps the register"));
        page.markup("</caption>\n<tbody>\n");
        let controller = said::given(self.masthead.controller.as_ref(), language);
        page.line(language.choose("Responsable du traitement", "Controller"), &controller);
        let dpo = said::given(self.masthead.dpo.as_ref(), language);
        page.line(language.choose("Délégué à la protection des données", "Data protection officer"), &dpo);
        page.line(language.choose("Établi le", "Drawn up at"), &self.at.to_string());
        page.markup("</tbody>\n</table>\n");
    }

    fn contents(&self, page: &mut Page, language: Language) {
        let label = language.choose("Activités", "Activities");
        page.markup("<nav aria-label=\"").text(label).markup("\">\n<ul>\n");
        for (entry, status) in self.rows() {
            page.markup("<li><a href=\"#").text(entry.activity().code()).markup("\">");
            page.text(entry.activity().text().read(language)).markup("</a> (");
            page.text(short_status(status, language)).markup(")</li>\n");
        }
        page.markup("</ul>\n</nav>\n");
    }

    fn entry(&self, page: &mut Page, entry: &Entry, status: &Status, language: Language) {
        let wording = entry.wording();
        let read = |text: crate::Text| text.read(language).to_owned();
        let none = language.choose("rien n'est conservé", "nothing stored");
        let name = entry.activity().text().read(language);
        page.markup("<section aria-labelledby=\"").text(entry.activity().code()).markup("\">\n<h2 id=\"");
        page.text(entry.activity().code()).markup("\">").text(name).markup("</h2>\n<table>\n<caption>");
        page.text(language.choose("Entrée du registre", "Entry of the register"))
            .markup("</caption>\n<tbody>\n");
        page.line(language.choose("État", "Status"), &said::status(self, status, language));
        if let Gate::FromTheStart(why) = wording.gate {
            page.line(
                language.choose("Pourquoi dès l'installation", "Why from the start"),
                why.read(language),
            );
        }
        page.line(language.choose("Finalité", "Purpose"), wording.purpose.read(language));
        let basis = format!("{}. {}", wording.basis.text().read(language), wording.because.read(language));
        page.line(language.choose("Base légale", "Legal basis"), &basis);
        let parties = wording.parties.iter().map(|it| read(it.text()));
        page.list(language.choose("Responsables", "Who answers"), none, parties);
        let people = wording.people.iter().map(|it| read(it.text()));
        page.list(language.choose("Personnes concernées", "People concerned"), none, people);
        let categories = wording.categories.iter().map(|it| read(it.text()));
        page.list(language.choose("Catégories de données", "Categories of data"), none, categories);
        let recipients = wording.recipients.iter().map(|it| read(it.text()));
        page.list(language.choose("Destinataires", "Recipients"), none, recipients);
        page.line(
            language.choose("Transferts hors de l'Union", "Transfers outside the Union"),
            wording.outside_the_union.read(language),
        );
        let retention = entry.classes().into_iter().map(|class| {
            format!("{}. {}", said::retention(class, language), class.rule().because.read(language))
        });
        page.list(language.choose("Durées de conservation", "Retention"), none, retention);
        let measures = wording.measures.iter().map(|it| read(it.text()));
        page.list(language.choose("Mesures de sécurité", "Security measures"), none, measures);
        page.line(
            language.choose("Empreinte de l'entrée", "Digest of the entry"),
            &entry.digest().to_string(),
        );
        page.markup("</tbody>\n</table>\n");
        stored(page, entry, language);
        page.markup("</section>\n");
    }
}

fn stored(page: &mut Page, entry: &Entry, language: Language) {
    if entry.stores_nothing() {
        page.markup("<p>");
        page.text(
            language
                .choose("Rien n'est conservé pour cette activité.", "Nothing is stored for this activity."),
        );
        page.markup("</p>\n");
        return;
    }
    page.markup("<table>\n<caption>").text(language.choose("Données conservées", "Data stored"));
    page.markup("</caption>\n<thead>\n<tr>");
    for header in language.choose(
        ["Table et colonne", "Catégorie", "Classe de conservation"],
        ["Table and column", "Category", "Class of retention"],
    ) {
        page.markup("<th scope=\"col\">").text(header).markup("</th>");
    }
    page.markup("</tr>\n</thead>\n<tbody>\n");
    for column in entry.columns() {
        page.markup("<tr><td><code>").text(column.table).markup(".").text(column.column);
        page.markup("</code></td><td>").text(column.category.text().read(language));
        page.markup("</td><td>").text(column.class.text().read(language)).markup("</td></tr>\n");
    }
    page.markup("</tbody>\n</table>\n");
}

fn short_status(status: &Status, language: Language) -> &'static str {
    match status {
        Status::NothingStored => language.choose("rien n'est conservé", "nothing stored"),
        Status::FromTheStart(Ok(_)) => language.choose("en service, validée", "on, validated"),
        Status::FromTheStart(Err(_)) => language.choose("en service, à valider", "on, to be validated"),
        Status::On(_) => language.choose("en service", "on"),
        Status::Off(_) => language.choose("arrêtée", "off"),
    }
}
