//! Python environments with pinned packages, made once under `target/`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::TestResult;

/// The interpreter that local jobs run with.
pub(crate) fn python() -> TestResult<String> {
    let output = Command::new("python3").args(["-I", "-c", "import sys; print(sys.executable)"]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The folder `tests/toolkit`: the real sagemaker-training toolkit, and how it is run.
pub(crate) fn toolkit_folder() -> PathBuf {
    tests_folder().join("toolkit")
}

/// The folder `tests`.
pub(crate) fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The interpreter of an environment that has the toolkit.
pub(crate) fn toolkit_python() -> TestResult<PathBuf> {
    let needs = "the sagemaker-training toolkit could not be installed: it needs the way to PyPI, gcc and the headers of a \
                 Python from 3.9 to 3.13";
    environment(&toolkit_folder().join("requirements.txt"), "toolkit-venv", needs)
}

/// The interpreter of an environment that has what the emulator needs, and boto3.
pub(crate) fn emulator_python() -> TestResult<PathBuf> {
    let needs =
        "the packages of the AWS emulator could not be installed: they need the way to PyPI and Python 3.10 or newer";
    environment(&tests_folder().join("emulator/requirements.txt"), "emulator-venv", needs)
}

/// An environment below `target/{name}`, made when it is missing: again when its requirements or the Python change.
/// `needs` is what a failure is told with.
fn environment(requirements: &Path, name: &str, needs: &str) -> TestResult<PathBuf> {
    let key = [fs::read(requirements)?, python()?.into_bytes()].concat();
    let digest: [u8; 32] = Sha256::digest(key).into();
    let digest = digest.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let environments = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(name);
    let (folder, complete) = (environments.join(&digest), environments.join(digest).join("complete"));
    fs::create_dir_all(&environments)?;
    // Tests run at once, in one process and in several.
    let lock = File::create(environments.join("lock"))?;
    lock.lock()?;
    if !complete.exists() {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let folder = folder.display().to_string();
        install("python3", &["-m", "venv", &folder], needs)?;
        let list = requirements.display().to_string();
        install(&format!("{folder}/bin/python"), &["-m", "pip", "install", "-q", "--no-deps", "-r", &list], needs)?;
        fs::write(&complete, "")?;
    }
    Ok(folder.join("bin/python"))
}

fn install(program: &str, arguments: &[&str], needs: &str) -> TestResult {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{needs}.\n{program} {}\n{said}", arguments.join(" ")).into())
}
