//! Installs a job's requirements (`requirements.txt`, or the code's own `setup.py`) into a cached virtual environment,
//! whose packages take precedence over those of the job's Python.
//!
//! Environments are content-addressed: by the interpreter, the requirements and, where these refer to the code, the
//! code's digest. Unlike pip in an image, the installer gets all dependencies, even those that the job's Python has
//! already.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::interpreter::Interpreter;
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

/// A cached environment, which may still have to be created.
#[derive(Debug)]
pub(crate) struct PackageEnvironment {
    folder: PathBuf,
    base: Interpreter,
    /// Arguments of `pip install`.
    installed: &'static [&'static str],
}

/// A step of creating an environment: a command whose output goes to the job's log.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) argv: Vec<String>,
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
        let of_code = installed.contains(&".") || names_files(&String::from_utf8_lossy(&requirements));
        let key = key(&base, &requirements, of_code.then_some(code_digest));
        Ok(Self { folder: cache.join("environments").join(key), base, installed })
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

    /// Removes what a killed attempt left, and returns the commands that create the environment, to be run in the
    /// code's folder.
    pub(crate) fn steps(&self) -> LocalResult<Vec<Step>> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(LocalError::io(format!("remove {}", self.folder.display()))(error));
            }
            _ => {}
        }
        // Private, whatever the umask. Both installers accept an empty folder.
        create_private_dir(&self.folder)?;
        let folder = text(&self.folder);
        let base = text(&self.base.executable);
        let python = text(&self.python());
        let step = |words: &[&str], more: &[&str]| Step {
            argv: words.iter().chain(more).map(|word| (*word).to_owned()).collect(),
        };
        Ok(if has_uv() {
            vec![
                step(&["uv", "venv", "--quiet", "--python", &base, &folder], &[]),
                step(&["uv", "pip", "install", "--python", &python], self.installed),
            ]
        } else {
            let pip = [&python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"];
            vec![step(&[&base, "-m", "venv", &folder], &[]), step(&pip, self.installed)]
        })
    }

    /// Marks the environment as complete. Must be called after all steps have succeeded.
    pub(crate) fn complete(&self) -> LocalResult<()> {
        let finish = || {
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

/// Options of a requirements file whose value can be a file or folder: more requirements, constraints, a package's
/// source, a folder of packages.
const FILE_OPTIONS: [&str; 8] = ["--requirement", "--constraint", "--editable", "--find-links", "-r", "-c", "-e", "-f"];

/// Returns whether a requirement is a file or folder: another list, or a package's source.
fn names_files(requirements: &str) -> bool {
    requirements.lines().map(without_comment).any(|line| {
        if line.starts_with('-') {
            FILE_OPTIONS.iter().find_map(|option| line.strip_prefix(option)).is_some_and(is_on_this_computer)
        } else {
            is_on_this_computer(line) && is_path(line)
        }
    })
}

fn without_comment(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or_default().trim() }
}

/// Returns whether a path or URL is on this computer.
fn is_on_this_computer(value: &str) -> bool {
    value.contains("file:") || !value.contains("://")
}

/// Returns whether a requirement is a path instead of a package's name, such as `wheels/tiny.whl`.
fn is_path(line: &str) -> bool {
    let path = line.split([';', '[']).next().unwrap_or_default().trim();
    path.starts_with('.') || path.contains(['/', ':']) || Path::new(path).extension() == Some("whl".as_ref())
}

fn has_uv() -> bool {
    let mut uv = Command::new("uv");
    uv.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    uv.status().is_ok_and(|status| status.success())
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
    fn requirements_that_name_files() {
        for line in [
            "-r more.txt",
            "-rmore.txt",
            "--requirement=more.txt",
            "-c pins.txt",
            "--constraint pins.txt",
            "-e .",
            "--editable=../pkg",
            "--find-links wheels",
            "-f file:///wheels",
            "  ./wheels/a.whl",
            "/src/a",
            "wheels/a.whl ; python_version > '3'",
            "a-1.0-py3-none-any.whl",
            "src/pkg[extra]",
            "pkg @ file:../pkg",
            "pkg @ file:pkg",
            ".",
        ] {
            assert!(names_files(&format!("numpy\n{line}\n")), "{line}");
        }
        for line in [
            "--extra-index-url https://packages.example.com/simple",
            "--index-url=https://packages.example.com/simple",
            "--find-links https://example.com/wheels/",
            "-r https://example.com/more.txt",
            "-e git+https://example.com/pkg.git#egg=pkg",
            "--no-binary :all:",
            "--prefer-binary",
            "    --hash=sha256:0123",
            "numpy==2.0  # see docs/numpy.md",
            "# as in a/b",
            "",
            "pkg @ https://example.com/pkg.whl",
            "pkg[extra]==1 ; sys_platform == 'linux'",
        ] {
            assert!(!names_files(line), "{line}");
        }
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
