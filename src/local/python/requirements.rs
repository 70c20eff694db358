//! Installs a job's requirements (`requirements.txt`, or the code's own `setup.py`) into a cached virtual environment,
//! whose packages take precedence over those of the job's Python.
//!
//! Environments are content-addressed: by the interpreter, the requirements and, where these refer to the code, the
//! code's digest. In the last case the environment keeps a copy of the code, to which editable packages lead. Unlike
//! pip in an image, the installer gets all dependencies, even those that the job's Python has already.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::installer::{Installer, Step};
use super::interpreter::Interpreter;
use super::requirement_list;
use crate::local::store::layout::create_private_dir;
use crate::local::store::{ownership, private_file};
use crate::local::{LocalError, LocalResult};
use crate::model::{hex, shell_quote};

/// Name of the file with the requirements of the code.
pub(crate) const REQUIREMENTS: &str = "requirements.txt";
/// File that marks a complete environment.
const COMPLETE_MARK: &str = ".smtrain-complete";
/// `.pth` file that adds the packages of the job's Python after the environment's own.
const BASE_PACKAGES: &str = "_smtrain_base.pth";
/// Folder of the code in an environment whose requirements name files of it.
const KEPT_CODE: &str = "code";
/// Name of pip's settings in a virtual environment.
const PIP_SETTINGS: &str = "pip.conf";

/// A cached environment, which may still have to be created.
#[derive(Debug)]
pub(crate) struct PackageEnvironment {
    folder: PathBuf,
    base: Interpreter,
    /// Arguments of `pip install`.
    installed: &'static [&'static str],
    keeps_code: bool,
    has_editable_repository: bool,
}

impl PackageEnvironment {
    /// Returns the environment for the code in the folder `code`. `installed` has the arguments of `pip install`.
    pub(crate) fn of(
        cache: &Path,
        base: Interpreter,
        code: &Path,
        code_digest: &str,
        installed: &'static [&'static str],
    ) -> LocalResult<Self> {
        let file = code.join(REQUIREMENTS);
        let read = if installed.contains(&REQUIREMENTS) { fs::read(&file) } else { Ok(Vec::new()) };
        let requirements = read.map_err(LocalError::io(format!("read {}", file.display())))?;
        let text = String::from_utf8_lossy(&requirements);
        let keeps_code = requirement_list::names_files(&text);
        let has_editable_repository = requirement_list::has_editable_repository(&text);
        let of_code = match (keeps_code, installed.contains(&".")) {
            // Environments of earlier versions had no copy of the code.
            (true, _) => Some(format!("{KEPT_CODE}\0{code_digest}")),
            (false, true) => Some(code_digest.to_owned()),
            (false, false) => None,
        };
        let key = key(&base, &requirements, of_code.as_deref());
        let folder = cache.join("environments").join(key);
        Ok(Self { folder, base, installed, keeps_code, has_editable_repository })
    }

    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("bin").join("python")
    }

    pub(crate) fn is_complete(&self) -> LocalResult<bool> {
        self.check_ownership()?;
        let mark = self.folder.join(COMPLETE_MARK);
        private_file::exists(&mark).map_err(LocalError::io(format!("look for {}", mark.display())))
    }

    /// Fails if another user may have put something in the environment, or another environment in its place.
    fn check_ownership(&self) -> LocalResult<()> {
        ownership::check_dir(self.folder.parent().unwrap_or(&self.folder))?;
        ownership::check_dir(&self.folder).map_err(|error| match error {
            LocalError::Unusable { what, .. } => {
                let hint = format!("remove it, and submit again: rm -r {}", shell_quote(&text(&self.folder)));
                LocalError::Unusable { what, hint }
            }
            error => error,
        })
    }

    /// Locks the environment, so that of two jobs that need it, one creates it and the other one waits. Blocks.
    pub(crate) fn lock(&self) -> LocalResult<File> {
        create_private_dir(self.folder.parent().unwrap_or(&self.folder))?;
        self.check_ownership()?;
        let path = self.folder.with_extension("lock");
        let lock = || {
            let file = private_file::create(&path)?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(LocalError::io(format!("lock {}", path.display())))
    }

    /// Removes what a killed attempt left, and creates the folder: private, whatever the umask. Both installers accept
    /// an empty folder.
    pub(crate) fn clear(&self) -> LocalResult<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(LocalError::io(format!("remove {}", self.folder.display()))(error))
            }
            _ => create_private_dir(&self.folder),
        }
    }

    /// Returns the command that creates the environment.
    pub(crate) fn creation(&self, installer: &Installer) -> Step {
        installer.creation(&self.base.executable, &self.folder)
    }

    /// Returns the command that installs, to be run in the code's folder, or in that of the kept code.
    pub(crate) fn installation(&self, installer: &Installer) -> Step {
        installer.installation(&self.python(), self.installed)
    }

    /// Returns the folder for a copy of the code that stays with the environment, if requirements name files of the
    /// code: an editable package is installed as its path, which must not be that of the first job's folder.
    pub(crate) fn kept_code(&self) -> Option<PathBuf> {
        self.keeps_code.then(|| self.folder.join(KEPT_CODE))
    }

    /// Returns whether uv can't install one of the requirements.
    pub(crate) fn has_editable_repository(&self) -> bool {
        self.has_editable_repository
    }

    /// Copies the pip.conf of the job's Python, if that is a virtual environment with one, which pip would not read
    /// from another environment.
    pub(crate) fn take_pip_settings(&self) -> LocalResult<()> {
        let settings = self.base.prefix.join(PIP_SETTINGS);
        match fs::copy(&settings, self.folder.join(PIP_SETTINGS)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(LocalError::io(format!("copy {}", settings.display()))(error))
            }
            _ => Ok(()),
        }
    }

    /// Marks the environment as complete. Must be called after all steps have succeeded.
    pub(crate) fn complete(&self) -> LocalResult<()> {
        let finish = || {
            // It may hold a password.
            remove_file(&self.folder.join(PIP_SETTINGS))?;
            fs::write(self.own_packages()?.join(BASE_PACKAGES), base_packages(&self.base.packages)?)?;
            fs::write(self.folder.join(COMPLETE_MARK), "")
        };
        finish().map_err(LocalError::io(format!("complete {}", self.folder.display())))
    }

    fn own_packages(&self) -> io::Result<PathBuf> {
        let output = Command::new(self.python())
            .args(["-I", "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"])
            .stdin(Stdio::null())
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(io::Error::other(format!("its Python failed: {said}")));
        }
        Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
    }
}

fn remove_file(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns the cache key: a digest of the interpreter and the requirements, and of the code if it is installed itself
/// or the requirements name files of it.
fn key(base: &Interpreter, requirements: &[u8], code_digest: Option<&str>) -> String {
    let mut digest = Sha256::new();
    for part in [&base.implementation, &base.version, &base.platform, &*base.prefix.to_string_lossy()] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    digest.update(requirements);
    if let Some(code) = code_digest {
        digest.update([0]);
        digest.update(code.as_bytes());
    }
    let digest: [u8; 32] = digest.finalize().into();
    let (half, _) = digest.split_at(16);
    hex(half)
}

/// Returns the text of a `.pth` file that appends package folders to `sys.path`, with the `.pth` files in them: an
/// editable package is only such a file. Python executes lines that start with `import`.
fn base_packages(folders: &[String]) -> io::Result<String> {
    // A JSON string is a valid Python literal.
    let line = |folder| Ok(format!("import site; site.addsitedir({})\n", serde_json::to_string(folder)?));
    folders.iter().map(line).collect()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(version: &str) -> Interpreter {
        Interpreter {
            executable: "/usr/bin/python3".into(),
            version: version.into(),
            implementation: "CPython".into(),
            platform: "linux-x86_64".into(),
            prefix: "/usr".into(),
            packages: Vec::new(),
            versions: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn the_key_is_of_the_content_and_the_python() {
        let one = key(&base("3.11.7"), b"numpy==2.0\n", None);
        assert_eq!(one, key(&base("3.11.7"), b"numpy==2.0\n", None));
        assert_ne!(one, key(&base("3.12.0"), b"numpy==2.0\n", None));
        assert_ne!(one, key(&base("3.11.7"), b"numpy==2.1\n", None));
    }

    #[test]
    fn what_is_made_of_the_code_depends_on_the_code() -> Result<(), Box<dyn std::error::Error>> {
        let code = tempfile::tempdir()?;
        let folder = |digest: &str, installed: &'static [&'static str]| {
            PackageEnvironment::of(Path::new("/cache"), base("3"), code.path(), digest, installed)
                .map(|made| made.folder)
        };
        for (text, depends) in [("numpy", false), ("-r more.txt", true)] {
            fs::write(code.path().join(REQUIREMENTS), text)?;
            let (one, other) = (folder("a", &["-r", REQUIREMENTS])?, folder("b", &["-r", REQUIREMENTS])?);
            assert_eq!(one != other, depends, "{text}");
        }
        assert_ne!(folder("a", &["."])?, folder("b", &["."])?);
        Ok(())
    }
}
