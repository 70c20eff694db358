//! Finds the variables that name proxies, as the SDK's HTTP client reads them (hyper-util 0.1.21, `proxy/matcher.rs`).

use super::variable;

const HTTP: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
const HTTPS: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Returns the variable that names the proxy of a scheme, and the proxy's address without user and password.
pub(crate) fn proxy(scheme: &str) -> Option<(&'static str, String)> {
    let names = if scheme == "https" { HTTPS } else { HTTP };
    let (name, value) = names.into_iter().find_map(|name| Some((name, variable(name)?)))?;
    Some((name, without_user(&value)))
}

/// Returns the hosts and domains that need no proxy.
pub(crate) fn hosts_without_proxy() -> Vec<String> {
    let list = NO_PROXY.into_iter().find_map(variable).unwrap_or_default();
    list.split(',').map(str::trim).filter(|host| !host.is_empty()).map(str::to_owned).collect()
}

/// Returns an address without user and password, which end with the last `@`.
fn without_user(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").map_or((None, address), |(scheme, rest)| (Some(scheme), rest));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    scheme.map_or_else(|| rest.to_owned(), |scheme| format!("{scheme}://{rest}"))
}

#[cfg(test)]
mod tests {
    use super::without_user;

    #[test]
    fn addresses_without_passwords() {
        for (address, shown) in [
            ("http://proxy:3128", "http://proxy:3128"),
            ("http://user:p@ss/w@proxy:3128/", "http://proxy:3128/"),
            ("user:pass@proxy:3128", "proxy:3128"),
            ("proxy", "proxy"),
        ] {
            assert_eq!(without_user(address), shown);
        }
    }
}
