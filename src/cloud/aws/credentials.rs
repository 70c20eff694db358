//! Credentials by the SDK's default chain, kept until they expire, and fetched anew when a service says that they have.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use tokio::sync::Mutex as AsyncMutex;

use super::error::EXPIRED_CODES;
use super::files::AwsConfigFiles;
use super::{near, region};
use crate::cloud::AwsTarget;
use crate::model::IgnorePoison;

/// Credentials are renewed this long before they expire, so that none expires on its way.
const MARGIN: Duration = Duration::from_mins(1);
/// How often the same credentials are fetched anew at a service's word that they have expired.
const RENEWALS: u32 = 3;
/// Calls that were on their way with the credentials before are refused within so long.
const TOGETHER: Duration = Duration::from_millis(500);

/// The default chain, whose credentials can be called expired before their time.
#[derive(Clone, Debug)]
pub(super) struct Renewable {
    place: AwsTarget,
    files: AwsConfigFiles,
    /// Held while credentials are fetched, so that they are fetched once.
    fetching: Arc<AsyncMutex<()>>,
    state: Arc<Mutex<CredentialState>>,
}

#[derive(Debug, Default)]
struct CredentialState {
    current: Option<Credentials>,
    last: Option<Credentials>,
    /// Of the last credentials.
    renewals: u32,
    /// When they took the place of others.
    renewed: Option<Instant>,
}

impl Renewable {
    pub(super) fn new(place: AwsTarget, files: AwsConfigFiles) -> Self {
        Self { place, files, fetching: Arc::default(), state: Arc::default() }
    }

    async fn provide(&self) -> provider::Result {
        if let Some(current) = self.current() {
            return Ok(current);
        }
        let _fetching = self.fetching.lock().await;
        if let Some(current) = self.current() {
            return Ok(current);
        }
        let fetched = self.fetch().await?;
        self.state.lock().ignore_poison().keep(fetched.clone());
        Ok(fetched)
    }

    /// The chain is made anew each time: it would keep the profile's files as it once read them. A profile that is named is
    /// the one that is meant, as with every AWS tool: the environment's credentials don't come before it.
    async fn fetch(&self) -> provider::Result {
        self.files.check().map_err(CredentialsError::invalid_configuration)?;
        let region = region::provider(&self.place);
        let Some(profile) = &self.place.profile else {
            let context = ProviderConfig::default().with_http_client(near::client());
            let chain = DefaultCredentialsChain::builder().configure(context).imds_client(region::metadata_client());
            return chain.region(region).build().await.provide_credentials().await;
        };
        let context = ProviderConfig::without_region().with_region(region.region().await);
        let context = context.with_http_client(near::client());
        let chain = ProfileFileCredentialsProvider::builder().configure(&context).profile_name(profile);
        chain.build().provide_credentials().await
    }

    fn current(&self) -> Option<Credentials> {
        let state = self.state.lock().ignore_poison();
        state.current.clone().filter(|credentials| !is_expiring(credentials))
    }

    /// A call was refused because its credentials are no longer good. Whether it is worth asking again.
    fn forget(&self) -> bool {
        self.state.lock().ignore_poison().forget()
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

    fn forget(&mut self) -> bool {
        // Calls that were on their way together are refused together: the first one has them fetched anew for all.
        let was_just_renewed = self.renewed.is_some_and(|renewed| renewed.elapsed() < TOGETHER);
        if self.current.is_none() || was_just_renewed {
            return true;
        }
        self.current = None;
        self.renewals += 1;
        self.renewals <= RENEWALS
    }
}

fn is_expiring(credentials: &Credentials) -> bool {
    credentials.expiry().is_some_and(|expiry| expiry < SystemTime::now() + MARGIN)
}

impl ProvideCredentials for Renewable {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

/// Tries a call again, with new credentials, that a service refused because they had expired.
#[derive(Clone, Debug)]
pub(super) struct RenewExpired {
    credentials: Renewable,
}

impl RenewExpired {
    pub(super) fn new(credentials: Renewable) -> Self {
        Self { credentials }
    }
}

impl ClassifyRetry for RenewExpired {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(response) = context.response().filter(|response| is_refusal(response.status().as_u16())) else {
            return RetryAction::NoActionIndicated;
        };
        let body = response.body().bytes().unwrap_or_default();
        let kind = response.headers().get("x-amzn-errortype").unwrap_or_default();
        // A HEAD's answer has no body: nothing says why it is refused, so that one more try is fair.
        let is_silent = body.is_empty() && kind.is_empty() && response.status().as_u16() == 400;
        let text = String::from_utf8_lossy(body);
        let is_expired = EXPIRED_CODES.iter().any(|code| kind.contains(code) || text.contains(code));
        if (is_expired || is_silent) && self.credentials.forget() {
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
