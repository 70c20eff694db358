//! The settings of a connection: the target, the environment, the profiles and the trusted certificates, each read once.

use super::network::NetworkSettings;
use super::profiles::{Profiles, SelectedProfile};
use super::trust::Trust;
use super::variables::AwsVariables;
use crate::cloud::{AwsTarget, CloudResult};

/// The settings of a connection.
#[derive(Clone, Debug)]
pub(super) struct ConnectionSettings {
    pub(super) target: AwsTarget,
    pub(super) variables: AwsVariables,
    pub(super) profiles: Profiles,
    pub(super) selection: SelectedProfile,
    pub(super) network: NetworkSettings,
}

impl ConnectionSettings {
    /// Reads the files. Fails if one can't be read, or if a profile or a bundle of certificates is named that doesn't
    /// exist.
    pub(super) fn load(target: AwsTarget, variables: AwsVariables) -> CloudResult<Self> {
        let profiles = Profiles::read(&variables.files)?;
        let selection = SelectedProfile::new(&target, variables.profile.as_ref());
        profiles.check_selected(&selection)?;
        let trust = Trust::load(&variables, &profiles, &selection)?;
        let network = NetworkSettings { trust, proxies: variables.proxies.clone() };
        Ok(Self { target, variables, profiles, selection, network })
    }
}
