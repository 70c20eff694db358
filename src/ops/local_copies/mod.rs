//! Copies what a local job reads from S3 to this computer: channels, and the checkpoints that it resumes from.
//!
//! S3 is asked each time, by one list, what lies below a prefix. Objects that are new or have another ETag are fetched;
//! then a list of all is stored, which the job reads by its digest. A prefix is here only if exactly this prefix has a
//! list: neither one above it nor a fetch that broke off makes one. Objects that local jobs stored themselves are read
//! where S3 has nothing. [`inputs`] says what a job reads, [`asking`] asks S3, [`copy`] fetches, [`store`] keeps.

mod asking;
mod copy;
mod inputs;
mod report;
mod store;

use self::asking::{Asked, ask};
use self::copy::Copier;
use self::inputs::S3Input;
use self::store::CopyStore;
use crate::cloud::{ByteProgress, Cloud, ObjectSummary};
use crate::error::{Error, Result};
use crate::job::spec::JobSpec;
use crate::model::artifacts;
use crate::model::copies::{CopyRecord, JobCopies};

pub(crate) use self::report::{CopyChanges, InputReport, InputSource};

/// Copies what the job reads. `aws` is called only if something may be in S3.
pub(crate) async fn fetch<'a>(
    local: &Cloud,
    aws: impl AsyncFn() -> Result<&'a Cloud>,
    spec: &JobSpec,
    progress: ByteProgress,
) -> Result<(JobCopies, Vec<InputReport>)> {
    let own_bucket = format!("sagemaker-{}-{}", local.region, local.identity.account().await?);
    let store = CopyStore { local };
    let fetching = Fetching { store, aws, output: inputs::output(spec), progress };
    let mut copies = JobCopies::default();
    let mut reports = Vec::new();
    // Nothing in S3 belongs to the bucket of local jobs, whoever may have created one of that name.
    for input in inputs::of(spec)?.into_iter().filter(|input| input.uri.bucket() != own_bucket) {
        let Some((list, source)) = fetching.fetch(&input).await? else { continue };
        reports.push(InputReport { input: input.to_string(), uri: input.uri.to_string(), source });
        match (input.channel, list) {
            (Some(channel), Some(list)) => _ = copies.channels.insert(channel, list),
            (None, list) => copies.checkpoints = list,
            (Some(_), None) => {}
        }
    }
    Ok((copies, reports))
}

/// A copy for one job.
struct Fetching<'l, Aws> {
    store: CopyStore<'l>,
    aws: Aws,
    /// Prefix of the job's output, as far as the spec says it.
    output: Option<String>,
    progress: ByteProgress,
}

impl<'a, Aws: AsyncFn() -> Result<&'a Cloud>> Fetching<'_, Aws> {
    /// Returns the digest of the list to read, and where it comes from. Returns `None` for checkpoints of which there
    /// are none.
    async fn fetch(&self, input: &S3Input) -> Result<Option<(Option<String>, InputSource)>> {
        let record = self.store.record(&input.uri).await?;
        let known = record.clone().filter(|record| record.objects > 0);
        let stored = self.stored(input).await?;
        let is_replaceable = known.is_some() || !stored.is_empty() || input.channel.is_none();
        match ask(&self.aws, &input.uri, is_replaceable).await.map_err(|error| input.hint(error))? {
            Asked::Has(aws, objects) if !objects.is_empty() => {
                let (list, mut changes) = self.copy(aws, input, objects, record).await?;
                changes.unread = if input.channel.is_some() { stored.len() } else { 0 };
                Ok(Some((Some(list), InputSource::Copied(changes))))
            }
            Asked::Has(aws, _) => self.nothing_in_s3(aws, input, record, &stored).await,
            Asked::Failed(error) => match known {
                Some(CopyRecord { list, checked, .. }) => {
                    Ok(Some((Some(list), InputSource::Kept { checked, reason: error.to_string() })))
                }
                None => Ok(Some((None, InputSource::Local { reason: Some(error.to_string()) }))),
            },
        }
    }

    async fn copy(
        &self,
        aws: &Cloud,
        input: &S3Input,
        objects: Vec<ObjectSummary>,
        before: Option<CopyRecord>,
    ) -> Result<(String, CopyChanges)> {
        let copier = Copier { store: &self.store, aws, progress: &self.progress };
        copier.copy(&input.uri, objects, before).await.map_err(|error| input.hint(error))
    }

    /// Where S3 has nothing below the prefix, what local jobs stored there is read. A copy that is here becomes empty.
    async fn nothing_in_s3(
        &self,
        aws: &Cloud,
        input: &S3Input,
        record: Option<CopyRecord>,
        stored: &[ObjectSummary],
    ) -> Result<Option<(Option<String>, InputSource)>> {
        let emptied = match record {
            Some(record) => Some(self.copy(aws, input, Vec::new(), Some(record)).await?),
            None => None,
        };
        match (&input.channel, emptied) {
            (None, Some((list, changes))) => Ok(Some((Some(list), InputSource::Copied(changes)))),
            (None, None) => Ok(None),
            (Some(_), _) if !stored.is_empty() => Ok(Some((None, InputSource::Local { reason: None }))),
            (Some(_), _) => Err(input.hint(self.nothing(input).await?)),
        }
    }

    /// Returns the objects that local jobs stored below the prefix, and that the job may read.
    async fn stored(&self, input: &S3Input) -> Result<Vec<ObjectSummary>> {
        let mut stored = self.store.local.objects.list(&input.uri).await?;
        let output = self.output.as_deref().unwrap_or_default();
        stored.retain(|object| !artifacts::is_own_output(&object.uri, &input.uri, output));
        Ok(stored)
    }

    async fn nothing(&self, input: &S3Input) -> Result<Error> {
        let uri = &input.uri;
        let has_own = !self.store.local.objects.list(uri).await?.is_empty();
        Ok(Error::failure(if has_own {
            format!("nothing is stored at {uri} but what earlier jobs with the same output left on this computer")
        } else {
            format!("nothing is stored at {uri}, on this computer or in S3")
        }))
    }
}
