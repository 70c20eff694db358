//! What the code promises about its own shape: who may print, who may read the environment, which way imports run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::imports::{Import, Imports};
use crate::support::TestResult;

/// The longest file.
const MAX_LINES: usize = 400;

/// What each module may import, beside itself. The crate's root may import everything.
const IMPORTS: [(&str, &[&str]); 17] = [
    (
        "commands",
        &[
            "cli",
            "cloud",
            "context",
            "environment",
            "error",
            "images",
            "job",
            "model",
            "ops",
            "templates",
            "ui",
            "view",
        ],
    ),
    ("cli", &["commands"]),
    ("context", &["cloud", "environment", "error", "job", "model", "ui"]),
    ("ops", &["archive", "cloud", "contract", "environment", "error", "images", "job", "model"]),
    // Log streams and metric values are the cloud's own data types, which no SDK type hides in.
    ("view", &["cloud", "error", "images", "job", "model", "ui"]),
    // What it prints: errors, a spec's problems, statuses.
    ("ui", &["error", "job", "model"]),
    ("environment", &["error", "images", "job", "model"]),
    ("error", &["cloud", "job", "local", "model"]),
    ("cloud", &["contract", "local", "model"]),
    ("local", &["archive", "contract", "model"]),
    ("templates", &["job"]),
    ("job", &["contract", "images", "model", "python"]),
    ("images", &["model"]),
    ("contract", &["model", "python"]),
    ("archive", &["model"]),
    ("python", &[]),
    ("model", &[]),
];

#[test]
fn imports_run_one_way() -> TestResult {
    let upwards = |import: &Import| {
        let (from, to) = (room(&import.from), room(&import.to));
        IMPORTS
            .iter()
            .find(|(module, _)| *module == from)
            .is_some_and(|(_, allowed)| from != to && !allowed.contains(&to))
    };
    none(Imports::read()?.between_files().into_iter().filter(upwards).map(|import| import.to_string()))
}

/// No file needs, directly or by way of others, a file that needs it.
#[test]
fn no_two_files_import_each_other() -> TestResult {
    let mut imports = Imports::read()?.between_files();
    // What imports nothing more, or is imported by nothing more, is in no circle.
    loop {
        let from: BTreeSet<String> = imports.iter().map(|import| import.from.clone()).collect();
        let to: BTreeSet<String> = imports.iter().map(|import| import.to.clone()).collect();
        let count = imports.len();
        imports.retain(|import| from.contains(&import.to) && to.contains(&import.from));
        if imports.len() == count {
            return none(imports.iter().map(Import::to_string));
        }
    }
}

#[test]
fn every_module_has_its_imports_listed() -> TestResult {
    let known: Vec<&str> = IMPORTS.iter().map(|(module, _)| *module).chain(["lib", "main"]).collect();
    let unknown: Vec<String> =
        sources()?.into_iter().filter(|file| !known.contains(&file.module())).map(|file| file.name).collect();
    assert_eq!(unknown, Vec::<String>::new());
    Ok(())
}

#[test]
fn only_the_root_names_a_cloud() -> TestResult {
    let imports = Imports::read()?;
    let named = imports.paths().filter(|(file, path)| {
        let is_a_cloud = path.len() > 1 && path[0] == "cloud" && ["aws", "local"].contains(&path[1].as_str());
        is_a_cloud && *file != "lib.rs" && !file.starts_with("cloud/")
    });
    none(named.map(|(file, path)| format!("src/{file}: {}", path.join("::"))))
}

#[test]
fn the_sdk_has_one_home() -> TestResult {
    none_of(|file, line| line.contains("aws_sdk_") && !file.name.starts_with("cloud/aws/"))
}

/// The one exception writes to stderr because that is its job's log: the guard stands where the script will stand, and says
/// there, as a shell would, that the script could not be started.
const GUARD: &str = "local/guard/mod.rs";

#[test]
fn only_ui_prints() -> TestResult {
    let printing = Regex::new(r"\b(e?print(ln)?|dbg)!|\bio::std(out|err)\b")?;
    none_of(|file, line| printing.is_match(line) && !file.name.starts_with("ui/") && file.name != GUARD)
}

#[test]
fn the_exception_is_still_needed() -> TestResult {
    let guard = sources()?.into_iter().find(|file| file.name == GUARD);
    assert!(guard.is_some_and(|guard| guard.code.contains("io::stderr")), "{GUARD} prints no more: end its exception");
    Ok(())
}

#[test]
fn only_environment_reads_the_environment() -> TestResult {
    let reading = Regex::new(r"\bstd::env\b|\benv::[a-z_]+\(|use std::\{[^}]*\benv\b")?;
    none_of(|file, line| reading.is_match(line) && !file.name.starts_with("environment/"))
}

#[test]
fn clap_stays_with_the_commands() -> TestResult {
    let clap = Regex::new(r"\bclap(_complete)?::")?;
    none_of(|file, line| clap.is_match(line) && !["cli", "commands", "lib"].contains(&file.module()))
}

#[test]
fn nothing_is_allowed_that_a_lint_warns_of() -> TestResult {
    none_of(|_, line| line.contains("#[allow(") || line.contains("#![allow("))
}

#[test]
fn files_are_short() -> TestResult {
    let long: Vec<String> = sources()?
        .into_iter()
        .filter(|file| file.lines > MAX_LINES)
        .map(|file| format!("{}: {} lines", file.name, file.lines))
        .collect();
    assert_eq!(long, Vec::<String>::new());
    Ok(())
}

#[test]
fn every_file_opens_with_its_job() -> TestResult {
    let silent: Vec<String> =
        sources()?.into_iter().filter(|file| !file.code.starts_with("//!")).map(|file| file.name).collect();
    assert_eq!(silent, Vec::<String>::new());
    Ok(())
}

/// A reader who searches for a type's name finds one definition.
#[test]
fn no_two_types_bear_one_name() -> TestResult {
    let definition = Regex::new(r"(?m)^ *(?:pub(?:\([a-z]+\))? )?(?:struct|enum|trait|type|union) (\w+)")?;
    let mut files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources()? {
        for found in definition.captures_iter(&source.code) {
            files.entry(found[1].to_owned()).or_default().insert(source.name.clone());
        }
    }
    // Every implementation of a trait may have an associated type of its own.
    let shared =
        files.into_iter().filter(|(name, files)| files.len() > 1 && !["Error", "Value"].contains(&name.as_str()));
    none(shared.map(|(name, files)| format!("{name}: {files:?}")))
}

/// A documentation comment begins with a noun or a verb, so that it can be read without the item.
#[test]
fn documentation_begins_with_its_subject() -> TestResult {
    let opening = Regex::new(r"^\s*//[/!] (What|Whether|Of|Who|That|It|They)\b")?;
    let mut found = Vec::new();
    // The comments of arguments are the help, which asks as people do.
    for source in sources()?.into_iter().filter(|file| !["cli", "commands"].contains(&file.module())) {
        let lines: Vec<&str> = source.code.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let goes_on = number > 0 && lines[number - 1].trim_start().starts_with("//");
            if !goes_on && opening.is_match(line) {
                found.push(format!("src/{}:{}: {}", source.name, number + 1, line.trim()));
            }
        }
    }
    none(found.into_iter())
}

/// One file of the product.
pub(super) struct Source {
    /// Its path below `src/`.
    pub(super) name: String,
    /// Without its tests.
    pub(super) code: String,
    /// Of the whole file.
    pub(super) lines: usize,
}

impl Source {
    /// The module at the crate's root that it belongs to.
    fn module(&self) -> &str {
        room(&self.name)
    }
}

/// The module at the crate's root that a file belongs to.
fn room(name: &str) -> &str {
    let first = name.split('/').next().unwrap_or_default();
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Fails with every line that the rule forbids.
fn none_of(is_forbidden: impl Fn(&Source, &str) -> bool) -> TestResult {
    let mut found = Vec::new();
    for file in sources()? {
        for (number, line) in file.code.lines().enumerate().filter(|(_, line)| is_forbidden(&file, line)) {
            found.push(format!("src/{}:{}: {}", file.name, number + 1, line.trim()));
        }
    }
    none(found.into_iter())
}

fn none(found: impl Iterator<Item = String>) -> TestResult {
    let found: Vec<String> = found.collect();
    if found.is_empty() { Ok(()) } else { Err(format!("against docs/style.md:\n{}", found.join("\n")).into()) }
}

/// Every file of `src/` but those that are tests.
pub(super) fn sources() -> TestResult<Vec<Source>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.file_stem().is_some_and(|stem| stem == "tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(source(&root, path)?);
            }
        }
    }
    assert!(sources.len() > 50, "src/ was not found whole");
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sources)
}

fn source(root: &Path, path: PathBuf) -> TestResult<Source> {
    let text = fs::read_to_string(&path)?;
    let name = path.strip_prefix(root)?.display().to_string();
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
    Ok(Source { name, code, lines: text.lines().count() })
}
