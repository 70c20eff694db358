//! Hints for a failed job, by the text of its failure reason.

/// Hints for a process that SIGKILL ended. Nothing in the code says who sent it.
const KILLED: &str = "it was killed (SIGKILL), most often because memory was short: a larger instance type, smaller \
     batches or fewer data loader workers; else by its own code or launcher";
const KILLED_HERE: &str = "it was killed (SIGKILL), most often because this computer's memory was short, which its kernel's \
     log tells (dmesg): smaller batches or fewer data loader workers; else by a user or its own code";

/// Returns hints for a FailureReason. For an error of the script itself, that is its log.
pub(crate) fn advice(reason: &str, job: &str, is_local: bool) -> Vec<String> {
    let lower = reason.to_lowercase();
    let read_log = format!("read its log: smtrain logs {job}");
    let hint = if reason.starts_with("CapacityError") {
        "AWS had no such instance free: try again later, or another instance type; with GPUs or Neuron devices, \
         limits.max_pending waits for one"
    } else if is_about_image(&lower) {
        "the job's role could not pull the image: check its URI and region, the role's ECR permissions, and the \
         repository's policy"
    } else if lower.contains("no s3 objects found") {
        "a channel's prefix is empty: see what is there with `aws s3 ls`, and mind the channel's s3_data_type"
    } else if lower.contains("accessdenied") || lower.contains("access denied") || lower.contains("not authorized") {
        "the job's role lacks a permission: it needs the data, the output and the code's bucket, and their KMS keys"
    } else if lower.contains("out of memory") || lower.contains("outofmemory") {
        "it ran out of memory: a larger instance type, or smaller batches"
    } else if is_killed(&lower) {
        if is_local { KILLED_HERE } else { KILLED }
    } else if lower.contains("no space left") && is_local {
        "make room on the disk of SMTRAIN_HOME (default: ~/.local/state/smtrain), then submit the job again"
    } else if lower.contains("no space left") {
        "its disk was full: set resources.volume_size_gb higher"
    } else {
        return vec![read_log];
    };
    vec![hint.to_owned(), read_log]
}

/// Returns true if a lower-case reason has the exit code of SIGKILL: a shell's (128 and 9), or Python's `subprocess`, of
/// the container or, by the toolkit's `ExitCode`, of the script.
fn is_killed(reason: &str) -> bool {
    let codes = ["exit code: 137", "exitcode 137", "exitcode -9", "exit code: -9"];
    codes.iter().any(|code| {
        let mut found = reason.match_indices(code);
        let is_whole = |at: usize| {
            !reason.get(at + code.len()..).unwrap_or_default().starts_with(|next: char| next.is_ascii_digit())
        };
        found.any(|(at, _)| is_whole(at))
    })
}

/// Returns true if a lower-case reason says that the image could not be pulled.
fn is_about_image(reason: &str) -> bool {
    let is_registry = reason.contains("ecr") || reason.contains("image");
    is_registry && (reason.contains("pull") || reason.contains("not found") || reason.contains("repository"))
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn known_failures_get_their_own_hint() {
        let first = |reason: &str| advice(reason, "job", false).first().cloned().unwrap_or_default();
        for (reason, word) in [
            (
                "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type.",
                "max_pending",
            ),
            ("ClientError: Cannot pull image '1.dkr.ecr.eu-west-1.amazonaws.com/x:1'", "repository's policy"),
            ("ClientError: Data download failed:No S3 objects found under S3 URL \"s3://b/x\"", "prefix is empty"),
            ("AlgorithmError: , exit code: 137", "killed (SIGKILL), most often because memory"),
            (
                "AlgorithmError: ExecuteUserScriptError:\nExitCode 137\nErrorMessage \"\", exit code: 1",
                "killed (SIGKILL)",
            ),
            (
                "AlgorithmError: ExecuteUserScriptError:\nExitCode -9\nErrorMessage \"\", exit code: 1",
                "killed (SIGKILL)",
            ),
            ("AlgorithmError: CUDA out of memory, exit code: 137", "it ran out of memory"),
            ("AlgorithmError: OSError: [Errno 28] No space left on device, exit code: 1", "volume_size_gb"),
        ] {
            assert!(first(reason).contains(word), "{reason}: {}", first(reason));
        }
        let local = advice("InternalServerError: No space left on device", "job", true);
        assert!(local.iter().all(|hint| !hint.contains("volume_size_gb")) && local.len() == 2, "{local:?}");
        assert!(advice("AlgorithmError: , exit code: 137", "job", true).iter().any(|hint| hint.contains("dmesg")));
        for reason in ["AlgorithmError: ValueError: no data, exit code: 1", "AlgorithmError: , exit code: 1370"] {
            assert!(first(reason).starts_with("read its log"), "{reason}");
        }
    }
}
