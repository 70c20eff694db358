//! Checks that the files and folders that the spec names exist and can be read.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::checks::Checks;
use crate::job::diagnostics::problem::Problem;
use crate::job::diagnostics::suggest::did_you_mean;
use crate::job::document::tree::{TreeNode, Value};
use crate::job::spec::{ChannelSource, SourceSpec};

/// Hint for a file that exists but can't be read.
const READABLE: &str = "give yourself the right to read it, and to search the folders on the way to it";

pub(crate) fn check(checks: &Checks<'_>) {
    if let Some(source) = &checks.spec.source {
        let has_dir = folder(checks, source);
        if has_dir {
            entry_point(checks, source);
        }
        dependencies(checks, source, has_dir);
    }
    for channel in &checks.spec.channels {
        if let ChannelSource::Path(path) = &channel.source {
            local_channel(checks, &channel.name, path);
        }
    }
}

/// Checks `source.dir`, and returns whether it is a folder.
fn folder(checks: &Checks<'_>, source: &SourceSpec) -> bool {
    let path = ["source", "dir"];
    match fs::metadata(&source.dir) {
        Ok(metadata) if metadata.is_dir() => return true,
        Ok(_) => {
            let shown = source.dir.display();
            checks.refuse(&path, format!("{shown} is not a folder"), "`dir` is the folder that the script is in");
        }
        Err(error) => absent(checks, &path, &source.dir, &error),
    }
    false
}

/// Reports a file that is missing or can't be read.
fn absent(checks: &Checks<'_>, path: &[&str], file: &Path, error: &io::Error) {
    if is_missing(error) {
        missing(checks, path, file);
    } else {
        checks.refuse(path, unreadable(file, error), READABLE);
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn unreadable(file: &Path, error: &io::Error) -> String {
    format!("{} can't be read: {error}", file.display())
}

fn missing(checks: &Checks<'_>, path: &[&str], file: &Path) {
    let (message, hint) = told_missing(checks, file);
    checks.refuse(path, message, &hint);
}

/// Returns the message for a missing file, and the hint.
fn told_missing(checks: &Checks<'_>, file: &Path) -> (String, String) {
    if let Ok(target) = fs::read_link(file) {
        let message = format!("{} is a symbolic link to {}, which does not exist", file.display(), target.display());
        return (message, "make the link lead to a file, or name the file itself".to_owned());
    }
    let hint = if checks.report.is_full() { String::new() } else { hint_for_missing(file) };
    (format!("there is no {}", file.display()), hint)
}

/// Returns a hint for a missing file: a similar name in its folder, or where relative paths start.
fn hint_for_missing(file: &Path) -> String {
    const MAX_NAMES: usize = 1000;
    if file.components().any(|part| part.as_os_str() == "~") {
        return "`~` is not expanded here: write the whole path".to_owned();
    }
    let names = file.parent().and_then(|parent| parent.read_dir().ok()).into_iter().flatten().take(MAX_NAMES);
    let names: Vec<String> = names.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let hint = did_you_mean(&name, names.iter().map(String::as_str));
    hint.unwrap_or_else(|| "relative paths start in the spec's folder".to_owned())
}

fn entry_point(checks: &Checks<'_>, source: &SourceSpec) {
    let Some(entry_point) = &source.entry_point else { return };
    let path = ["source", "entry_point"];
    // A path that leads out of the folder is reported by the decoder, and must not be read.
    if crate::job::decode::constraints::entry_point(entry_point).is_err() {
        return;
    }
    let file = source.dir.join(entry_point);
    match fs::metadata(&file) {
        Ok(metadata) if metadata.is_dir() => {
            checks.refuse(&path, format!("{} is a folder", file.display()), "the entry point is a .py or .sh file");
        }
        Ok(_) => {}
        Err(error) => absent(checks, &path, &file, &error),
    }
}

/// Checks the dependencies. Each is placed at the root of the code archive by its file name, which no other dependency
/// and no entry of `source.dir` may have.
fn dependencies(checks: &Checks<'_>, source: &SourceSpec, has_dir: bool) {
    let mut names: HashMap<OsString, &PathBuf> = HashMap::new();
    for (index, dependency) in source.dependencies.iter().enumerate() {
        let refuse = |message: String, hint: &str| refuse_dependency(checks, index, message, hint);
        let shown = dependency.display();
        let Some(name) = dependency.file_name() else {
            refuse(format!("{shown} has no name to be laid under"), "name a folder or file");
            continue;
        };
        if let Err(error) = fs::metadata(dependency) {
            if is_missing(&error) {
                let (message, hint) = told_missing(checks, dependency);
                refuse(message, &hint);
            } else {
                refuse(unreadable(dependency, &error), READABLE);
            }
            continue;
        }
        let clash = names.insert(name.to_owned(), dependency).cloned();
        let own = source.dir.join(name);
        let is_taken = has_dir && own != *dependency && !own.symlink_metadata().is_err_and(|error| is_missing(&error));
        let clash = clash.or_else(|| is_taken.then_some(own));
        if let Some(other) = clash {
            let message = format!("{shown} and {} would have the same place in the code archive", other.display());
            refuse(message, "rename one of them");
        }
    }
}

fn refuse_dependency(checks: &Checks<'_>, index: usize, message: String, hint: &str) {
    let problem = Problem::error(message).hint(hint);
    let problem = match checks.tree.at(&["source", "dependencies"]) {
        Some(TreeNode { value: Value::Array(items), .. }) => match items.get(index) {
            Some(item) => problem.at(&item.place),
            None => problem,
        },
        _ => problem,
    };
    checks.report.add(problem);
}

fn local_channel(checks: &Checks<'_>, name: &str, path: &Path) {
    if let Err(error) = fs::metadata(path) {
        absent(checks, &["channels", name, "source"], path, &error);
    }
}
