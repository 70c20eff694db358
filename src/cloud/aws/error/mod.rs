//! Converts the SDK's errors to [`CloudError`]s: what failed, why, what to do, and for `-v` the request id and the
//! causes.
//!
//! An error falls into one of three cases: the service answered ([`Answer`]), something else answered in its place
//! ([`interposed`]), or nothing did (credentials, network, timeout: [`no_answer`]).

mod action;
mod advice;
mod chain;
mod clock;
mod interposed;
mod no_answer;
mod response;

use std::error::Error as StdError;

use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use crate::cloud::{CloudError, FailureClass, ServiceError};

pub(super) use action::Permitted;
pub(super) use advice::{EXPIRED_CODES, INTERPOSED};
pub(super) use chain::{find, innermost};
pub(super) use interposed::RejectInterposed;
pub(super) use no_answer::RejectRefused;
pub(super) use response::{Answer, Permission, answer};

/// Returns a function for `map_err`, which adds what was being done and to which resource (an ARN).
pub(super) fn failed<E>(
    doing: impl Into<String>,
    resource: impl Into<String>,
) -> impl FnOnce(SdkError<E, HttpResponse>) -> CloudError
where
    E: Permitted + ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let doing = doing.into();
    let resource = resource.into();
    move |error| service_error(&doing, &resource, &error)
}

/// Converts an error of an operation, whose IAM action follows from the error's type.
pub(super) fn service_error<E>(doing: &str, resource: &str, error: &SdkError<E, HttpResponse>) -> CloudError
where
    E: Permitted + ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    call_error(doing, Permission { action: E::ACTION, resource }, error)
}

/// Converts an error of a call that needs another permission than its operation usually does.
pub(super) fn call_error<E>(doing: &str, permission: Permission<'_>, error: &SdkError<E, HttpResponse>) -> CloudError
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let answer = answer(error);
    let (class, why, hints) = match (interposed::describe(error), &answer) {
        // A proxy's answer may not come again.
        (Some((why, hints)), _) => (FailureClass::Transient, why, hints),
        (None, Some(answer)) => {
            let by_clock = error.raw_response().and_then(|response| clock::explain(answer, response));
            by_clock.unwrap_or_else(|| explain(answer, permission))
        }
        (None, None) => no_answer::explain(error),
    };
    let message = format!("could not {doing}: {why}");
    CloudError::Service(Box::new(ServiceError { class, message, hints, details: details(error, answer.as_ref()) }))
}

fn explain(answer: &Answer, permission: Permission<'_>) -> (FailureClass, String, Vec<String>) {
    let hints = advice::hints(answer, permission);
    let why = answer.reason();
    let class = if answer.is_denied() {
        FailureClass::Denied
    } else if advice::is_about_credentials(answer) {
        FailureClass::Unconfigured
    } else if advice::is_throttled(answer) || answer.status >= 500 {
        FailureClass::Transient
    } else if answer.code == "NoSuchBucket" {
        FailureClass::Missing
    } else {
        FailureClass::Other
    };
    (class, with_permission(why, answer, permission), hints)
}

/// Appends the permission that a denied call needs, unless the service named it.
fn with_permission(why: String, answer: &Answer, permission: Permission<'_>) -> String {
    let Permission { action, resource } = permission;
    if !answer.is_denied() || advice::denied_action(&answer.message).is_some() {
        return why;
    }
    format!("{why}: it takes {action} on {resource}")
}

fn details<E>(error: &SdkError<E, HttpResponse>, answer: Option<&Answer>) -> Vec<String>
where
    E: StdError + Send + Sync + 'static,
{
    let mut details = Vec::new();
    if let Some(answer) = answer {
        let code = if answer.code.is_empty() { "none" } else { &answer.code };
        details.push(format!("error code {code}, HTTP status {}", answer.status));
    }
    details.extend(error.raw_response().and_then(request_id).map(|id| format!("request id {id}")));
    let mut cause: Option<&(dyn StdError + 'static)> = StdError::source(error);
    while let Some(error) = cause {
        details.push(format!("because of: {error}"));
        cause = error.source();
    }
    details
}

fn request_id(response: &HttpResponse) -> Option<&str> {
    ["x-amzn-requestid", "x-amz-request-id"].iter().find_map(|name| response.headers().get(name))
}
