//! The Python that a local job runs with.

use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use crate::cloud::{CloudError, CloudResult};

/// The active environment's interpreter: what a user gets who types it.
const DEFAULT: &str = "python3";

/// Asks the interpreter about itself. Works with every Python 3.
const ASK: &str = "import json, platform, sys, sysconfig
print(json.dumps({'executable': sys.executable, 'version': platform.python_version(),
    'implementation': platform.python_implementation(), 'platform': sysconfig.get_platform(), 'prefix': sys.prefix,
    'packages': [path for path in sys.path if path.endswith(('site-packages', 'dist-packages'))]}))";

/// An interpreter, as it describes itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Interpreter {
    pub(crate) executable: PathBuf,
    pub(crate) version: String,
    pub(crate) implementation: String,
    pub(crate) platform: String,
    pub(crate) prefix: PathBuf,
    /// Where its packages are.
    pub(crate) packages: Vec<String>,
}

/// The interpreter that `[local] python` names, or the active environment's.
pub(crate) fn find(wanted: Option<&str>) -> CloudResult<Interpreter> {
    let command = wanted.unwrap_or(DEFAULT);
    let answer = Command::new(command).args(["-I", "-c", ASK]).output();
    let output = answer.map_err(|error| unusable(command, &error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(unusable(command, said.trim().lines().last().unwrap_or("it failed without a word")));
    }
    serde_json::from_slice(&output.stdout).map_err(|_| unusable(command, "it did not answer as Python does"))
}

fn unusable(command: &str, why: &str) -> CloudError {
    CloudError::Unusable {
        what: format!("{command} can't be run as Python 3: {why}"),
        hint:
            "install Python 3, activate its environment, or name it in the spec: [local] python = \"/path/to/python3\""
                .to_owned(),
    }
}
