//! What was downloaded, as JSON.

use serde::Serialize;

use super::VERSION;
use crate::model::JobName;
use crate::model::downloaded::{Downloaded, Part};

#[derive(Debug, Serialize)]
pub(crate) struct DownloadJson {
    version: u32,
    job: String,
    folder: String,
    model: Option<PartJson>,
    output: Option<PartJson>,
}

#[derive(Debug, Serialize)]
struct PartJson {
    folder: String,
    files: usize,
    bytes: u64,
    /// Links that lead out of the artifact, as `NAME -> TARGET`: they were not made.
    left_out: Vec<String>,
}

impl DownloadJson {
    pub(crate) fn of(job: &JobName, downloaded: &Downloaded) -> Self {
        Self {
            version: VERSION,
            job: job.to_string(),
            folder: downloaded.folder.display().to_string(),
            model: downloaded.model.as_ref().map(part),
            output: downloaded.output.as_ref().map(part),
        }
    }
}

fn part(part: &Part) -> PartJson {
    PartJson {
        folder: part.folder.display().to_string(),
        files: part.files,
        bytes: part.bytes,
        left_out: part.left_out.clone(),
    }
}
