//! Checks that the entry point is packed and that the toolkit can run it, before anything is stored.
//!
//! Source: sagemaker-training 5.1.4, `_entry_point_type.py`, `process.py` and `modules.py`. The driver for custom images
//! and local jobs do the same.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::archive::{self, PackError, SourceTree};
use crate::job::diagnostics::problem::Problem;
use crate::job::spec::JobSpec;

/// A key of the spec, by its section and its name.
pub(crate) type SpecKey = [&'static str; 2];

const ENTRY_POINT: SpecKey = ["source", "entry_point"];
const SETUP: &str = "setup.py";
const REQUIREMENTS: &str = "requirements.txt";
/// Bytes of a script or of requirements that are read.
const MAX_READ_BYTES: u64 = 1 << 20;

/// Returns problems with the keys that they concern. Errors if the entry point will not be in the archive.
pub(crate) fn check(spec: &JobSpec, tree: &SourceTree) -> Result<Vec<(SpecKey, Problem)>, PackError> {
    let Some(entry_point) = &tree.entry_point else { return Ok(Vec::new()) };
    archive::check_entry_point(tree, entry_point)?;
    let mut found = Vec::new();
    let requirements = archive::root_file(tree, REQUIREMENTS)?;
    if Path::new(entry_point).extension().is_some_and(|extension| extension == "sh") {
        let script = text(&tree.dir.join(entry_point));
        found.extend(line_ends(entry_point, &script));
        found.extend(requirements.as_ref().and_then(|_| not_installed(entry_point, &script)));
        found.extend(spec.local.python.as_ref().map(|_| no_python(entry_point)));
        return Ok(found);
    }
    if archive::root_file(tree, SETUP)?.is_some() {
        found.extend(no_module(entry_point));
    }
    if spec.network.isolation {
        found.extend(requirements.and_then(|path| no_index(&text(&path))));
    }
    Ok(found)
}

/// Returns the start of a file's text; nothing of a file that can't be read, which packing reports.
fn text(path: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        let _ = file.take(MAX_READ_BYTES).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reports a script whose lines end in CRLF: the kernel looks for an interpreter of that name, and the shell takes the
/// carriage return for a part of each command.
fn line_ends(entry_point: &str, script: &str) -> Option<(SpecKey, Problem)> {
    script.contains("\r\n").then(|| {
        let message =
            format!("{entry_point} has Windows line ends (CRLF), which the shell takes for parts of commands");
        let hint = "convert it with `dos2unix`; a line `*.sh text eol=lf` in .gitattributes keeps it so";
        (ENTRY_POINT, Problem::error(message).hint(hint))
    })
}

/// Reports requirements that neither the toolkit nor the script installs.
fn not_installed(entry_point: &str, script: &str) -> Option<(SpecKey, Problem)> {
    (!script.contains("requirements")).then(|| {
        let message =
            format!("{REQUIREMENTS} is not installed for {entry_point}: the toolkit installs it for .py files");
        let hint = format!("add `pip install -r {REQUIREMENTS}` to {entry_point}");
        (ENTRY_POINT, Problem::warning(message).hint(hint))
    })
}

fn no_python(entry_point: &str) -> (SpecKey, Problem) {
    let message = format!("`python` is not used for {entry_point}, which the shell runs");
    (["local", "python"], Problem::warning(message).hint("leave it out, or name a .py file as the entry point"))
}

/// Reports an entry point that is no module at the root of the code, although a setup.py has it run as one.
fn no_module(entry_point: &str) -> Option<(SpecKey, Problem)> {
    let module = entry_point.strip_suffix(".py").unwrap_or(entry_point);
    module.contains(['/', '.']).then(|| {
        let message = format!("{entry_point} can't run: beside a {SETUP}, it is run by `python -m {module}`");
        let hint = format!(
            "add a script without dots in its name beside {SETUP} that calls it, or leave {SETUP} out: \
             source.exclude = [\"/{SETUP}\"]"
        );
        (ENTRY_POINT, Problem::error(message).hint(hint))
    })
}

/// Reports requirements that pip looks for in an index that an isolated container can't reach.
fn no_index(requirements: &str) -> Option<(SpecKey, Problem)> {
    (!requirements.contains("--no-index")).then(|| {
        let message = format!("{REQUIREMENTS} can't be fetched by a container without network");
        let hint = format!("put the wheels beside the script, and `--no-index` and `--find-links` into {REQUIREMENTS}");
        (["network", "isolation"], Problem::warning(message).hint(hint))
    })
}
