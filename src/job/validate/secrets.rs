//! Warns of values that look like secrets: everyone who may describe a job can read its hyperparameters, environment
//! and tags.

use serde_json::Value as Json;

use super::checks::Checks;
use crate::job::diagnostics::problem::Problem;
use crate::model::secrets::looks_like_one;

pub(crate) fn check(checks: &Checks<'_>) {
    let hyperparameters = checks.spec.hyperparameters.iter().map(|(name, value)| (name, text(value)));
    hyperparameters.for_each(|(name, value)| warn(checks, "hyperparameters", name, &value));
    checks.spec.environment.iter().for_each(|(name, value)| warn(checks, "environment", name, value));
    checks.spec.tags.iter().for_each(|(name, value)| warn(checks, "tags", name, value));
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Adds a warning without a place: the message would quote the line, and the secret with it.
fn warn(checks: &Checks<'_>, section: &str, name: &str, value: &str) {
    if looks_like_one(name, value) {
        let message = format!("`{section}.{name}` looks like a secret, and is sent in clear with the job");
        let hint = "have the script fetch it from Secrets Manager by its name; the job's role gives it the permission";
        checks.report.add(Problem::warning(message).hint(hint));
    }
}
