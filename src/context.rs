//! What a command is given to work with.

use std::cell::OnceCell as SyncOnceCell;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::cloud::{AwsTarget, Cloud, CloudResult, Cost, OnFallback};
use crate::environment::Settings;
use crate::error::Result;
use crate::job::{Layers, Setting};
use crate::model::shell_quote;
use crate::ui::Ui;

/// Makes the services of an AWS account. Nobody is called.
pub(crate) type Connect = fn(AwsTarget, OnFallback) -> Pin<Box<dyn Future<Output = CloudResult<Cloud>> + Send>>;

pub(crate) struct Context {
    pub(crate) ui: Ui,
    pub(crate) settings: Settings,
    /// `--local` was given.
    pub(crate) local: bool,
    /// `--region` and `--profile`.
    pub(crate) place: AwsTarget,
    layers: SyncOnceCell<Layers>,
    local_cloud: Cloud,
    /// Set once [`Self::warn_of_local_state`] has done its work.
    warned: SyncOnceCell<()>,
    aws: OnceCell<Cloud>,
    connect: Connect,
}

impl Context {
    pub(crate) fn new(
        ui: Ui,
        settings: Settings,
        local: bool,
        place: AwsTarget,
        local_cloud: Cloud,
        connect: Connect,
    ) -> Self {
        Self {
            ui,
            settings,
            local,
            place,
            layers: SyncOnceCell::new(),
            local_cloud,
            warned: SyncOnceCell::new(),
            aws: OnceCell::new(),
            connect,
        }
    }

    /// The jobs of this computer.
    pub(crate) fn local_cloud(&self) -> &Cloud {
        &self.local_cloud
    }

    /// Warns, once, of what is about to be read of local jobs, if other users can have put it there.
    pub(crate) fn warn_of_local_state(&self) {
        self.warned.get_or_init(|| {
            if let Some(doubt) = self.settings.doubt_of_state() {
                self.ui.warning(format_args!("the state of local jobs may not be true: {doubt}; see SMTRAIN_HOME"));
            }
        });
    }

    /// The jobs of the account, made when first asked for. Flags win over `region`, which is a spec's, and that over the
    /// settings. The first region that is asked for stays.
    pub(crate) async fn aws(&self, region: Option<&str>) -> Result<&Cloud> {
        let place = self.place_on_aws(region)?;
        Ok(self.aws.get_or_try_init(|| (self.connect)(place, self.on_fallback())).await?)
    }

    /// An account whose services are never called.
    pub(crate) async fn offline(&self, region: Option<&str>) -> Result<Cloud> {
        let place = AwsTarget { offline: true, ..self.place_on_aws(region)? };
        Ok((self.connect)(place, self.on_fallback()).await?)
    }

    /// Returns what tells the user of calls that others replace: a warning where the result lacks something.
    fn on_fallback(&self) -> OnFallback {
        let ui = self.ui;
        Arc::new(move |cost, text| match cost {
            Cost::Result => ui.warning(text),
            Cost::Calls => ui.note(format_args!("note: {text}")),
        })
    }

    /// The flags that another command needs to find a job there again.
    pub(crate) fn place_flags(&self, cloud: &Cloud) -> String {
        let flag =
            |name: &str, value: &Option<String>| value.as_ref().map(|value| format!(" {name} {}", shell_quote(value)));
        let region = cloud.region.aws_name().map(str::to_owned).filter(|_| self.place.region.is_some());
        let profile = self.place.profile.clone().filter(|_| !cloud.is_local());
        [flag("--region", &region), flag("--profile", &profile)].into_iter().flatten().collect()
    }

    /// Where the command's jobs are, by its flags.
    pub(crate) async fn cloud(&self) -> Result<&Cloud> {
        if self.local { Ok(&self.local_cloud) } else { self.aws(None).await }
    }

    /// Only AWS is meant.
    pub(crate) fn is_for_aws(&self) -> bool {
        self.place != AwsTarget::default()
    }

    /// What the settings say. They are read once, by the first who asks.
    pub(crate) fn layers(&self) -> Result<&Layers> {
        if let Some(layers) = self.layers.get() {
            return Ok(layers);
        }
        let layers = self.settings.layers()?;
        layers.warnings.iter().for_each(|warning| self.ui.warning(warning));
        Ok(self.layers.get_or_init(|| layers))
    }

    fn place_on_aws(&self, region: Option<&str>) -> Result<AwsTarget> {
        let layers = self.layers()?;
        let of_settings = |setting: Option<Setting<&str>>| setting.map(|setting| setting.value.to_owned());
        let AwsTarget { region: flag, profile, .. } = self.place.clone();
        let region = flag.or(region.map(str::to_owned)).or_else(|| of_settings(layers.region()));
        Ok(AwsTarget { region, profile: profile.or_else(|| of_settings(layers.profile())), offline: false })
    }
}
