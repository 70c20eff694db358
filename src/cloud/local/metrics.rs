//! Training metrics of local jobs, read from the job's CSV file.

use std::fs::File;
use std::io;
use std::path::Path;

use async_trait::async_trait;

use crate::cloud::{CloudError, CloudResult, MetricHistory, MetricPoint, Metrics};
use crate::local::store::layout::Home;
use crate::local::store::private_file;
use crate::model::training_job::DescribeTrainingJobResponse;

/// Implements [`Metrics`] over the jobs' CSV files.
#[derive(Debug)]
pub(crate) struct LocalMetrics {
    home: Home,
}

impl LocalMetrics {
    pub(crate) fn new(home: Home) -> Self {
        Self { home }
    }
}

#[async_trait]
impl Metrics for LocalMetrics {
    async fn training_metrics(&self, job: &DescribeTrainingJobResponse) -> CloudResult<MetricHistory> {
        let path = self.home.job(&job.training_job_name).metrics();
        match private_file::open(&path, File::options().read(true)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(MetricHistory::default()),
            Err(error) => Err(unreadable(&path, error)),
            Ok(file) => {
                let rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file).into_records();
                let mut points = Vec::new();
                for row in rows {
                    match row {
                        Ok(row) => points.extend(point(&row)),
                        Err(error) if error.is_io_error() => return Err(unreadable(&path, error.into())),
                        // A crash may have cut the last row short.
                        Err(_) => {}
                    }
                }
                Ok(MetricHistory { points, ..MetricHistory::default() })
            }
        }
    }
}

fn unreadable(path: &Path, error: io::Error) -> CloudError {
    CloudError::io(format!("read {}", path.display()))(error)
}

fn point(row: &csv::StringRecord) -> Option<MetricPoint> {
    let timestamp = row.get(0)?.parse().ok()?;
    let value = row.get(2)?.parse().ok()?;
    let name = row.get(1)?.to_owned();
    Some(MetricPoint { name, timestamp, average: value, least: value, greatest: value, values: 1 })
}
