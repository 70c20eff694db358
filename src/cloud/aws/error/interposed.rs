//! Responses that the service didn't send: redirects, pages of a proxy or gateway, and documents that can't be parsed.
//!
//! The SDK follows no redirects and parses whatever it gets, so that its own error names a JSON token at an offset, or
//! nothing.

use std::error::Error as StdError;

use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};

use super::advice;

/// Maximum length of a header's value in an error, in characters.
const MAX_HEADER_CHARS: usize = 200;

/// Returns a description of the response and hints; `None` if the service sent it, or it was cut off.
pub(super) fn describe<E>(error: &SdkError<E, HttpResponse>) -> Option<(String, Vec<String>)>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    if matches!(error, SdkError::ServiceError(context) if context.err().code().is_some_and(|code| !code.is_empty())) {
        return None;
    }
    let response = error.raw_response()?;
    let body = response.body().bytes()?;
    let status = response.status().as_u16();
    if is_redirect(status) {
        return Some(redirect(response, status));
    }
    // The service itself answers HEAD requests with an empty body.
    let is_of_service = body.is_empty() && status >= 400;
    (!is_of_service).then(|| (unreadable(response, status), vec![advice::INTERPOSED.to_owned()]))
}

fn is_redirect(status: u16) -> bool {
    (300..400).contains(&status)
}

fn redirect(response: &HttpResponse, status: u16) -> (String, Vec<String>) {
    let mut hints = vec![advice::INTERPOSED.to_owned()];
    let Some(location) = header(response, "location") else {
        if status == 301 {
            hints.insert(0, advice::OTHER_REGION_HINT.to_owned());
        }
        return (format!("the answer is a redirect without a location (HTTP status {status})"), hints);
    };
    (format!("the answer redirects to {location} (HTTP status {status}), where no request is sent"), hints)
}

fn unreadable(response: &HttpResponse, status: u16) -> String {
    let kind = header(response, "content-type").map(|kind| format!(", {kind}")).unwrap_or_default();
    format!("the answer can't be read as one of the service's (HTTP status {status}{kind})")
}

fn header(response: &HttpResponse, name: &str) -> Option<String> {
    let value = response.headers().get(name)?.trim();
    (!value.is_empty()).then(|| value.chars().take(MAX_HEADER_CHARS).collect())
}

/// Retry classifier that forbids the immediate retry of such responses. The SDK takes one that it can't parse for one
/// that was cut off.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cloud::aws) struct RejectInterposed;

impl ClassifyRetry for RejectInterposed {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let is_response_error = error.is_some_and(OrchestratorError::is_response_error);
        // A gateway's error page means that the service may be back soon.
        let response = context.response().filter(|response| response.status().as_u16() < 500);
        if is_response_error && response.is_some_and(|response| response.body().bytes().is_some()) {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "give up an answer that is none of the service's"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
