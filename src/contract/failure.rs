//! What a failed job says of itself: the text of `output/failure`, and the FailureReason that the service makes of it.
//!
//! Source: sagemaker-training 5.1.4, `errors.py` and `process.py`; botocore's shape `FailureReason`.

use nix::sys::signal::Signal;

/// The longest FailureReason, in characters.
const MAX_REASON: usize = 1024;
/// The exit code that a shell reports of a program which was ended by SIGKILL.
const KILLED: i32 = 137;
/// The container's own exit code when a program of the user failed, whatever that program's was.
pub(crate) const CONTAINER_EXIT_CODE: i32 = 1;

/// Which program of the user's failed: the toolkit's exception classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ToolkitError {
    /// The entry point.
    ExecuteUserScript,
    /// `pip install .`
    InstallModule,
    /// `pip install -r requirements.txt`
    InstallRequirements,
}

impl ToolkitError {
    fn class(self) -> &'static str {
        match self {
            Self::ExecuteUserScript => "ExecuteUserScriptError",
            Self::InstallModule => "InstallModuleError",
            Self::InstallRequirements => "InstallRequirementsError",
        }
    }
}

/// The text that the toolkit writes into `output/failure`, unless the script left one there itself. `exit_code` is Python's: minus the number for a signal.
pub(crate) fn failure_text(failure: ToolkitError, exit_code: i32, message: &str, command: &str) -> String {
    let class = failure.class();
    let extra = match exit_code {
        KILLED => "\nExtraInfo \"OutOfMemory: Process killed by SIGKILL (signal 9)\"".to_owned(),
        // The toolkit leaves it at the number.
        ..0 => format!("\nExtraInfo \"Process killed by {}\"", signal_name(-exit_code)),
        0.. => String::new(),
    };
    format!("{class}:\nExitCode {exit_code}\nErrorMessage \"{message}\"{extra}\nCommand \"{command}\"")
}

fn signal_name(number: i32) -> String {
    let name = Signal::try_from(number).map_or("an unknown signal", Signal::as_str);
    format!("{name} (signal {number})")
}

/// The job's FailureReason: `AlgorithmError: <text of output/failure>, exit code: N`. The text is cut, never the exit code.
pub(crate) fn failure_reason(failure_file: Option<&str>, exit_code: i32) -> String {
    let (before, after) = ("AlgorithmError: ", format!(", exit code: {exit_code}"));
    let room = MAX_REASON - before.len() - after.len();
    let text: String = failure_file.unwrap_or_default().trim_end().chars().take(room).collect();
    format!("{before}{text}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_toolkits_text() {
        let text = failure_text(ToolkitError::ExecuteUserScript, 1, "ValueError: no", "python -- train.py");
        let expected =
            "ExecuteUserScriptError:\nExitCode 1\nErrorMessage \"ValueError: no\"\nCommand \"python -- train.py\"";
        assert_eq!(text, expected);
        assert!(failure_text(ToolkitError::InstallModule, 137, "", "sh").contains("ExtraInfo \"OutOfMemory"));
        assert!(
            failure_text(ToolkitError::InstallRequirements, -15, "", "sh").contains("killed by SIGTERM (signal 15)")
        );
    }

    #[test]
    fn a_reason_is_cut_between_characters_and_keeps_its_exit_code() {
        assert_eq!(failure_reason(Some("bad\n"), 1), "AlgorithmError: bad, exit code: 1");
        assert_eq!(failure_reason(None, 3), "AlgorithmError: , exit code: 3");
        let reason = failure_reason(Some(&"é😀".repeat(3000)), -2_147_483_648);
        assert_eq!(reason.chars().count(), MAX_REASON);
        assert!(reason.ends_with("é, exit code: -2147483648") || reason.ends_with("😀, exit code: -2147483648"));
    }
}
