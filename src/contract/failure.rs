//! The texts of a failed job: `output/failure`, and the FailureReason that the service derives from it.
//!
//! Source: sagemaker-training 5.1.4, `errors.py` and `process.py`; botocore's shape `FailureReason`.

use nix::sys::signal::Signal;

/// Maximum length of a FailureReason, in characters.
const MAX_REASON_CHARS: usize = 1024;
/// Exit code that a shell returns for a program ended by SIGKILL.
const KILLED_EXIT_CODE: i32 = 137;
/// Exit code of the container when a program of the user failed with any code.
pub(crate) const CONTAINER_EXIT_CODE: i32 = 1;

/// The toolkit's exception classes, by the program of the user that failed.
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
    /// Name of the class in the toolkit.
    fn class_name(self) -> &'static str {
        match self {
            Self::ExecuteUserScript => "ExecuteUserScriptError",
            Self::InstallModule => "InstallModuleError",
            Self::InstallRequirements => "InstallRequirementsError",
        }
    }
}

/// Returns the text that the toolkit writes into `output/failure` if the script wrote none itself. `exit_code` is
/// Python's: negative for a signal.
pub(crate) fn failure_text(failure: ToolkitError, exit_code: i32, message: &str, command: &str) -> String {
    let class = failure.class_name();
    let extra = match exit_code {
        KILLED_EXIT_CODE => "\nExtraInfo \"OutOfMemory: Process killed by SIGKILL (signal 9)\"".to_owned(),
        // The toolkit writes only the number.
        ..0 => format!("\nExtraInfo \"Process killed by {}\"", signal_name(-exit_code)),
        0.. => String::new(),
    };
    format!("{class}:\nExitCode {exit_code}\nErrorMessage \"{message}\"{extra}\nCommand \"{command}\"")
}

fn signal_name(number: i32) -> String {
    let name = Signal::try_from(number).map_or("an unknown signal", Signal::as_str);
    format!("{name} (signal {number})")
}

/// Returns the job's FailureReason: `AlgorithmError: <text of output/failure>, exit code: N`. The text is cut to
/// [`MAX_REASON_CHARS`], never the exit code.
pub(crate) fn failure_reason(failure_file: Option<&str>, exit_code: i32) -> String {
    let before = "AlgorithmError: ";
    let after = format!(", exit code: {exit_code}");
    let room = MAX_REASON_CHARS - before.len() - after.len();
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
        assert_eq!(reason.chars().count(), MAX_REASON_CHARS);
        assert!(reason.ends_with("é, exit code: -2147483648") || reason.ends_with("😀, exit code: -2147483648"));
    }
}
