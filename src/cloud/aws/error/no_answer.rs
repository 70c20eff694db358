//! Errors without an answer of the service: of the credentials, a certificate, a proxy, the network or a timeout.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};

use super::chain::{find, innermost};
use super::response::answer;
use super::{advice, clock};
use crate::cloud::aws::proxies::{ProxyFailure, ProxyProblem};
use crate::cloud::{CloudError, FailureClass};

/// Start of rustls's errors about a server's certificate (rustls 0.23.46, `error.rs`).
const CERTIFICATE: &str = "invalid peer certificate";

/// Class, reason and hints of a failure.
type Explanation = (FailureClass, String, Vec<String>);

/// Explains an error without an answer.
pub(super) fn explain<E>(error: &SdkError<E, HttpResponse>) -> Explanation
where
    E: StdError + Send + Sync + 'static,
{
    if let Some(credentials) = find::<CredentialsError>(error) {
        return of_credentials(credentials);
    }
    if let Some(explanation) = of_connection(error) {
        return explanation;
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

fn of_credentials(error: &CredentialsError) -> Explanation {
    if let CredentialsError::CredentialsNotLoaded(_) = error {
        let why = "no AWS credentials are configured".to_owned();
        return (FailureClass::Unconfigured, why, advice::no_credentials_hints());
    }
    let with_context = |why: String| format!("could not get AWS credentials: {why}");
    match find::<CloudError>(error) {
        Some(CloudError::Unusable { what, hint }) => {
            return (FailureClass::Unconfigured, with_context(what.clone()), vec![hint.clone()]);
        }
        Some(CloudError::Service(error)) => {
            return (error.class, with_context(error.message.clone()), error.hints.clone());
        }
        _ => {}
    }
    if let Some((class, why, hints)) = of_role(error).or_else(|| of_connection(error)) {
        return (class, with_context(why), hints);
    }
    (FailureClass::Unconfigured, with_context(innermost(error)), advice::no_credentials_hints())
}

/// Explains a role that could not be assumed because of the clock.
fn of_role(error: &CredentialsError) -> Option<Explanation> {
    let failed = find::<SdkError<AssumeRoleError, HttpResponse>>(error)?;
    clock::explain(&answer(failed)?, failed.raw_response()?)
}

/// Explains a connection that was not made because of a proxy or a certificate.
fn of_connection(error: &(dyn StdError + 'static)) -> Option<Explanation> {
    if let Some(failure) = find::<ProxyFailure>(error) {
        return Some((FailureClass::Transient, failure.to_string(), proxy_hints(failure)));
    }
    let text = innermost(error);
    let problem = text.contains(CERTIFICATE).then(|| certificate_hint(&text))?;
    Some((FailureClass::Other, format!("the service's certificate is not trusted: {text}"), vec![problem.to_owned()]))
}

fn certificate_hint(text: &str) -> &'static str {
    if text.contains("UnknownIssuer") {
        "where a proxy or a gateway decrypts the traffic, its authority must be known: set AWS_CA_BUNDLE, or `ca_bundle` \
         of the profile, to a PEM file with the authority's certificate, or add it to that file"
    } else if text.contains("Expired") || text.contains("NotValidYet") {
        "this computer's clock may be wrong: see `date -u`"
    } else {
        "another host may answer in the service's place: check AWS_ENDPOINT_URL and HTTPS_PROXY if they are set"
    }
}

fn proxy_hints(failure: &ProxyFailure) -> Vec<String> {
    let variable = failure.proxy.variable;
    let hint = match failure.problem {
        ProxyProblem::Authentication => {
            format!("set {variable} to an address with them: http://USER:PASSWORD@HOST:PORT")
        }
        ProxyProblem::Refused(_) => "ask for the proxy to allow this host".to_owned(),
        ProxyProblem::Unreachable(_) => format!("check the address in {variable}"),
    };
    vec![hint, "or name the hosts that need no proxy in NO_PROXY: .amazonaws.com".to_owned()]
}

/// Retry classifier that forbids the retry of connections that would fail in the same way: by a certificate that isn't
/// trusted, or a proxy that refuses.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cloud::aws) struct RejectRefused;

impl ClassifyRetry for RejectRefused {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let connection = error.and_then(OrchestratorError::as_connector_error);
        match connection {
            Some(error) if of_connection(error).is_some() => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "give up a connection that is refused"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
