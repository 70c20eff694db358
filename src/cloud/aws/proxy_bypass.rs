//! The HTTP client of credentials' sources. The metadata of the instance or the container that this runs on are reached
//! without a proxy: a proxy is another host, and would be sent the credentials, or answer with its own. Other sources (STS,
//! SSO) are reached as any service is.

use std::net::IpAddr;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, ConnectorBuilder, tls};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// The path of the instance's metadata below any endpoint.
const METADATA: &str = "/latest/";

/// Returns a client that asks the environment's proxies for nothing that is near.
pub(super) fn client() -> SharedHttpClient {
    SharedHttpClient::new(Client { direct: through(ProxyConfig::disabled), proxied: through(ProxyConfig::from_env) })
}

/// Returns a client as the SDK makes it, but for the proxy.
fn through(proxy: fn() -> ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = ConnectorBuilder::default().tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc));
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder.set_proxy_config(Some(proxy()));
        builder.build()
    })
}

#[derive(Debug)]
struct Client {
    direct: SharedHttpClient,
    proxied: SharedHttpClient,
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            direct: self.direct.http_connector(settings, components),
            proxied: self.proxied.http_connector(settings, components),
        })
    }
}

#[derive(Debug)]
struct Connector {
    direct: SharedHttpConnector,
    proxied: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if is_near(request.uri()) { self.direct.call(request) } else { self.proxied.call(request) }
    }
}

/// Tells whether a URI is of this instance, this container, or this computer.
fn is_near(uri: &str) -> bool {
    let Some((_, rest)) = uri.split_once("://") else { return false };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = match host.strip_prefix('[') {
        Some(host) => host.split(']').next().unwrap_or(host),
        None => host.split(':').next().unwrap_or(host),
    };
    path.starts_with(METADATA) || host == "localhost" || host.parse().is_ok_and(is_near_address)
}

fn is_near_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        // fd00:ec2::/32 is what AWS uses for what IPv4 has link-local addresses for.
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unicast_link_local()
                || matches!(address.segments(), [0xfd00, 0x0ec2, ..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn what_is_near() {
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
            assert!(is_near(uri), "{uri}");
        }
        for uri in [
            "https://sts.eu-west-1.amazonaws.com/",
            "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials",
            "https://169.254.example/",
            "https://example.com/?http://127.0.0.1/",
            "https://127.0.0.1@example.com/",
            "/latest/",
        ] {
            assert!(!is_near(uri), "{uri}");
        }
    }
}
