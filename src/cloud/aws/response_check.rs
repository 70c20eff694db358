//! Checks that a successful response is a whole document of its operation.
//!
//! The SDK accepts less: it reads an XML document that is cut off between two elements as one with fewer elements, and
//! an empty body, or a JSON object of something else, as a response without items. A list would be shorter than it is.
//! [`ResponseCheck`] turns such responses into errors. It looks at bodies that the SDK has read into memory, so that
//! streamed objects are untouched.

use std::collections::BTreeMap;

use aws_sdk_s3::config::interceptors::FinalizerInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{Metadata, OrchestratorError};
use serde::de::IgnoredAny;

/// Services whose responses are XML.
const XML_SERVICES: [&str; 3] = ["S3", "STS", "IAM"];

/// Fields of JSON responses that the services always send, also for an empty list (botocore 1.44.5 requires those of
/// SageMaker's own operations but `Results`).
const JSON_FIELDS: [(&str, &str); 7] = [
    ("CreateTrainingJob", "TrainingJobArn"),
    ("DescribeTrainingJob", "TrainingJobName"),
    ("ListTrainingJobs", "TrainingJobSummaries"),
    ("Search", "Results"),
    ("DescribeLogStreams", "logStreams"),
    ("FilterLogEvents", "events"),
    ("GetLogEvents", "events"),
];

/// Interceptor that fails a call whose response is not whole.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ResponseCheck;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Incomplete {
    #[error("the XML document of the answer has no end")]
    Xml,
    #[error("the answer has no field {0}")]
    Json(&'static str),
}

impl Intercept for ResponseCheck {
    fn name(&self) -> &'static str {
        "refuse an answer that is not whole"
    }

    /// Runs before a retry is considered.
    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(call) = config.load::<Metadata>() else { return Ok(()) };
        let response = context.response().filter(|response| response.status().is_success());
        let Some(body) = response.and_then(|response| response.body().bytes()) else { return Ok(()) };
        let Err(incomplete) = check(call.service(), call.name(), body) else { return Ok(()) };
        match context.output_or_error_mut() {
            Some(outcome) if outcome.is_ok() => *outcome = Err(OrchestratorError::response(incomplete.into())),
            // The SDK has found an error of its own.
            _ => {}
        }
        Ok(())
    }
}

fn check(service: &str, operation: &str, body: &[u8]) -> Result<(), Incomplete> {
    if XML_SERVICES.contains(&service) {
        return if body.is_empty() || ends_with_root(body) { Ok(()) } else { Err(Incomplete::Xml) };
    }
    match JSON_FIELDS.into_iter().find(|(name, _)| *name == operation) {
        Some((_, field)) if !has_field(body, field) => Err(Incomplete::Json(field)),
        _ => Ok(()),
    }
}

/// Returns whether an object has a field that is not null.
fn has_field(body: &[u8], field: &str) -> bool {
    let fields = serde_json::from_slice::<BTreeMap<String, Option<IgnoredAny>>>(body);
    fields.is_ok_and(|fields| fields.get(field).is_some_and(Option::is_some))
}

/// Returns whether an XML document ends with its root element's end tag.
fn ends_with_root(body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else { return false };
    let text = text.trim();
    let Some(root) = root(text) else { return false };
    let name = root.split(|next: char| next.is_whitespace() || matches!(next, '/' | '>')).next().unwrap_or_default();
    let is_end_tag = |text: &str| text.strip_suffix(name).is_some_and(|text| text.ends_with("</"));
    let is_empty_element = root.split_once('>').is_some_and(|(tag, rest)| tag.ends_with('/') && rest.is_empty());
    is_empty_element || text.strip_suffix('>').map(str::trim_end).is_some_and(is_end_tag)
}

/// Returns the document from its root element's name on.
fn root(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest.strip_prefix('<')? {
            tag if tag.starts_with("!--") => "-->",
            tag if tag.starts_with(['?', '!']) => ">",
            tag => return Some(tag),
        };
        rest = rest.split_once(end)?.1.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_whole_only_with_its_root_s_end() {
        let whole = "<?xml version=\"1.0\"?>\n<!-- > --><List xmlns=\"a/b\"><Key>a&gt;</Key><List2/></List>";
        for fine in [whole, "<List/>", "<List a=\"b\" />\n", "\u{feff}<List></List >\n", ""] {
            assert_eq!(check("S3", "ListObjectsV2", fine.as_bytes()), Ok(()), "{fine}");
        }
        for end in 1..whole.len() {
            assert_eq!(check("STS", "Any", &whole.as_bytes()[..end]), Err(Incomplete::Xml), "{}", &whole[..end]);
        }
        for other in ["<", "<A", "text", "<A><B/>", "<!--", "<?xml?>", "\u{1f600}"] {
            assert_eq!(check("IAM", "Any", other.as_bytes()), Err(Incomplete::Xml), "{other}");
        }
        assert_eq!(check("S3", "Any", b"<A>\xff</A>"), Err(Incomplete::Xml));
    }

    #[test]
    fn a_list_without_its_items_is_not_an_empty_list() {
        let of = |body: &str| check("SageMaker", "ListTrainingJobs", body.as_bytes());
        assert_eq!(of("{\"TrainingJobSummaries\": [], \"NextToken\": null}"), Ok(()));
        for other in ["", "{}", "{\"a\": 1}", "{\"TrainingJobSummaries\": null}", "[]", "1"] {
            assert_eq!(of(other), Err(Incomplete::Json("TrainingJobSummaries")), "{other}");
        }
        assert_eq!(check("SageMaker", "StopTrainingJob", b""), Ok(()));
    }
}
