//! The page that a person sees, tablet in hand, when an enrolment link does not work: what happened and what
//! to do next, in French or English. It has no script and loads nothing.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ACCEPT_LANGUAGE, HeaderMap};
use uuid::Uuid;

/// The languages of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// The département's own, and the one for whoever asks for neither.
    French,
    /// For whoever prefers it.
    English,
}

impl Language {
    /// The one that `Accept-Language` prefers.
    pub(crate) fn preferred(headers: &HeaderMap) -> Self {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let quality = |language: &str| {
            accepted
                .split(',')
                .filter_map(|range| {
                    let mut parts = range.split(';');
                    let tag = parts.next()?.trim();
                    let primary = tag.split('-').next()?;
                    let quality = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok());
                    primary.eq_ignore_ascii_case(language).then(|| quality.unwrap_or(1.0))
                })
                .fold(0.0, f32::max)
        };
        if quality("en") > quality("fr") { Self::English } else { Self::French }
    }
}

/// Why the page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The address is no link of ours.
    Unknown,
    /// The link's time has passed.
    Expired,
    /// The link was used as often as it may be.
    UsedUp,
    /// Someone took the link back.
    Revoked,
    /// Too many requests come from this place.
    TooMany,
    /// The request was not one that a browser makes.
    Refused,
    /// Nothing can be enrolled yet: the server lacks its push certificate.
    NotReady,
    /// We failed.
    Unavailable,
}

impl Reason {
    #[cfg(test)]
    const ALL: [Self; 8] = [
        Self::Unknown,
        Self::Expired,
        Self::UsedUp,
        Self::Revoked,
        Self::TooMany,
        Self::Refused,
        Self::NotReady,
        Self::Unavailable,
    ];

    /// What happened, and what to do next.
    const fn words(self, language: Language) -> (&'static str, &'static str) {
        use Language::{English, French};
        match (self, language) {
            (Self::Unknown, French) => (
                "Ce lien n’existe pas",
                "Vérifiez que l’adresse est complète, ou scannez de nouveau le code. Sinon, demandez un nouveau \
                 lien à l’assistant technique (ATI) ou au référent numérique de votre collège.",
            ),
            (Self::Unknown, English) => (
                "This link does not exist",
                "Check that the address is complete, or scan the code again. Otherwise, ask the technician (ATI) \
                 or the digital lead of your school for a new link.",
            ),
            (Self::Expired, French) => (
                "Ce lien a expiré",
                "Demandez un nouveau lien à l’assistant technique (ATI) ou au référent numérique de votre collège.",
            ),
            (Self::Expired, English) => (
                "This link has expired",
                "Ask the technician (ATI) or the digital lead of your school for a new link.",
            ),
            (Self::UsedUp, French) => (
                "Ce lien a déjà servi",
                "Si la tablette affiche déjà son profil de gestion, il n’y a rien à faire. Sinon, demandez un \
                 nouveau lien à l’assistant technique (ATI) ou au référent numérique de votre collège.",
            ),
            (Self::UsedUp, English) => (
                "This link has already been used",
                "If the tablet already shows its management profile, there is nothing to do. Otherwise, ask the \
                 technician (ATI) or the digital lead of your school for a new link.",
            ),
            (Self::Revoked, French) => (
                "Ce lien a été annulé",
                "Demandez un nouveau lien à l’assistant technique (ATI) ou au référent numérique de votre collège.",
            ),
            (Self::Revoked, English) => (
                "This link was cancelled",
                "Ask the technician (ATI) or the digital lead of your school for a new link.",
            ),
            (Self::TooMany, French) => (
                "Trop de tablettes à la fois",
                "Attendez une minute, puis ouvrez de nouveau le même lien : il reste valable.",
            ),
            (Self::TooMany, English) => (
                "Too many tablets at once",
                "Wait a minute, then open the same link again: it is still valid.",
            ),
            (Self::Refused, French) => (
                "Cette demande n’a pas pu être lue",
                "Ouvrez le lien dans Safari, sur la tablette elle-même.",
            ),
            (Self::Refused, English) => {
                ("This request could not be read", "Open the link in Safari, on the tablet itself.")
            }
            (Self::NotReady, French) => (
                "Les tablettes ne peuvent pas encore être inscrites",
                "Le serveur n’est pas prêt : prévenez l’assistant technique (ATI) ou le département. Ce lien \
                 reste valable.",
            ),
            (Self::NotReady, English) => (
                "Tablets cannot be enrolled yet",
                "The server is not ready: tell the technician (ATI) or the département. This link is still valid.",
            ),
            (Self::Unavailable, French) => (
                "Le service est momentanément indisponible",
                "Réessayez dans quelques minutes avec le même lien : il reste valable.",
            ),
            (Self::Unavailable, English) => (
                "The service is unavailable for the moment",
                "Try again in a few minutes with the same link: it is still valid.",
            ),
        }
    }
}

const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.2rem;\
                     color:#1b1b1b;background:#fff}h1{font-size:1.5rem;line-height:1.25}small{color:#595959}\
                     @media(prefers-color-scheme:dark){body{color:#eee;background:#1b1b1b}small{color:#aaa}}";

/// Only the style above, known by its digest; no script, image, form or frame.
const POLICY: &str = "default-src 'none'; style-src 'sha256-M2+Kf5Wmh0hFQdD3b7k/BvOzGrtH6edvXmBtiQYmr/U='; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The page, with `status`. `request` is shown so that whoever helps can find it in the log.
pub(crate) fn page(status: StatusCode, reason: Reason, language: Language, request: Uuid) -> HttpResponse {
    let (title, next) = reason.words(language);
    let (code, label) = match language {
        Language::French => ("fr", "Référence à donner si vous demandez de l’aide :"),
        Language::English => ("en", "Reference to give when you ask for help:"),
    };
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{code}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1><p>{next}</p><p><small>{label} {request}</small></p></main></body></html>\n"
    );
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_LANGUAGE, code))
        .insert_header((header::VARY, "Accept-Language"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(html)
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody as _;
    use actix_web::http::header::HeaderValue;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn preferred(accepted: &'static str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(accepted));
        Language::preferred(&headers)
    }

    #[test]
    fn the_page_is_in_french_unless_english_is_preferred() {
        for french in
            ["", "fr", "fr-FR,fr;q=0.9,en;q=0.8", "de", "*", "en;q=0.5,fr;q=0.7", "en,fr", "en;q=0", ";;,,"]
        {
            assert_eq!(preferred(french), Language::French, "{french}");
        }
        for english in
            ["en", "EN-gb", "en-GB,en;q=0.9", "fr;q=0.3, en;q=0.8", "de,en;q=0.1", "en;q=illegible"]
        {
            assert_eq!(preferred(english), Language::English, "{english}");
        }
    }

    #[test]
    fn every_page_says_what_happened_and_what_to_do_in_both_languages() {
        let request = Uuid::from_u128(7);
        for reason in Reason::ALL {
            let mut titles = Vec::new();
            for (language, code) in [(Language::French, "fr"), (Language::English, "en")] {
                let response = page(StatusCode::GONE, reason, language, request);
                assert_eq!(response.status(), StatusCode::GONE);
                assert_eq!(response.headers().get("content-language").unwrap(), code);
                let html = response.into_body().try_into_bytes().unwrap();
                let html = std::str::from_utf8(&html).unwrap();
                let (title, next) = reason.words(language);
                assert!(html.contains(&format!("<h1>{title}</h1><p>{next}</p>")), "{html}");
                assert!(
                    html.contains(&format!("lang=\"{code}\"")) && html.contains("width=device-width"),
                    "{html}"
                );
                assert!(html.contains(&request.to_string()), "{html}");
                assert!(!html.contains("<script") && !html.contains("http"), "it loads nothing: {html}");
                titles.push(title);
            }
            assert_ne!(titles[0], titles[1]);
        }
    }

    #[test]
    fn the_policy_admits_exactly_the_pages_own_style() {
        let digest = STANDARD.encode(openssl::sha::sha256(STYLE.as_bytes()));
        assert!(POLICY.contains(&format!("style-src 'sha256-{digest}'")), "{digest}");
        assert!(POLICY.starts_with("default-src 'none'") && !POLICY.contains("unsafe"));
    }
}
