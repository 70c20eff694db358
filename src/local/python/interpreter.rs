//! Finds the Python interpreter of a local job.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokio::process::Command;

use crate::local::process::answer::{ANSWER_TIMEOUT, answer};
use crate::local::{FindProgram, LocalError, LocalResult};

/// The active environment's interpreter.
const DEFAULT_COMMAND: &str = "python3";

/// Program with which an interpreter describes itself. Works with every Python 3. The arguments are names of packages,
/// whose versions are read from their metadata, without importing them.
const DESCRIBE_PROGRAM: &str = "import json, platform, sys, sysconfig

def version(name):
    import site
    from importlib import metadata
    # Isolated from the user's packages, which the script sees nevertheless, but for a virtual environment.
    users = [] if sys.prefix != sys.base_prefix else [site.getusersitepackages()]
    return next(iter(metadata.distributions(name=name, path=users + sys.path))).version

def versions():
    found = {}
    for name in sys.argv[1:]:
        try:
            found[name] = str(version(name))
        except Exception:
            pass
    return found

print(json.dumps({'executable': sys.executable, 'version': platform.python_version(),
    'implementation': platform.python_implementation(), 'platform': sysconfig.get_platform(), 'prefix': sys.prefix,
    'packages': [path for path in sys.path if path.endswith(('site-packages', 'dist-packages'))],
    'versions': versions()}))";

/// An interpreter, as it describes itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Interpreter {
    pub(crate) executable: PathBuf,
    pub(crate) version: String,
    pub(crate) implementation: String,
    pub(crate) platform: String,
    pub(crate) prefix: PathBuf,
    /// Folders of its installed packages.
    pub(crate) packages: Vec<String>,
    /// Versions of the packages that were asked for, as far as they are installed.
    pub(crate) versions: BTreeMap<String, String>,
}

/// Runs the interpreter named by `[local] python`, or the active environment's, and returns its description, with the
/// versions of some packages.
pub(crate) async fn find(
    wanted: Option<&str>,
    find_program: FindProgram,
    packages: &[&str],
) -> LocalResult<Interpreter> {
    let command = wanted.unwrap_or(DEFAULT_COMMAND);
    let program = locate(command, find_program)?;
    let output = answer(Command::new(program).args(["-I", "-c", DESCRIBE_PROGRAM]).args(packages)).await;
    let output = output.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => silent(command),
        _ => unusable(command, &error.to_string()),
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(unusable(command, said.trim().lines().last().unwrap_or("it failed without a message")));
    }
    let described: Option<Interpreter> = serde_json::from_slice(&output.stdout).ok();
    let described = described.ok_or_else(|| unusable(command, "it did not answer as Python does"))?;
    if described.executable.is_absolute() {
        Ok(described)
    } else {
        Err(unusable(command, "it does not know where it is installed"))
    }
}

/// Returns the path of a command, which is a path or is in `PATH`.
fn locate(command: &str, find_program: FindProgram) -> LocalResult<PathBuf> {
    if command.contains('/') {
        return Ok(PathBuf::from(command));
    }
    find_program(command).ok_or_else(|| unusable(command, "no folder of PATH has it"))
}

/// Runs a program in an interpreter, isolated from the user's variables for Python and from the current folder, and
/// returns what it prints.
pub(crate) async fn ask(executable: &Path, program: &str) -> io::Result<Vec<u8>> {
    let output = answer(Command::new(executable).args(["-I", "-c", program])).await?;
    if output.status.success() { Ok(output.stdout) } else { Err(io::Error::other("the program failed")) }
}

fn silent(command: &str) -> LocalError {
    LocalError::Unusable {
        what: format!(
            "{command} gave no answer within {} s, when it was asked for its version",
            ANSWER_TIMEOUT.as_secs()
        ),
        hint: format!(
            "run `{command} -I -c 1`, or name another Python in the spec: [local] python = \"/path/to/python3\""
        ),
    }
}

fn unusable(command: &str, why: &str) -> LocalError {
    LocalError::Unusable {
        what: format!("{command} can't be run as Python 3: {why}"),
        hint:
            "install Python 3, activate its environment, or name it in the spec: [local] python = \"/path/to/python3\""
                .to_owned(),
    }
}
