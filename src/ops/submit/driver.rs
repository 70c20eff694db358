//! Renders the driver script for code that runs in an image of the user's own, and stores it content-addressed.

use std::io::{Seek, Write};

use crate::contract::driver::DRIVER_FILE;
use crate::error::{Result, WithContext};
use crate::job::request::RequestDraft;
use crate::model::{S3Uri, hex, sha256};
use crate::ops::content::{self, ContentStore};

/// A rendered driver script.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) uri: S3Uri,
    text: String,
}

impl Driver {
    /// Renders the driver and names it by its digest below `place`; `None` if the job needs no driver.
    pub(super) fn of(request: &RequestDraft<'_>, place: &S3Uri) -> Result<Option<Self>> {
        let Some(text) = request.driver().context("write the job's driver")? else {
            return Ok(None);
        };
        let digest = sha256(&mut text.as_bytes(), |_| {}).context("digest the driver")?;
        let uri = place.join(&format!("smtrain/driver/{}/{DRIVER_FILE}", hex(&digest)));
        Ok(Some(Self { uri, text }))
    }

    pub(super) async fn store(&self, store: &ContentStore<'_>) -> Result<()> {
        let file = self.file().context("write a temporary file")?;
        store.store(&self.uri, &content::digest(&file)?, || Ok(file)).await
    }

    /// Writes the script to a temporary file.
    fn file(&self) -> std::io::Result<std::fs::File> {
        let mut file = tempfile::tempfile()?;
        file.write_all(self.text.as_bytes())?;
        file.rewind()?;
        Ok(file)
    }
}
