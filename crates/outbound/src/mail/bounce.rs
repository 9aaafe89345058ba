//! What comes back: reports of delivery (RFC 3464) that name one of our return addresses.
//!
//! Whoever writes to that address could write anything. So nothing is believed but this: a report of a mail whose token it
//! names, which nobody guesses, says that the mail failed for good. Answers of people and of their absence are no reports.

use mail_parser::{Message, MessageParser, MimeHeaders as _};
use types::MailAddress;

use super::ReturnToken;

/// The longest file that is read. A report holds a copy of a short letter.
pub const LONGEST_RETURN: usize = 512 * 1024;
/// The most headers that are looked at for a return address.
const MOST_HEADERS: usize = 500;

/// What a file that came back says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returned {
    /// This mail failed for good. The status, such as `5.1.1`.
    Failed(ReturnToken, String),
    /// A report about this mail that changes nothing: it is late, it was passed on, or it arrived.
    Otherwise(ReturnToken),
    /// It is no report, or about no mail of ours.
    Unknown,
}

/// Reads a file that came back to `base`.
#[must_use]
pub fn read_returned(bytes: &[u8], base: &MailAddress) -> Returned {
    if bytes.len() > LONGEST_RETURN {
        return Returned::Unknown;
    }
    let Some(message) = MessageParser::default().parse(bytes) else { return Returned::Unknown };
    let Some(token) = token(&message, base) else { return Returned::Unknown };
    let reports = message.parts.iter().filter(|part| {
        part.content_type().is_some_and(|kind| {
            let is =
                |subtype: &str| kind.subtype().is_some_and(|theirs| theirs.eq_ignore_ascii_case(subtype));
            kind.ctype().eq_ignore_ascii_case("message")
                && (is("delivery-status") || is("global-delivery-status"))
        })
    });
    let mut any = false;
    for report in reports {
        any = true;
        let text = String::from_utf8_lossy(report.contents());
        if let Some(status) = failed(&text) {
            return Returned::Failed(token, status);
        }
    }
    if any { Returned::Otherwise(token) } else { Returned::Unknown }
}

/// The status of the first addressee of a report whose mail failed for good.
fn failed(report: &str) -> Option<String> {
    let text = report.replace("\r\n", "\n");
    text.split("\n\n").find_map(|fields| {
        let field = |name: &str| {
            fields.lines().find_map(|line| {
                let (theirs, value) = line.split_once(':')?;
                theirs.trim().eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let action = field("Action")?;
        let status = field("Status").unwrap_or_default();
        // A status is three numbers (RFC 3463); anything after them may name somebody.
        let status: String =
            status.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').take(12).collect();
        (action.eq_ignore_ascii_case("failed") && !status.starts_with('2')).then_some(status)
    })
}

/// The token of the return address that this was sent to. Only the headers of the report itself count, not those of the
/// mail that it quotes.
fn token(message: &Message<'_>, base: &MailAddress) -> Option<ReturnToken> {
    let (who, place) = base.as_str().split_once('@')?;
    let (before, after) = (format!("{}+", who.to_lowercase()), format!("@{}", place.to_lowercase()));
    message
        .headers_raw()
        .take(MOST_HEADERS)
        .filter(|(name, _)| {
            ["to", "delivered-to", "x-original-to", "envelope-to"]
                .contains(&name.to_ascii_lowercase().as_str())
        })
        .find_map(|(_, value)| {
            let value = value.to_lowercase();
            let (_, rest) = value.split_once(&before)?;
            let (token, _) = rest.split_once(&after)?;
            token.parse().ok()
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn base() -> MailAddress {
        "retours@exemple.fr".parse().unwrap()
    }

    /// A report as Postfix writes it.
    fn report(to: &str, action: &str, status: &str) -> String {
        format!(
            "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.exemple.fr (Mail Delivery System)\r\nSubject: Undelivered Mail Returned to \
             Sender\r\nTo: {to}\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; \
             report-type=delivery-status;\r\n\tboundary=\"B1.17/mx\"\r\n\r\nThis is a MIME-encapsulated \
             message.\r\n\r\n--B1.17/mx\r\nContent-Description: Notification\r\nContent-Type: text/plain; \
             charset=us-ascii\r\n\r\nThis is the mail system at host mx.\r\n\r\n--B1.17/mx\r\nContent-Description: Delivery \
             report\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; \
             mx.exemple.fr\r\nArrival-Date: Thu, 26 Nov 2026 10:00:00 +0100\r\n\r\nFinal-Recipient: rfc822; \
             a.martin@exemple.fr\r\nAction: {action}\r\nStatus: {status} (a.martin is unknown)\r\nDiagnostic-Code: smtp; 550 \
             5.1.1 unknown\r\n\r\n--B1.17/mx\r\nContent-Description: Undelivered Message\r\nContent-Type: \
             message/rfc822\r\n\r\nTo: a.martin@exemple.fr\r\nSubject: Tablette\r\n\r\nBonjour\r\n\r\n--B1.17/mx--\r\n"
        )
    }

    fn read(text: &str) -> Returned {
        read_returned(text.as_bytes(), &base())
    }

    #[test]
    fn m3_a_report_of_failure_names_the_mail_by_its_token_and_nobody_by_name() {
        let token: ReturnToken = TOKEN.parse().unwrap();
        let ours = format!("retours+{TOKEN}@exemple.fr");
        assert_eq!(read(&report(&ours, "failed", "5.1.1")), Returned::Failed(token.clone(), "5.1.1".into()));
        let shouted = report(&ours.to_uppercase(), "FAILED", "5.1.1");
        assert_eq!(read(&shouted), Returned::Failed(token.clone(), "5.1.1".into()));
        for action in ["delayed", "delivered", "relayed", "expanded"] {
            assert_eq!(read(&report(&ours, action, "4.4.1")), Returned::Otherwise(token.clone()), "{action}");
        }
    }

    #[test]
    fn what_is_no_report_or_about_no_mail_of_ours_changes_nothing() {
        let ours = format!("retours+{TOKEN}@exemple.fr");
        let absent = format!(
            "To: {ours}\r\nSubject: Absent\r\nAuto-Submitted: auto-replied\r\n\r\nAction: failed\r\n"
        );
        assert_eq!(read(&absent), Returned::Unknown, "somebody is on holiday");
        for to in ["retours@exemple.fr", "retours+0123@exemple.fr", "retours+@exemple.fr", "x@y.fr"] {
            assert_eq!(read(&report(to, "failed", "5.1.1")), Returned::Unknown, "{to}");
        }
        let elsewhere = format!("retours+{TOKEN}@ailleurs.fr");
        assert_eq!(read(&report(&elsewhere, "failed", "5.1.1")), Returned::Unknown);
        // The mail that a report quotes is no header of the report.
        let quoted =
            report("x@y.fr", "failed", "5.1.1").replace("To: a.martin", &format!("To: {ours}, a.martin"));
        assert_eq!(read(&quoted), Returned::Unknown);
        assert_eq!(read(""), Returned::Unknown);
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read() {
        let mut long = report(&format!("retours+{TOKEN}@exemple.fr"), "failed", "5.1.1");
        long.push_str(&"x".repeat(LONGEST_RETURN));
        assert_eq!(read(&long), Returned::Unknown);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let _ = read_returned(&bytes, &base());
        }

        #[test]
        fn no_edit_of_a_report_makes_the_reader_panic(
            at in 0_usize..1_500, with in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut bytes = report(&format!("retours+{TOKEN}@exemple.fr"), "failed", "5.1.1").into_bytes();
            let at = at.min(bytes.len());
            bytes.splice(at..(at + with.len()).min(bytes.len()), with);
            let _ = read_returned(&bytes, &base());
        }
    }
}
