//! The folders of a training container, under `/opt/ml` or wherever that is on this computer.

use std::path::{Path, PathBuf};

/// Where the contract's folder stands in every container.
const OPT_ML: &str = "/opt/ml";

/// The contract's files and folders, as the script sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    base: PathBuf,
}

impl Layout {
    /// The real `/opt/ml`, in a job with a mount namespace of its own.
    pub(crate) fn opt_ml() -> Self {
        Self::at(OPT_ML)
    }

    /// Another folder in its place, where no mount namespace can be had.
    pub(crate) fn at(base: impl Into<PathBuf>) -> Self {
        Self { base: base.into() }
    }

    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    pub(super) fn is_opt_ml(&self) -> bool {
        self.base == Path::new(OPT_ML)
    }

    /// The unpacked source archive; the script's working folder.
    pub(crate) fn code(&self) -> PathBuf {
        self.base.join("code")
    }

    pub(crate) fn model(&self) -> PathBuf {
        self.base.join("model")
    }

    pub(crate) fn checkpoints(&self) -> PathBuf {
        self.base.join("checkpoints")
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

    /// Its text becomes the job's FailureReason.
    pub(crate) fn failure(&self) -> PathBuf {
        self.output().join("failure")
    }
}

/// A path as a variable says it.
pub(super) fn text(path: &Path) -> String {
    path.display().to_string()
}
