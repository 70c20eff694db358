//! Rejections because this computer's clock is wrong: signatures have a time, which may differ by 5 minutes from the
//! service's, in S3 by 15.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

use super::response::Answer;
use crate::cloud::FailureClass;

/// Codes for a wrong time (Amazon S3 API Reference, "Error responses").
const CODES: [&str; 2] = ["RequestTimeTooSkewed", "RequestInTheFuture"];
/// Words of the other services' messages, whose code is that of any wrong signature (AWS General Reference,
/// "Troubleshooting AWS Signature Version 4").
const MESSAGES: [&str; 2] = ["Signature expired", "Signature not yet current"];
/// Code for an old request, or for expired credentials (EC2 API Reference, "Common client errors").
const REQUEST_EXPIRED: &str = "RequestExpired";
/// Difference from which the services reject requests.
const MAX_DIFFERENCE: SignedDuration = SignedDuration::from_mins(5);
/// Likewise in S3, whose responses to HEAD requests have no code.
const MAX_DIFFERENCE_IN_S3: SignedDuration = SignedDuration::from_mins(15);

const HINTS: [&str; 2] =
    ["set the clock by the network's time: sudo timedatectl set-ntp true", "or compare it by hand: date -u"];

/// Explains a rejection, if the clock is its reason.
pub(super) fn explain(answer: &Answer, response: &HttpResponse) -> Option<(FailureClass, String, Vec<String>)> {
    let difference = difference(response);
    if !is_about_clock(answer, difference) {
        return None;
    }
    let said = if answer.code.is_empty() && answer.message.is_empty() {
        String::new()
    } else {
        format!(": {}", answer.reason())
    };
    let why = format!("{}{said}", told(difference));
    Some((FailureClass::Other, why, HINTS.map(str::to_owned).to_vec()))
}

fn is_about_clock(answer: &Answer, difference: Option<SignedDuration>) -> bool {
    let exceeds = |limit| difference.is_some_and(|difference| difference.abs() >= limit);
    answer.is_one_of(&CODES)
        || MESSAGES.iter().any(|words| answer.message.contains(words))
        || (answer.is_one_of(&[REQUEST_EXPIRED]) && exceeds(MAX_DIFFERENCE))
        || (answer.status == 403 && answer.code.is_empty() && exceeds(MAX_DIFFERENCE_IN_S3))
}

/// Returns the service's time minus this computer's.
fn difference(response: &HttpResponse) -> Option<SignedDuration> {
    let date = response.headers().get("date")?;
    let service = rfc2822::parse(date).ok()?.timestamp();
    Some(service.duration_since(Timestamp::now()))
}

fn told(difference: Option<SignedDuration>) -> String {
    let Some(difference) = difference else { return "this computer's clock differs from AWS's".to_owned() };
    let minutes = (difference.abs().as_secs() + 30) / 60;
    match minutes {
        0 => "this computer's clock differed from AWS's".to_owned(),
        1 => format!("this computer's clock is 1 minute {} AWS's", side(difference)),
        minutes => format!("this computer's clock is {minutes} minutes {} AWS's", side(difference)),
    }
}

fn side(difference: SignedDuration) -> &'static str {
    if difference.is_positive() { "behind" } else { "ahead of" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_told_in_minutes() {
        let of = |seconds| told(Some(SignedDuration::from_secs(seconds)));
        assert_eq!(of(37 * 60 + 10), "this computer's clock is 37 minutes behind AWS's");
        assert_eq!(of(-86_400), "this computer's clock is 1440 minutes ahead of AWS's");
        assert_eq!(of(-61), "this computer's clock is 1 minute ahead of AWS's");
        assert_eq!(told(None), "this computer's clock differs from AWS's");
    }
}
