//! The driver of code that goes to an image of the user's own, stored by content.

use std::io::{Seek, Write};

use crate::cloud::{Cloud, Content};
use crate::contract::driver::DRIVER;
use crate::error::{Doing, Result};
use crate::job::request::{self, Facts};
use crate::job::spec::JobSpec;
use crate::model::{S3Uri, hex, sha256};

#[derive(Debug)]
pub(super) struct Driver {
    pub(super) uri: S3Uri,
    text: String,
}

impl Driver {
    /// None where the image brings what runs the code, or there is no code.
    pub(super) fn of(spec: &JobSpec, facts: &Facts<'_>, place: &S3Uri) -> Result<Option<Self>> {
        let Some(text) = request::driver(spec, facts).doing(|| "write the job's driver".to_owned())? else {
            return Ok(None);
        };
        let digest = sha256(&mut text.as_bytes(), |_| {}).doing(|| "digest the driver".to_owned())?;
        let uri = place.join(&format!("smtrain/driver/{}/{DRIVER}", hex(&digest)));
        Ok(Some(Self { uri, text }))
    }

    pub(super) async fn store(&self, cloud: &Cloud, kms_key_id: Option<String>) -> Result<()> {
        if cloud.objects.head(&self.uri).await?.is_some() {
            return Ok(());
        }
        let file = self.file().doing(|| "write a temporary file".to_owned())?;
        Ok(cloud.objects.put(&self.uri, Content { kms_key_id, ..Content::of(file) }).await?)
    }

    fn file(&self) -> std::io::Result<std::fs::File> {
        let mut file = tempfile::tempfile()?;
        file.write_all(self.text.as_bytes())?;
        file.rewind()?;
        Ok(file)
    }
}
