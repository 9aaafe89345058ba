//! Who really asks, when a proxy stands in front: for the pace of requests, never for an identity (T-C3).

use std::net::IpAddr;

use actix_web::http::header::HeaderMap;
use pki::TrustedProxies;

/// The peer, or, if the peer is one of our proxies, the last address of `X-Forwarded-For` that is not. What a
/// client wrote there itself stands further left, and is not read.
pub(crate) fn client(proxies: &TrustedProxies, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if proxies.recognise(peer).is_none() {
        return peer;
    }
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .collect();
    let mut client = peer;
    for hop in forwarded.into_iter().rev() {
        match hop.trim().parse() {
            Ok(address) => client = address,
            Err(_illegible) => break,
        }
        if proxies.recognise(client).is_none() {
            break;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn forwarded(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn t_c3_a_forwarded_address_is_read_only_from_a_proxy_and_only_as_far_as_proxies_wrote_it() {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let cases = [
            ("198.51.100.9", vec!["203.0.113.1"], "198.51.100.9"),
            ("10.0.0.1", vec!["203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", vec!["1.2.3.4, 203.0.113.1, 10.0.0.2"], "203.0.113.1"),
            ("10.0.0.1", vec!["1.2.3.4", "203.0.113.1"], "203.0.113.1"),
            ("10.0.0.1", vec!["203.0.113.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
        ];
        for (peer, lines, expected) in cases {
            assert_eq!(client(&proxies, ip(peer), &forwarded(&lines)), ip(expected), "{peer} {lines:?}");
        }
    }
}
