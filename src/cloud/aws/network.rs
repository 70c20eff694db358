//! How services are reached: the certificates that are trusted, and the proxies.

use super::proxies::Proxies;
use super::trust::Trust;

/// The settings of all HTTP clients.
#[derive(Clone, Debug, Default)]
pub(super) struct NetworkSettings {
    pub(super) trust: Trust,
    pub(super) proxies: Proxies,
}
