//! A service's answer to a failed call, and the permission that the call needs.

use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

/// An answer that is no success, as far as it can be told from the answer alone.
#[derive(Debug)]
pub(in crate::cloud::aws) struct Answer {
    /// The service's name for it; empty where the answer has no body, as that of a HEAD request.
    pub(in crate::cloud::aws) code: String,
    pub(in crate::cloud::aws) message: String,
    /// Of HTTP.
    pub(in crate::cloud::aws) status: u16,
}

impl Answer {
    pub(in crate::cloud::aws) fn is_one_of(&self, codes: &[&str]) -> bool {
        codes.iter().any(|code| self.code.starts_with(code))
    }

    pub(in crate::cloud::aws) fn is_denied(&self) -> bool {
        self.code.contains("AccessDenied")
            || self.code.contains("NotAuthorized")
            || (self.status == 403 && self.code.is_empty())
    }
}

/// The answer in an error, if the service gave one.
pub(in crate::cloud::aws) fn answer<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<Answer> {
    let SdkError::ServiceError(context) = error else { return None };
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Some(Answer {
        code: text(context.err().code()),
        message: text(context.err().message()),
        status: context.raw().status().as_u16(),
    })
}

/// The permission that a call takes. A service that denies it need not say which one that is: S3 tells those of other
/// accounts nothing, and HEAD requests have no body to tell it in.
#[derive(Clone, Copy, Debug)]
pub(in crate::cloud::aws) struct Permission<'a> {
    /// `s3:GetObject`.
    pub(in crate::cloud::aws) action: &'a str,
    /// The ARN of what the call acts on.
    pub(in crate::cloud::aws) resource: &'a str,
}
