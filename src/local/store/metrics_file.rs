//! Writes a job's metric values to a CSV file: the expressions of `[metrics]`, applied to each line of the log.

use std::fs::File;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use regex::bytes::Regex;

use super::private_file;
use crate::model::request::MetricDefinition;
use crate::model::training_job::MetricData;

/// Extracts metric values from lines and appends them to a file.
#[derive(Debug)]
pub(crate) struct MetricsWriter {
    definitions: Vec<(String, Regex)>,
    file: csv::Writer<File>,
    /// Last value of each metric, by its index in `definitions`.
    last: Vec<Option<(Timestamp, f64)>>,
    /// Last time and its text, which lines that arrive together share.
    now: (Timestamp, String),
}

impl MetricsWriter {
    /// Opens a file for appending. Expressions that Rust's engine doesn't support (look-around) match nothing.
    pub(crate) fn append(path: &Path, definitions: &[MetricDefinition]) -> io::Result<Self> {
        let file = private_file::open(path, File::options().create(true).append(true))?;
        let file = csv::WriterBuilder::new().has_headers(false).from_writer(file);
        let compiled = |metric: &MetricDefinition| Some((metric.name.clone(), Regex::new(&metric.regex).ok()?));
        let definitions: Vec<_> = definitions.iter().filter_map(compiled).collect();
        let last = vec![None; definitions.len()];
        Ok(Self { definitions, file, last, now: (Timestamp::MIN, String::new()) })
    }

    pub(crate) fn line(&mut self, now: Timestamp, line: &[u8]) -> io::Result<()> {
        for ((name, expression), last) in self.definitions.iter().zip(&mut self.last) {
            for (text, value) in expression.captures_iter(line).filter_map(|found| number(found.get(1)?.as_bytes())) {
                if self.now.0 != now {
                    self.now = (now, now.to_string());
                }
                self.file.write_record([&self.now.1, name, text])?;
                *last = Some((now, value));
            }
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// Returns DescribeTrainingJob's FinalMetricDataList, in the order of the definitions.
    pub(crate) fn final_values(&self) -> Vec<MetricData> {
        let values = self.definitions.iter().zip(&self.last).filter_map(|((name, _), last)| {
            let (timestamp, value) = (*last)?;
            Some(MetricData { metric_name: Some(name.clone()), value: Some(value), timestamp: Some(timestamp) })
        });
        values.collect()
    }
}

/// Parses a finite number. CloudWatch accepts neither NaN nor infinities.
fn number(text: &[u8]) -> Option<(&str, f64)> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let value = text.parse().ok().filter(|value: &f64| value.is_finite())?;
    Some((text, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_picked_kept_and_read_back() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("metrics.csv");
        let loss = MetricDefinition { name: "train:loss".into(), regex: "loss=([0-9.naif]+)".into() };
        let mut metrics = MetricsWriter::append(&path, &[loss])?;
        for line in [&b"loss=0.5 loss=0.25"[..], b"\xff loss=0.125", b"loss=nan", b"other"] {
            metrics.line(Timestamp::UNIX_EPOCH, line)?;
        }
        metrics.flush()?;
        assert_eq!(metrics.final_values().iter().map(|metric| metric.value).collect::<Vec<_>>(), [Some(0.125)]);
        let rows = std::fs::read_to_string(&path)?;
        assert_eq!(rows.lines().count(), 3);
        assert!(rows.starts_with("1970-01-01T00:00:00Z,train:loss,0.5\n"));
        Ok(())
    }
}
