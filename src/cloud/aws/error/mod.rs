//! Converts the SDK's errors to [`CloudError`]s: what failed, why, what to do, and for `-v` the request id and the
//! causes.
//!
//! An error falls into one of three cases: the service answered ([`Answer`]), something else answered in its place
//! ([`interposed`]), or nothing did (credentials, network, timeout).

mod action;
mod advice;
mod interposed;
mod response;

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use crate::cloud::{CloudError, FailureClass, ServiceError};

pub(super) use action::Permitted;
pub(super) use advice::{EXPIRED_CODES, INTERPOSED};
pub(super) use interposed::RejectInterposed;
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
        (None, Some(answer)) => explain(answer, permission),
        (None, None) => explain_no_answer(error),
    };
    let message = format!("could not {doing}: {why}");
    CloudError::Service(Box::new(ServiceError { class, message, hints, details: details(error, answer.as_ref()) }))
}

fn explain(answer: &Answer, permission: Permission<'_>) -> (FailureClass, String, Vec<String>) {
    let hints = advice::hints(answer, permission);
    let why = reason(answer);
    let class = if answer.is_denied() {
        FailureClass::Denied
    } else if advice::is_about_credentials(answer) {
        FailureClass::Unconfigured
    } else if advice::is_throttled(answer) || answer.status >= 500 {
        FailureClass::Transient
    } else {
        FailureClass::Other
    };
    (class, with_permission(why, answer, permission), hints)
}

fn reason(answer: &Answer) -> String {
    match (answer.message.as_str(), answer.code.as_str()) {
        ("", "") if answer.status == 403 => "access denied".to_owned(),
        ("", "") => format!("the service answered with HTTP status {} and no reason", answer.status),
        ("", code) => code.to_owned(),
        (message, "") => message.to_owned(),
        (message, code) => format!("{message} ({code})"),
    }
}

/// Appends the permission that a denied call needs, unless the service named it.
fn with_permission(why: String, answer: &Answer, permission: Permission<'_>) -> String {
    let Permission { action, resource } = permission;
    if !answer.is_denied() || advice::denied_action(&answer.message).is_some() {
        return why;
    }
    format!("{why}: it takes {action} on {resource}")
}

/// Explains an error without an answer: of the credentials, the network or a timeout.
fn explain_no_answer<E>(error: &SdkError<E, HttpResponse>) -> (FailureClass, String, Vec<String>)
where
    E: StdError + Send + Sync + 'static,
{
    if let Some(credentials) = find::<CredentialsError>(error) {
        return match credentials {
            CredentialsError::CredentialsNotLoaded(_) => (
                FailureClass::Unconfigured,
                "no AWS credentials are configured".to_owned(),
                advice::no_credentials_hints(),
            ),
            other => (
                FailureClass::Unconfigured,
                format!("could not get AWS credentials: {}", innermost(other)),
                advice::no_credentials_hints(),
            ),
        };
    }
    let why = match error {
        SdkError::TimeoutError(_) => "the service did not answer in time".to_owned(),
        SdkError::DispatchFailure(_) => format!("the service could not be reached: {}", innermost(error)),
        SdkError::ResponseError(_) => format!("the answer was cut off or can't be read: {}", innermost(error)),
        _ => innermost(error),
    };
    let class = match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            FailureClass::Transient
        }
        _ => FailureClass::Other,
    };
    (class, why, vec!["check the network, the region, and AWS_ENDPOINT_URL if it is set".to_owned()])
}

/// Returns the first cause of a type.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Returns the innermost cause. The SDK's outer errors say little.
pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
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
