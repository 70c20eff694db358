//! A folder with a job spec and its code.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::TestResult;

/// What every spec here starts with; a test adds sections.
const SPEC: &str = r#"[framework]
name = "sklearn"
version = "1.4-2"

[source]
entry_point = "train.py"

[resources]
instance_type = "ml.m5.large"
"#;

/// A project's folder in a sandbox. Its jobs are called after the folder.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    dir: PathBuf,
}

impl Project {
    /// A project with a `job.toml` that runs `script` as `train.py`.
    pub(super) fn create(dir: PathBuf, script: &str) -> TestResult<Self> {
        let project = Self { dir };
        project.file("job.toml", SPEC)?.file("train.py", script)
    }

    /// The path of its spec, as an argument.
    pub(crate) fn spec(&self) -> String {
        self.path("job.toml").display().to_string()
    }

    /// A path below its folder.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.join(below)
    }

    /// Writes a file, its folders too.
    pub(crate) fn file(self, below: &str, content: impl AsRef<[u8]>) -> TestResult<Self> {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap_or(&self.dir))?;
        fs::write(path, content)?;
        Ok(self)
    }

    /// Makes a file executable.
    pub(crate) fn executable(self, below: &str) -> TestResult<Self> {
        fs::set_permissions(self.path(below), fs::Permissions::from_mode(0o755))?;
        Ok(self)
    }

    /// Adds text at the end of the spec: further sections.
    pub(crate) fn with(self, toml: &str) -> TestResult<Self> {
        let spec = fs::read_to_string(self.path("job.toml"))? + "\n" + toml;
        self.file("job.toml", spec)
    }

    /// Writes `job.toml` anew.
    pub(crate) fn whole_spec(self, toml: &str) -> TestResult<Self> {
        self.file("job.toml", toml)
    }
}
