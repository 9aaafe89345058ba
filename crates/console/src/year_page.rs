//! The report of a school year as a page to print (C6.1): what a head signs and sends. Counts, never names; it needs nothing
//! but itself, and forbids itself scripts and every request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use types::{Day, Digest};

use crate::language::Language;
use crate::lending_reports::FiguresView;

/// Dark on light; nothing is said by colour. Each collège begins a sheet.
const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:48rem;margin:0 auto;padding:1rem;color:#1b1b1b;\
background:#fff}table{border-collapse:collapse;width:100%}th,td{border:1px solid #767676;padding:.4rem .6rem;text-align:left}\
td{text-align:right;width:8rem}footer{margin-top:3rem;display:flex;justify-content:space-between}\
@media print{section{break-after:page}}";

/// The policy under which the page shows as it should.
pub(crate) fn content_security_policy() -> String {
    let hash = STANDARD.encode(Digest::of(STYLE.as_bytes()).as_bytes());
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

/// The page: one section for each collège.
pub(crate) fn render(lines: &[FiguresView], language: Language, on: Day) -> String {
    let title = language.choose("Annual report on tablets", "Rapport annuel sur les tablettes");
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"referrer\" \
         content=\"no-referrer\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n",
        language.tag()
    );
    if lines.is_empty() {
        let none =
            language.choose("There is no collège to report on.", "Aucun collège sur lequel rendre compte.");
        page.push_str(&format!("<p>{none}</p>\n"));
    }
    for line in lines {
        section(&mut page, line, (title, language), on);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn section(page: &mut String, line: &FiguresView, (title, language): (&str, Language), on: Day) {
    let year = language.choose("School year", "Année scolaire");
    page.push_str(&format!(
        "<section>\n<h1>{title}</h1>\n<p>{} ({})<br>{year} {}</p>\n<table>\n<tbody>\n",
        escaped(&line.college),
        escaped(&line.uai),
        escaped(&line.school_year)
    ));
    for (english, french, count) in [
        ("Tablets of the inventory", "Tablettes à l’inventaire", line.tablets),
        ("of these, managed", "dont gérées à distance", line.managed),
        ("of these, seen within seven days", "dont vues depuis sept jours", line.seen_lately),
        ("People on the validated list", "Personnes sur la liste validée", line.listed),
        ("Loans that began", "Prêts commencés", line.loans_begun),
        ("Loans that go on", "Prêts en cours", line.loans_going_on),
        ("Loans that ended", "Prêts terminés", line.loans_ended),
        ("Tablets given back", "Tablettes rendues", line.returns),
        ("of these, in time", "dont à temps", line.returns_on_time),
        ("Incidents declared", "Sinistres déclarés", line.incidents),
    ] {
        let what = language.choose(english, french);
        page.push_str(&format!("<tr><th scope=\"row\">{what}</th><td>{count}</td></tr>\n"));
    }
    let availability = match (line.seen_lately * 100).checked_div(line.managed) {
        None => "—".to_owned(),
        Some(percent) => format!("{percent} %"),
    };
    let what = language.choose("Availability", "Disponibilité");
    page.push_str(&format!("<tr><th scope=\"row\">{what}</th><td>{availability}</td></tr>\n"));
    let uses = language.choose(
        "Digital uses (to be completed by the head)",
        "Usages numériques (à compléter par le chef d’établissement)",
    );
    let (dated, head) =
        (language.choose("Drawn up on", "Établi le"), language.choose("The head", "Le chef d’établissement"));
    page.push_str(&format!(
        "</tbody>\n</table>\n<h2>{uses}</h2>\n<p>&nbsp;</p>\n<footer><span>{dated} {on}</span><span>{head}</span></footer>\n\
         </section>\n"
    ));
}

/// A name that somebody wrote, as text (T-C9).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(college: &str) -> FiguresView {
        FiguresView {
            uai: "0761234A".to_owned(),
            college: college.to_owned(),
            school_year: "2026-2027".to_owned(),
            tablets: 30,
            managed: 28,
            seen_lately: 21,
            listed: 27,
            loans_begun: 26,
            loans_going_on: 20,
            loans_ended: 6,
            returns: 6,
            returns_on_time: 5,
            incidents: 2,
        }
    }

    #[test]
    fn c6_1_the_page_of_the_year_has_every_figure_in_both_languages_and_no_script() {
        let day: Day = "2027-07-05".parse().unwrap();
        for (language, words) in [
            (
                Language::French,
                ["lang=\"fr\"", "Tablettes à l’inventaire", "Disponibilité", "Établi le 2027-07-05"],
            ),
            (
                Language::English,
                ["lang=\"en\"", "Tablets of the inventory", "Availability", "Drawn up on 2027-07-05"],
            ),
        ] {
            let page = render(&[figures("Collège Jean Moulin")], language, day);
            for word in words {
                assert!(page.contains(word), "{word}: {page}");
            }
            for count in [30, 28, 21, 27, 26, 20, 6, 5, 2] {
                assert!(page.contains(&format!("<td>{count}</td>")), "{count}: {page}");
            }
            assert!(page.contains("<td>75 %</td>") && !page.contains("<script"), "{page}");
        }
    }

    #[test]
    fn t_c9_a_name_that_is_markup_is_text_on_the_page_of_the_year() {
        let page = render(
            &[figures("<script>alert('x')</script>")],
            Language::French,
            "2027-07-05".parse().unwrap(),
        );
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)") && !page.contains("<script"), "{page}");
        assert!(content_security_policy().starts_with("default-src 'none'; style-src 'sha256-"));
    }

    #[test]
    fn without_managed_tablets_nothing_is_divided() {
        let none = FiguresView { managed: 0, seen_lately: 0, ..figures("Collège") };
        assert!(render(&[none], Language::English, "2027-07-05".parse().unwrap()).contains("<td>—</td>"));
    }
}
