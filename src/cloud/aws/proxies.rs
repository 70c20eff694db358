//! The environment's proxies, by which errors name the one that failed. The SDK's HTTP client chooses the proxy itself
//! (hyper-util 0.1.21, `proxy/matcher.rs`); this follows its rules as far as an error needs.

use std::error::Error as StdError;
use std::io;

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::error::{find, innermost};

/// HTTP status by which a proxy asks for a user and a password.
const AUTHENTICATION_REQUIRED: u16 = 407;

/// A variable and the address of its proxy, without user and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedProxy {
    pub(crate) variable: &'static str,
    pub(crate) address: String,
}

/// The proxies of each scheme.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies {
    pub(crate) http: Option<NamedProxy>,
    pub(crate) https: Option<NamedProxy>,
    /// The hosts and domains of `NO_PROXY`.
    pub(crate) excluded: Vec<String>,
}

/// Failure of a proxy.
#[derive(Debug, thiserror::Error)]
#[error("the proxy {} ({}) {problem}", .proxy.address, .proxy.variable)]
pub(super) struct ProxyFailure {
    pub(super) proxy: NamedProxy,
    pub(super) problem: ProxyProblem,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ProxyProblem {
    #[error("asks for a user and a password (HTTP status 407)")]
    Authentication,
    #[error("refuses to connect to {0}")]
    Refused(String),
    #[error("can't be reached: {0}")]
    Unreachable(String),
}

impl Proxies {
    /// Returns the proxy for a URI.
    fn of(&self, uri: &str) -> Option<&NamedProxy> {
        let (scheme, rest) = uri.split_once("://")?;
        let proxy = if scheme == "https" { &self.https } else { &self.http };
        proxy.as_ref().filter(|_| !self.excludes(host(rest)))
    }

    fn excludes(&self, host: &str) -> bool {
        self.excluded.iter().any(|excluded| {
            let domain = excluded.trim_start_matches('.');
            excluded == "*" || host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
        })
    }

    /// Returns the outcome of a call, with the proxy named if it failed.
    pub(super) fn name_failure(&self, uri: &str, call: HttpConnectorFuture) -> HttpConnectorFuture {
        let Some(proxy) = self.of(uri).cloned() else { return call };
        let host = uri.split_once("://").map(|(_, rest)| host(rest)).unwrap_or_default().to_owned();
        HttpConnectorFuture::new(async move {
            match call.await {
                Ok(response) if response.status().as_u16() == AUTHENTICATION_REQUIRED => {
                    Err(refused(proxy, ProxyProblem::Authentication))
                }
                Err(error) => Err(named(error, proxy, host)),
                response => response as Result<HttpResponse, ConnectorError>,
            }
        })
    }
}

fn host(authority: &str) -> &str {
    authority.split(['/', '?', ':']).next().unwrap_or(authority)
}

/// Returns an error with the proxy named, if it is the proxy's.
fn named(error: ConnectorError, proxy: NamedProxy, host: String) -> ConnectorError {
    let text = innermost(&error);
    // hyper-util 0.1.21, `TunnelError`.
    if text.contains("proxy authorization required") {
        return refused(proxy, ProxyProblem::Authentication);
    }
    if text.contains("tunnel error") {
        return refused(proxy, ProxyProblem::Refused(host));
    }
    let io = find::<io::Error>(&error as &(dyn StdError + 'static)).map(io::Error::kind);
    let is_unreachable = matches!(io, Some(io::ErrorKind::ConnectionRefused | io::ErrorKind::HostUnreachable));
    if is_unreachable || text.contains("failed to lookup address") {
        return refused(proxy, ProxyProblem::Unreachable(text));
    }
    error
}

/// Returns the error of a proxy. It is none of the kinds that the SDK tries again.
fn refused(proxy: NamedProxy, problem: ProxyProblem) -> ConnectorError {
    ConnectorError::other(Box::new(ProxyFailure { proxy, problem }), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_of_a_uri() {
        let named = |variable| NamedProxy { variable, address: String::new() };
        let proxies = Proxies {
            http: None,
            https: Some(named("HTTPS_PROXY")),
            excluded: vec![".internal".to_owned(), "sts.amazonaws.com".to_owned()],
        };
        let variable = |uri| proxies.of(uri).map(|proxy| proxy.variable);
        assert_eq!(variable("https://api.sagemaker.eu-west-1.amazonaws.com/"), Some("HTTPS_PROXY"));
        for uri in
            ["http://a.b/", "https://sts.amazonaws.com:443/", "https://x.internal", "https://a.sts.amazonaws.com/"]
        {
            assert_eq!(variable(uri), None, "{uri}");
        }
    }
}
