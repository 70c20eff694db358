//! Specs as users write them, good and bad, from the file to the problems that are shown.

mod every_key;
mod hostile;
mod images_file;
mod limits;
mod overrides;
mod problems;
mod schema;
mod whole;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::diagnostics::problem::{InvalidSpec, Problem, Severity, SourceText, line_and_column};
use super::document::overrides::Override;
use super::load::{LoadOptions, Loaded, load};
use crate::tests::TestResult;

/// The sections that a spec can't do without.
const BASE: &str = r#"
[framework]
name = "pytorch"
version = "2.3"
[source]
entry_point = "train.py"
[resources]
instance_type = "ml.m5.xlarge"
"#;

/// A folder named `churn` with a spec, a script, a folder of data and a library beside it.
struct Project {
    home: TempDir,
}

impl Project {
    fn new() -> Result<Self, Box<dyn Error>> {
        let project = Self { home: TempDir::new()? };
        for folder in ["churn/data", "common", "other/common"] {
            fs::create_dir_all(project.home.path().join(folder))?;
        }
        for file in ["churn/train.py", "churn/notes.txt", "churn/data/validation.csv"] {
            fs::write(project.home.path().join(file), "")?;
        }
        Ok(project)
    }

    fn spec(&self) -> PathBuf {
        self.home.path().join("churn/job.toml")
    }

    fn load(
        &self,
        text: impl AsRef<[u8]>,
        overrides: &[Override],
    ) -> Result<Result<Loaded, InvalidSpec>, Box<dyn Error>> {
        fs::write(self.spec(), &text)?;
        let loaded = load(&self.spec(), &LoadOptions { overrides, ..LoadOptions::default() });
        if loaded.is_ok() && overrides.is_empty() {
            let problem = schema::Schema::new()?.problem(std::str::from_utf8(text.as_ref())?)?;
            assert_eq!(problem, None, "a valid spec is one to the schema too");
        }
        Ok(loaded)
    }

    /// Every problem as one line, errors and warnings, with the project's own path left out.
    fn problems(&self, text: impl AsRef<[u8]>, overrides: &[Override]) -> Result<Vec<String>, Box<dyn Error>> {
        let (sources, problems) = match self.load(text, overrides)? {
            Ok(loaded) => (loaded.sources, loaded.warnings),
            Err(invalid) => (invalid.sources, invalid.problems),
        };
        let home = format!("{}/", self.home.path().display());
        Ok(problems.iter().map(|problem| show(problem, &sources).replace(&home, "~/")).collect())
    }
}

/// `LINE:COLUMN message -- hint`; a flag's problem has its name in front, a warning says so.
fn show(problem: &Problem, sources: &[SourceText]) -> String {
    let place = problem.place.as_ref().and_then(|place| {
        let source = sources.get(place.source)?;
        let (line, column) = line_and_column(&source.text, place.bytes.start);
        let name = if place.source == 0 { String::new() } else { format!("{}:", source.name) };
        Some(format!("{name}{line}:{column} "))
    });
    let severity = if problem.severity == Severity::Warning { "warning: " } else { "" };
    let hint = problem.hint.as_ref().map_or_else(String::new, |hint| format!(" -- {hint}"));
    format!("{}{severity}{}{hint}", place.unwrap_or_default(), problem.message)
}
