//! The folders of a training container: `/opt/ml`, or another folder in its place on this computer.

use std::path::{Path, PathBuf};

/// The contract's folder in every container.
const OPT_ML: &str = "/opt/ml";

/// The paths of the contract's files and folders, as the script sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    base: PathBuf,
}

impl Layout {
    /// The real `/opt/ml`, in a container or a mount namespace.
    pub(crate) fn opt_ml() -> Self {
        Self::at(OPT_ML)
    }

    /// Another folder in its place, if mount namespaces aren't available.
    pub(crate) fn at(base: impl Into<PathBuf>) -> Self {
        Self { base: base.into() }
    }

    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    pub(super) fn is_opt_ml(&self) -> bool {
        self.base == Path::new(OPT_ML)
    }

    /// Folder of the unpacked source archive; the script's working directory.
    pub(crate) fn code(&self) -> PathBuf {
        self.base.join("code")
    }

    pub(crate) fn model(&self) -> PathBuf {
        self.base.join("model")
    }

    /// Returns the folder of checkpoints for the request's `LocalPath`. `None` if it would be outside `/opt/ml`, or in
    /// one of the contract's own folders.
    pub(crate) fn checkpoints(&self, local_path: Option<&str>) -> Option<PathBuf> {
        let below = local_path.unwrap_or("/opt/ml/checkpoints").strip_prefix("/opt/ml/")?.trim_end_matches('/');
        let is_plain = below.split('/').all(|part| !matches!(part, "" | "." | ".."));
        let is_free = !["code", "input", "model", "output"].contains(&below.split('/').next()?);
        (is_plain && is_free).then(|| self.base.join(below))
    }

    pub(crate) fn input(&self) -> PathBuf {
        self.base.join("input")
    }

    pub(crate) fn input_config(&self) -> PathBuf {
        self.input().join("config")
    }

    pub(crate) fn input_data(&self) -> PathBuf {
        self.input().join("data")
    }

    pub(crate) fn channel(&self, name: &str) -> PathBuf {
        self.input_data().join(name)
    }

    pub(crate) fn output(&self) -> PathBuf {
        self.base.join("output")
    }

    pub(crate) fn output_data(&self) -> PathBuf {
        self.output().join("data")
    }

    pub(crate) fn output_intermediate(&self) -> PathBuf {
        self.output().join("intermediate")
    }

    /// File whose text becomes the job's FailureReason.
    pub(crate) fn failure(&self) -> PathBuf {
        self.output().join("failure")
    }
}

/// Returns a path as the value of a variable.
pub(super) fn text(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_lie_beside_the_contracts_folders() {
        let layout = Layout::at("/job");
        let at = |path| layout.checkpoints(path);
        assert_eq!(at(None), Some("/job/checkpoints".into()));
        assert_eq!(at(Some("/opt/ml/saved/here/")), Some("/job/saved/here".into()));
        for path in ["/tmp/x", "/opt/ml", "/opt/ml/", "/opt/ml/../x", "/opt/ml/a/../b", "/opt/ml//a", "/opt/ml/model/a"]
        {
            assert_eq!(at(Some(path)), None, "{path}");
        }
    }
}
