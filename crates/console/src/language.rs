//! The reader's language, from `Accept-Language` (RFC 9110 §12.5.4).

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};

/// A language that this door speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    French,
}

impl Language {
    /// The text in this language.
    pub(crate) fn choose<T>(self, english: T, french: T) -> T {
        match self {
            Self::English => english,
            Self::French => french,
        }
    }

    /// Its tag (RFC 5646).
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }
}

/// The language that the reader prefers among ours; English if they named none of them.
pub(crate) fn of(headers: &HeaderMap) -> Language {
    headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map_or(Language::English, preferred)
}

fn preferred(header: &str) -> Language {
    let mut best = (Language::English, 0.0);
    for choice in header.split(',').take(32) {
        let (tag, weight) = choice.split_once(';').unwrap_or((choice, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
        let primary = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
        let language = match primary.as_str() {
            "fr" => Language::French,
            "en" => Language::English,
            _ => continue,
        };
        if weight > best.1 {
            best = (language, weight);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_of_our_languages_is_chosen() {
        for (header, language) in [
            ("fr", Language::French),
            ("fr-FR,fr;q=0.9,en;q=0.8", Language::French),
            ("en-GB, fr;q=0.3", Language::English),
            ("en;q=0.2, FR-be;q=0.7", Language::French),
            ("de, fr;q=0.1", Language::French),
            ("fr;q=0", Language::English),
            ("de", Language::English),
            ("", Language::English),
            ("fr;q=x", Language::English),
        ] {
            assert_eq!(preferred(header), language, "{header}");
        }
    }
}
