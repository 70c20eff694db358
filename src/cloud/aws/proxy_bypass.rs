//! HTTP client of the credential providers, which bypasses the environment's proxies for metadata services.
//!
//! A proxy is another host: it would receive the credentials of the instance or container that smtrain runs on, or
//! could answer with its own. STS and SSO are reached as any service is, through the proxy.

use std::net::IpAddr;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, ConnectorBuilder, tls};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::network::NetworkSettings;
use super::proxies::Proxies;

/// Path prefix of the instance metadata service, below any endpoint.
const METADATA: &str = "/latest/";

/// Returns a client that connects to metadata services and loopback addresses directly, and to others through the
/// environment's proxies.
pub(super) fn client(network: &NetworkSettings) -> SharedHttpClient {
    SharedHttpClient::new(BypassingClient {
        direct: client_with_proxy(ProxyConfig::disabled, network),
        proxied: service_client(network),
    })
}

/// Returns a client that connects through the environment's proxies, for services.
pub(super) fn service_client(network: &NetworkSettings) -> SharedHttpClient {
    let client = client_with_proxy(ProxyConfig::from_env, network);
    SharedHttpClient::new(ProxiedClient { client, proxies: network.proxies.clone() })
}

/// Returns the SDK's default client with another proxy configuration and other trusted certificates.
fn client_with_proxy(proxy: fn() -> ProxyConfig, network: &NetworkSettings) -> SharedHttpClient {
    let context = network.trust.tls_context();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let builder = ConnectorBuilder::default().tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc));
        let mut builder = builder.tls_context(context.clone());
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder.set_proxy_config(Some(proxy()));
        builder.build()
    })
}

/// A client whose errors name the proxy that failed.
#[derive(Debug)]
struct ProxiedClient {
    client: SharedHttpClient,
    proxies: Proxies,
}

impl HttpClient for ProxiedClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let connector = self.client.http_connector(settings, components);
        SharedHttpConnector::new(ProxiedConnector { connector, proxies: self.proxies.clone() })
    }
}

#[derive(Debug)]
struct ProxiedConnector {
    connector: SharedHttpConnector,
    proxies: Proxies,
}

impl HttpConnector for ProxiedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri = request.uri().to_owned();
        self.proxies.name_failure(&uri, self.connector.call(request))
    }
}

#[derive(Debug)]
struct BypassingClient {
    direct: SharedHttpClient,
    proxied: SharedHttpClient,
}

impl HttpClient for BypassingClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(BypassingConnector {
            direct: self.direct.http_connector(settings, components),
            proxied: self.proxied.http_connector(settings, components),
        })
    }
}

#[derive(Debug)]
struct BypassingConnector {
    direct: SharedHttpConnector,
    proxied: SharedHttpConnector,
}

impl HttpConnector for BypassingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if is_metadata_or_loopback(request.uri()) { self.direct.call(request) } else { self.proxied.call(request) }
    }
}

/// Returns whether a URI belongs to the metadata service of the instance or container, or to the loopback.
fn is_metadata_or_loopback(uri: &str) -> bool {
    let Some((_, rest)) = uri.split_once("://") else { return false };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = match host.strip_prefix('[') {
        Some(host) => host.split(']').next().unwrap_or(host),
        None => host.split(':').next().unwrap_or(host),
    };
    path.starts_with(METADATA) || host == "localhost" || host.parse().is_ok_and(is_link_local_or_loopback)
}

fn is_link_local_or_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        // AWS uses fd00:ec2::/32 in place of IPv4's link-local addresses.
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unicast_link_local()
                || matches!(address.segments(), [0xfd00, 0x0ec2, ..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_metadata_or_loopback;

    #[test]
    fn metadata_services_and_loopback_bypass_the_proxy() {
        for uri in [
            "http://169.254.169.254/latest/api/token",
            "http://[fd00:ec2::254]/latest/api/token",
            "http://169.254.170.2/v2/credentials",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
            "http://127.0.0.1:8080/creds?x=1",
            "http://localhost:8080",
            "http://[::1]:80/",
            "http://metadata.example/latest/meta-data/iam/security-credentials/",
        ] {
            assert!(is_metadata_or_loopback(uri), "{uri}");
        }
        for uri in [
            "https://sts.eu-west-1.amazonaws.com/",
            "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials",
            "https://169.254.example/",
            "https://example.com/?http://127.0.0.1/",
            "https://127.0.0.1@example.com/",
            "/latest/",
        ] {
            assert!(!is_metadata_or_loopback(uri), "{uri}");
        }
    }
}
