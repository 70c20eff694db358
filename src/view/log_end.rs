//! Summary of a followed log.

use jiff::SignedDuration;

use crate::model::time;
use crate::model::training_job::DescribeTrainingJobResponse;

/// Counts of a log that was followed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogEnd {
    pub(crate) lines: u64,
    pub(crate) late: u64,
    pub(crate) gaps: usize,
    /// Number of nodes that have logged.
    pub(crate) nodes: usize,
    /// Number of nodes that the job has, if known.
    pub(crate) expected: Option<usize>,
    /// True if the rest could not be read because the caller lacks the permission.
    pub(crate) is_denied: bool,
}

/// Formats the counts: `48,213 lines, 64/64 nodes, 12 late, 0 gaps`.
pub(crate) fn lines(end: &LogEnd) -> String {
    let LogEnd { lines, late, gaps, nodes, expected, is_denied } = end;
    if *is_denied && *lines == 0 {
        return "the log was not read: access denied".to_owned();
    }
    let rest = if *is_denied { "; the rest was not read: access denied" } else { "" };
    let noun = if *lines == 1 { "line" } else { "lines" };
    let lines = grouped(*lines);
    let of = expected.map_or_else(String::new, |expected| format!("/{expected}"));
    let node = if expected.unwrap_or(*nodes) == 1 { "node" } else { "nodes" };
    let gap = if *gaps == 1 { "gap" } else { "gaps" };
    format!("{lines} {noun}, {nodes}{of} {node}, {} late, {gaps} {gap}{rest}", grouped(*late))
}

/// Returns a warning about gaps; `None` without any.
pub(crate) fn gaps(count: usize) -> Option<String> {
    let places = if count == 1 { "one place".to_owned() } else { format!("{count} places") };
    (count > 0).then(|| format!("lines may be missing in {places} of this log, which it marks: smtrain logs -o json"))
}

/// Formats a number with thousands separators.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = (digits.len() - 1) % 3 + 1;
    let (first, rest) = digits.split_at(first);
    let groups = rest.as_bytes().chunks(3).map(|group| format!(",{}", String::from_utf8_lossy(group)));
    groups.fold(first.to_owned(), |text, group| text + &group)
}

/// Formats the phases: `Starting 1m 2s, Training 5m 0s; billed 5m 10s`. Returns `None` if no phase took any time.
pub(crate) fn phases(state: &DescribeTrainingJobResponse) -> Option<String> {
    let transitions = state.secondary_status_transitions.iter().flatten();
    let ended = transitions.filter_map(|phase| Some((&phase.status, phase.end_time?.duration_since(phase.start_time))));
    let took: Vec<String> = ended
        .filter(|(_, time)| time.as_secs() > 0)
        .map(|(phase, time)| format!("{phase} {}", time::duration(time)))
        .collect();
    let billed = state.billable_time_in_seconds.filter(|seconds| *seconds > 0);
    let billed = billed.map(|seconds| format!("billed {}", time::duration(SignedDuration::from_secs(seconds.into()))));
    let all = [Some(took.join(", ")).filter(|text| !text.is_empty()), billed];
    let text = all.into_iter().flatten().collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then_some(text)
}

/// Formats the first traceback of a job of several nodes.
pub(crate) fn traceback(node: &str, lines: &[String]) -> String {
    format!("first failure, on {node}:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (48_213, "48,213"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        let end = LogEnd { lines: 1, late: 0, gaps: 0, nodes: 1, expected: Some(1), is_denied: false };
        assert_eq!(lines(&end), "1 line, 1/1 node, 0 late, 0 gaps");
        let end = LogEnd { lines: 48_213, late: 12, nodes: 64, expected: Some(64), ..end };
        assert_eq!(lines(&end), "48,213 lines, 64/64 nodes, 12 late, 0 gaps");
        let end = LogEnd { is_denied: true, ..end };
        assert!(lines(&end).starts_with("48,213 lines, 64/64 nodes, 12 late, 0 gaps; the rest was not read"));
        assert!(lines(&LogEnd { lines: 0, ..end }).starts_with("the log was not read"));
    }
}
