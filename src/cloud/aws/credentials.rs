//! Credentials of the SDK's default chain, cached until they expire, and fetched again when a service rejects them as
//! expired.
//!
//! A service may reject credentials before their nominal expiry, for example after a new login. [`RenewExpired`] then
//! drops the cached ones and has the call retried. Calls in flight at the same time fail together; the first rejection
//! causes one renewal for all of them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use tokio::sync::Mutex as AsyncMutex;

use super::credential_chain;
use super::error::EXPIRED_CODES;
use super::settings::ConnectionSettings;
use super::variables::AwsVariables;
use crate::cloud::AwsTarget;
use crate::model::IgnorePoison;

/// Time before expiry at which credentials are renewed, so that they don't expire in flight.
const EXPIRY_MARGIN: Duration = Duration::from_mins(1);
/// Maximum time of a fetch. A `credential_process` may wait for a person who types a code.
const MAX_FETCH_TIME: Duration = Duration::from_mins(5);
/// Maximum number of renewals that may return the same credentials again.
const MAX_RENEWALS: u32 = 3;
/// Time after a renewal within which rejections are attributed to the previous credentials.
const RENEWAL_GRACE: Duration = Duration::from_millis(500);

/// Cached credentials of the default chain, which can be invalidated before they expire.
#[derive(Clone, Debug)]
pub(super) struct RenewableCredentials {
    target: AwsTarget,
    variables: AwsVariables,
    /// Settings of the first fetch. Later ones read the files again: a new login changes them.
    loaded: Arc<Mutex<Option<ConnectionSettings>>>,
    /// Held while credentials are fetched, so that concurrent calls cause one fetch.
    fetching: Arc<AsyncMutex<()>>,
    state: Arc<Mutex<CredentialState>>,
}

#[derive(Debug, Default)]
struct CredentialState {
    current: Option<Credentials>,
    last: Option<Credentials>,
    /// Number of renewals that returned `last` again.
    renewals: u32,
    /// Time of the last renewal.
    renewed: Option<Instant>,
}

impl RenewableCredentials {
    pub(super) fn new(settings: ConnectionSettings) -> Self {
        let target = settings.target.clone();
        let variables = settings.variables.clone();
        let loaded = Arc::new(Mutex::new(Some(settings)));
        Self { target, variables, loaded, fetching: Arc::default(), state: Arc::default() }
    }

    async fn provide(&self) -> provider::Result {
        if let Some(current) = self.current() {
            return Ok(current);
        }
        let _fetching = self.fetching.lock().await;
        if let Some(current) = self.current() {
            return Ok(current);
        }
        let fetched = within(MAX_FETCH_TIME, Box::pin(self.fetch())).await?;
        self.state.lock().ignore_poison().keep(fetched.clone());
        Ok(fetched)
    }

    /// Fetches credentials. The chain is built anew each time, since it caches what it reads.
    async fn fetch(&self) -> provider::Result {
        let loaded = self.loaded.lock().ignore_poison().take();
        let settings = match loaded {
            Some(settings) => Ok(settings),
            None => ConnectionSettings::load(self.target.clone(), self.variables.clone()),
        };
        credential_chain::fetch(&settings.map_err(CredentialsError::invalid_configuration)?).await
    }

    fn current(&self) -> Option<Credentials> {
        let state = self.state.lock().ignore_poison();
        state.current.clone().filter(|credentials| !is_expiring(credentials))
    }

    /// Invalidates the cached credentials after a rejection. Returns whether the call is worth a retry.
    fn invalidate(&self) -> bool {
        self.state.lock().ignore_poison().invalidate()
    }
}

impl CredentialState {
    fn keep(&mut self, fetched: Credentials) {
        let is_same = self.last.as_ref().is_some_and(|last| {
            last.access_key_id() == fetched.access_key_id() && last.session_token() == fetched.session_token()
        });
        if !is_same {
            self.renewals = 0;
        }
        self.renewed = self.last.as_ref().map(|_| Instant::now());
        self.current = Some(fetched.clone());
        self.last = Some(fetched);
    }

    fn invalidate(&mut self) -> bool {
        // Calls in flight together are rejected together: the first rejection renews the credentials for all.
        let was_just_renewed = self.renewed.is_some_and(|renewed| renewed.elapsed() < RENEWAL_GRACE);
        if self.current.is_none() || was_just_renewed {
            return true;
        }
        self.current = None;
        self.renewals += 1;
        self.renewals <= MAX_RENEWALS
    }
}

/// Limits the time of a fetch. The SDK waits for a `credential_process` as long as it runs.
async fn within(limit: Duration, fetch: impl Future<Output = provider::Result>) -> provider::Result {
    let late = |_| CredentialsError::provider_error(format!("none have come within {} s", limit.as_secs()));
    tokio::time::timeout(limit, fetch).await.map_err(late)?
}

fn is_expiring(credentials: &Credentials) -> bool {
    credentials.expiry().is_some_and(|expiry| expiry < SystemTime::now() + EXPIRY_MARGIN)
}

impl ProvideCredentials for RenewableCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

/// Retry classifier: retries a call whose credentials have expired, after it invalidated them.
#[derive(Clone, Debug)]
pub(super) struct RenewExpired {
    credentials: RenewableCredentials,
}

impl RenewExpired {
    pub(super) fn new(credentials: RenewableCredentials) -> Self {
        Self { credentials }
    }
}

impl ClassifyRetry for RenewExpired {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(response) = context.response().filter(|response| is_refusal(response.status().as_u16())) else {
            return RetryAction::NoActionIndicated;
        };
        let body = response.body().bytes().unwrap_or_default();
        let error_type = response.headers().get("x-amzn-errortype").unwrap_or_default();
        // The response to a HEAD request has no body and no reason, so that one retry is justified.
        let is_silent = body.is_empty() && error_type.is_empty() && response.status().as_u16() == 400;
        let text = String::from_utf8_lossy(body);
        let is_expired = EXPIRED_CODES.iter().any(|code| error_type.contains(code) || text.contains(code));
        if (is_expired || is_silent) && self.credentials.invalidate() {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "renew expired credentials"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

fn is_refusal(status: u16) -> bool {
    matches!(status, 400 | 401 | 403)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::cloud::aws::error::innermost;

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_never_ends_is_an_error() {
        let late = within(MAX_FETCH_TIME, pending()).await;
        assert!(late.is_err_and(|error| innermost(&error).contains("within 300 s")));
    }
}
