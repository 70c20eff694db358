//! A service's answer to a failed call, and the permission that the call needs.

use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

/// A service's error response.
#[derive(Debug)]
pub(in crate::cloud::aws) struct Answer {
    /// Error code. Empty if the response has no body, as after a HEAD request.
    pub(in crate::cloud::aws) code: String,
    pub(in crate::cloud::aws) message: String,
    /// HTTP status.
    pub(in crate::cloud::aws) status: u16,
}

impl Answer {
    /// Returns whether the code starts with one of `codes`. Some services append `Exception`.
    pub(in crate::cloud::aws) fn is_one_of(&self, codes: &[&str]) -> bool {
        codes.iter().any(|code| self.code.starts_with(code))
    }

    /// Returns the service's reason, in its words where it has any.
    pub(in crate::cloud::aws) fn reason(&self) -> String {
        match (self.message.as_str(), self.code.as_str()) {
            ("", "") if self.status == 403 => "access denied".to_owned(),
            ("", "") => format!("the service answered with HTTP status {} and no reason", self.status),
            ("", code) => code.to_owned(),
            (message, "") => message.to_owned(),
            (message, code) => format!("{message} ({code})"),
        }
    }

    pub(in crate::cloud::aws) fn is_denied(&self) -> bool {
        self.code.contains("AccessDenied")
            || self.code.contains("NotAuthorized")
            || (self.status == 403 && self.code.is_empty())
    }
}

/// Returns the service's error response, if there was one.
pub(in crate::cloud::aws) fn answer<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<Answer> {
    let SdkError::ServiceError(context) = error else { return None };
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Some(Answer {
        code: text(context.err().code()),
        message: text(context.err().message()),
        status: context.raw().status().as_u16(),
    })
}

/// The permission that a call needs. Denials often don't name it: S3 tells callers of other accounts nothing, and
/// responses to HEAD requests have no body.
#[derive(Clone, Copy, Debug)]
pub(in crate::cloud::aws) struct Permission<'a> {
    /// IAM action, such as `s3:GetObject`.
    pub(in crate::cloud::aws) action: &'a str,
    /// ARN of the resource.
    pub(in crate::cloud::aws) resource: &'a str,
}
