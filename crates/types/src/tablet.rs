//! The names of tablets and schools, checked once, at the edge.

use crate::{text_enum, text_name};

text_name! {
    /// A tablet's serial number as its maker prints it; compared in upper case (C3.3.4).
    SerialNumber: "serial number", "8 to 20 letters and digits",
        |text: &str| (8..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        str::to_ascii_uppercase;

    /// A device identifier of Apple: 40 hexadecimal digits, or 8, a hyphen and 16. Not an RFC 9562 UUID.
    /// Simulators and Macs use the UUID form, which is admitted too.
    Udid: "UDID", "40 hexadecimal digits, or 8-16",
        is_udid,
        str::to_owned;

    /// A school's code in the national register: seven digits and a letter.
    Uai: "UAI code", "seven digits and a letter, such as 0761234A",
        |text: &str| text.len() == 8
            && text.bytes().take(7).all(|byte| byte.is_ascii_digit())
            && text.bytes().skip(7).all(|byte| byte.is_ascii_alphabetic()),
        str::to_ascii_uppercase;
}

fn is_udid(text: &str) -> bool {
    let hexadecimal =
        |part: &str, len: usize| part.len() == len && part.bytes().all(|b| b.is_ascii_hexdigit());
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [whole] => hexadecimal(whole, 40),
        [chip, unique] => hexadecimal(chip, 8) && hexadecimal(unique, 16),
        [a, b, c, d, e] => {
            hexadecimal(a, 8) && [b, c, d].iter().all(|part| hexadecimal(part, 4)) && hexadecimal(e, 12)
        }
        _ => false,
    }
}

text_enum! {
    /// What a tablet runs.
    Platform: "platform" {
        /// iPadOS, managed over Apple's protocol.
        Ipad = "ipad",
        /// Android, managed through the open agent or Google's API.
        Android = "android",
    }

    /// How an enrolment came about; it decides what the user can undo (C5.3.2).
    EnrolmentKind: "enrolment kind" {
        /// By an enrolment link: the user can remove the management.
        Link = "link",
        /// By Apple's automated enrolment: supervised, not removable.
        Automated = "automated",
        /// Brought in from another server by an audited import.
        TakenOver = "taken-over",
    }

    /// Whether a tablet is supervised, as it reported itself.
    Supervision: "supervision" {
        /// It has not told us yet.
        Unknown = "unknown",
        /// It is supervised.
        Supervised = "supervised",
        /// It is not: lost mode and several restrictions are out of reach.
        Unsupervised = "unsupervised",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_compared_in_upper_case() {
        let serial: SerialNumber = " dmpxk1abcd12 ".parse().unwrap();
        assert_eq!(serial.as_str(), "DMPXK1ABCD12");
    }

    #[test]
    fn both_shapes_of_udid_are_admitted() {
        for good in ["00008020-000915083C80012E", "0123456789abcdef0123456789abcdef01234567"] {
            assert_eq!(good.parse::<Udid>().unwrap().as_str(), good);
        }
        for bad in ["", "00008020", "00008020-000915083C80012", "../../etc/passwd", "g".repeat(40).as_str()] {
            assert!(bad.parse::<Udid>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_school_code_is_seven_digits_and_a_letter() {
        assert_eq!("0761234a".parse::<Uai>().unwrap().as_str(), "0761234A");
        let error = "76-1234".parse::<Uai>().unwrap_err();
        assert!(error.to_string().contains("seven digits and a letter"));
    }

    #[test]
    fn every_state_reads_back_from_its_text() {
        for kind in EnrolmentKind::ALL {
            assert_eq!(kind.as_str().parse::<EnrolmentKind>().as_ref(), Ok(kind));
        }
        assert!("dep".parse::<EnrolmentKind>().unwrap_err().to_string().contains("taken-over"));
    }
}
