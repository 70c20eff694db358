//! The copies in the local object store: records, lists and the objects' bytes.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, Write};

use crate::cloud::{Cloud, CloudError, ObjectContent};
use crate::error::{Result, WithContext};
use crate::model::copies::{self, CopiedObject, CopyRecord};
use crate::model::{S3Uri, hex, sha256};
use crate::ops::blocking;

/// Maximum size of a record, in bytes.
const MAX_RECORD_BYTES: u64 = 64 * 1024;

/// The local object store, as far as it holds copies.
pub(super) struct CopyStore<'l> {
    pub(super) local: &'l Cloud,
}

impl CopyStore<'_> {
    /// Returns the record of a prefix, if its list is there. A record that can't be understood is none: S3 is asked
    /// anyway.
    pub(super) async fn record(&self, prefix: &S3Uri) -> Result<Option<CopyRecord>> {
        let Some(reader) = self.open(&copies::record(prefix)).await? else { return Ok(None) };
        let text = blocking(move || {
            let mut text = Vec::new();
            reader.take(MAX_RECORD_BYTES).read_to_end(&mut text).context("read the record of a copy")?;
            Ok(text)
        });
        let record: Option<CopyRecord> = serde_json::from_slice(&text.await?).ok();
        let Some(record) = record.filter(|record| record.uri == *prefix) else { return Ok(None) };
        let is_listed = self.local.objects.head(&copies::list(prefix, &record.list)).await?.is_some();
        Ok(is_listed.then_some(record))
    }

    /// Stores the list of a prefix, then the record that names it: until then, the prefix has the copy of before.
    pub(super) async fn keep(&self, record: CopyRecord, objects: Vec<CopiedObject>) -> Result<CopyRecord> {
        let written = blocking(move || {
            let mut file = tempfile::tempfile().context("create a temporary file")?;
            let write = || {
                let mut lines = BufWriter::new(&file);
                for object in &objects {
                    serde_json::to_writer(&mut lines, object)?;
                    lines.write_all(b"\n")?;
                }
                lines.flush()
            };
            write().context("write the list of a copy")?;
            file.rewind().context("write the list of a copy")?;
            let digest = sha256(&mut file, |_| {}).context("digest the list of a copy")?;
            Ok((file, hex(&digest)))
        });
        let (file, list) = written.await?;
        let record = CopyRecord { list, ..record };
        self.local.objects.put(&copies::list(&record.uri, &record.list), ObjectContent::of(file)).await?;
        let text = serde_json::to_vec(&record).context("write the record of a copy")?;
        let mut file = tempfile::tempfile().context("create a temporary file")?;
        file.write_all(&text).context("write the record of a copy")?;
        self.local.objects.put(&copies::record(&record.uri), ObjectContent::of(file)).await?;
        Ok(record)
    }

    /// Returns the number of objects of a list that are not among `keys`.
    pub(super) async fn count_dropped(&self, record: &CopyRecord, keys: HashSet<String>) -> Result<usize> {
        let Some(reader) = self.open(&copies::list(&record.uri, &record.list)).await? else { return Ok(0) };
        blocking(move || {
            let mut dropped = 0;
            for line in BufReader::new(reader).lines() {
                let line = line.context("read the list of a copy")?;
                let object: CopiedObject = serde_json::from_str(&line).context("read the list of a copy")?;
                dropped += usize::from(!keys.contains(&object.key));
            }
            Ok(dropped)
        })
        .await
    }

    async fn open(&self, uri: &S3Uri) -> Result<Option<Box<dyn Read + Send>>> {
        match self.local.objects.get(uri).await {
            Ok(reader) => Ok(Some(reader)),
            Err(CloudError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
