//! The context of a command: settings, clouds, output.

use std::cell::OnceCell;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::OnceCell as AsyncOnceCell;

use crate::cloud::{AwsTarget, Cloud, CloudResult, Cost, OnFallback};
use crate::environment::{self, Settings};
use crate::error::Result;
use crate::job::{Layers, Setting};
use crate::model::shell_quote;
use crate::ui::Ui;

/// Builds the services of an AWS account. Performs no network I/O.
pub(crate) type Connect = fn(AwsTarget, OnFallback) -> Pin<Box<dyn Future<Output = CloudResult<Cloud>> + Send>>;

/// Settings, clouds and output of a command.
pub(crate) struct Context {
    pub(crate) ui: Ui,
    pub(crate) settings: Settings,
    /// True with `--local`.
    pub(crate) local: bool,
    /// AWS target of `--region` and `--profile`.
    pub(crate) target: AwsTarget,
    layers: OnceCell<Layers>,
    local_cloud: Cloud,
    /// Set once [`Self::warn_of_local_state`] has run.
    warned: OnceCell<()>,
    aws: AsyncOnceCell<Cloud>,
    connect: Connect,
}

impl Context {
    pub(crate) fn new(
        ui: Ui,
        settings: Settings,
        local: bool,
        target: AwsTarget,
        local_cloud: Cloud,
        connect: Connect,
    ) -> Self {
        Self {
            ui,
            settings,
            local,
            target,
            layers: OnceCell::new(),
            local_cloud,
            warned: OnceCell::new(),
            aws: AsyncOnceCell::new(),
            connect,
        }
    }

    /// Returns the local cloud.
    pub(crate) fn local_cloud(&self) -> &Cloud {
        &self.local_cloud
    }

    /// Warns, once, if other users could have changed the state of local jobs.
    pub(crate) fn warn_of_local_state(&self) {
        self.warned.get_or_init(|| {
            if let Some(doubt) = self.settings.doubt_of_state() {
                self.ui.warning(format_args!("the state of local jobs can't be trusted: {doubt}; see SMTRAIN_HOME"));
            }
        });
    }

    /// Returns the AWS cloud, created on first use. Flags win over `region`, which is the spec's, and that wins over
    /// the settings. The first call determines the region.
    pub(crate) async fn aws(&self, region: Option<&str>) -> Result<&Cloud> {
        let target = self.aws_target(region)?;
        Ok(self.aws.get_or_try_init(|| (self.connect)(target, self.on_fallback())).await?)
    }

    /// Returns an AWS cloud whose services are never called.
    pub(crate) async fn offline(&self, region: Option<&str>) -> Result<Cloud> {
        let target = AwsTarget { offline: true, ..self.aws_target(region)? };
        Ok((self.connect)(target, self.on_fallback()).await?)
    }

    /// Returns the callback that tells the user of replaced calls: a warning if the result lacks something.
    fn on_fallback(&self) -> OnFallback {
        let ui = self.ui;
        Arc::new(move |cost, text| match cost {
            Cost::Result => ui.warning(text),
            Cost::Calls => ui.note(format_args!("note: {text}")),
        })
    }

    /// Returns the flags that another command needs to find a job of this cloud.
    pub(crate) fn target_flags(&self, cloud: &Cloud) -> String {
        let flag =
            |name: &str, value: &Option<String>| value.as_ref().map(|value| format!(" {name} {}", shell_quote(value)));
        let region = cloud.region.aws_name().map(str::to_owned).filter(|_| self.target.region.is_some());
        let profile = self.target.profile.clone().filter(|_| !cloud.is_local());
        [flag("--region", &region), flag("--profile", &profile)].into_iter().flatten().collect()
    }

    /// Returns the cloud that the flags select.
    pub(crate) async fn cloud(&self) -> Result<&Cloud> {
        if self.local { Ok(&self.local_cloud) } else { self.aws(None).await }
    }

    /// Returns true if the flags select AWS only.
    pub(crate) fn is_for_aws(&self) -> bool {
        self.target != AwsTarget::default()
    }

    /// Returns the profile that a flag, the settings or the environment names, in this order.
    pub(crate) fn profile(&self) -> Option<String> {
        let target = self.aws_target(None).ok()?;
        target.profile.or_else(|| environment::aws_profile().map(|(_, profile)| profile))
    }

    /// Returns the settings layers, which are read on first use.
    pub(crate) fn layers(&self) -> Result<&Layers> {
        if let Some(layers) = self.layers.get() {
            return Ok(layers);
        }
        let layers = self.settings.layers()?;
        layers.warnings.iter().for_each(|warning| self.ui.warning(warning));
        Ok(self.layers.get_or_init(|| layers))
    }

    /// Returns the AWS region that a flag, the spec or the settings name, in this order.
    pub(crate) fn region(&self, of_spec: Option<&str>) -> Result<Option<String>> {
        Ok(self.aws_target(of_spec)?.region)
    }

    /// Resolves the AWS target from flags, spec and settings, in this order.
    fn aws_target(&self, region: Option<&str>) -> Result<AwsTarget> {
        let layers = self.layers()?;
        let from_settings = |setting: Option<Setting<&str>>| setting.map(|setting| setting.value.to_owned());
        let AwsTarget { region: flag, profile, .. } = self.target.clone();
        let setting = layers.profile().filter(|_| profile.is_none());
        let profile_origin = setting.as_ref().map(|setting| setting.origin.clone());
        let profile = profile.or_else(|| from_settings(setting));
        let region = flag.or(region.map(str::to_owned)).or_else(|| from_settings(layers.region()));
        Ok(AwsTarget { region, profile, profile_origin, offline: false })
    }
}
