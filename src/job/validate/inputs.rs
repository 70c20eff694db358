//! Checks the channels' keys against their input mode.
//!
//! Source: botocore 1.44.5, documentation of `Channel` and `S3DataSource`.

use super::checks::Checks;
use crate::job::diagnostics::problem::Problem;
use crate::job::spec::{ChannelSpec, InputMode, S3DataType};

pub(crate) fn check(checks: &Checks<'_>) {
    for channel in &checks.spec.channels {
        if channel.input_mode.unwrap_or(checks.spec.input_mode) != InputMode::Pipe {
            only_in_pipe_mode(checks, channel);
        }
    }
}

fn only_in_pipe_mode(checks: &Checks<'_>, channel: &ChannelSpec) {
    let hint = "add input_mode = \"Pipe\" to the channel";
    if channel.s3_data_type == Some(S3DataType::AugmentedManifestFile) {
        let path = ["channels", &channel.name, "s3_data_type"];
        checks.refuse(&path, "an augmented manifest can only be read in Pipe mode", hint);
    }
    let unused = [("compression", channel.gzip), ("record_wrapper", channel.record_io)];
    for (key, _) in unused.into_iter().filter(|(_, given)| *given == Some(true)) {
        let problem = Problem::warning(format!("`{key}` is only used in Pipe mode")).hint(hint);
        checks.add(&["channels", &channel.name, key], problem);
    }
}
