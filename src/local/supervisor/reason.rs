//! Texts of a job's FailureReason.

use std::iter;

use crate::local::LocalError;

/// Maximum length of a FailureReason, in characters (SageMaker API reference, DescribeTrainingJob).
pub(super) const MAX_REASON: usize = 1024;

/// Returns the reason of a job that failed through no fault of its script, in SageMaker's form.
pub(super) fn internal_error(error: &LocalError) -> String {
    shortened(&format!("InternalServerError: {}", with_causes(error)), MAX_REASON)
}

/// Shortens a text to `max` characters by leaving out its middle, as of a long path.
pub(super) fn shortened(text: &str, max: usize) -> String {
    let count = text.chars().count();
    if count <= max {
        return text.to_owned();
    }
    let kept = max.saturating_sub(3);
    let start: String = text.chars().take(kept.div_ceil(2)).collect();
    let end: String = text.chars().skip(count - kept / 2).collect();
    format!("{start}...{end}")
}

/// Returns an error and its causes on one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
