//! The documents name files and headings that are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::support::TestResult;

#[test]
fn every_path_in_them_exists() -> TestResult {
    let path = Regex::new(r"`((?:src|tests|docs|benches|\.ci|job-templates|completions)/[\w./-]*)`")?;
    let mut missing = BTreeSet::new();
    let mut count = 0;
    for document in documents()? {
        let text = fs::read_to_string(&document)?;
        for found in path.captures_iter(&text) {
            let name = &found[1];
            count += 1;
            // `src/commands/NAME.rs` stands for any.
            let is_example = name.contains("NAME");
            if !is_example && !root().join(name).exists() {
                missing.insert(format!("{}: {name}", document.display()));
            }
        }
    }
    assert!(count > 100, "only {count} paths were found in the documents");
    assert_eq!(missing, BTreeSet::new());
    Ok(())
}

#[test]
fn every_link_in_them_leads_somewhere() -> TestResult {
    let link = Regex::new(r"\]\(([^)#\s]*)(?:#([\w-]+))?\)")?;
    let mut broken = BTreeSet::new();
    for document in documents()? {
        let text = fs::read_to_string(&document)?;
        for found in link.captures_iter(&text).filter(|found| !found[1].contains("://")) {
            let folder = document.parent().unwrap_or(Path::new(""));
            let target = if found[1].is_empty() { document.clone() } else { folder.join(&found[1]) };
            let is_there = match found.get(2) {
                Some(anchor) => fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(anchor.as_str())),
                None => target.exists(),
            };
            if !is_there {
                broken.insert(format!("{}: {}", document.display(), &found[0]));
            }
        }
    }
    assert_eq!(broken, BTreeSet::new());
    Ok(())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README, and what contributors read.
fn documents() -> TestResult<Vec<PathBuf>> {
    let mut documents = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    for folder in ["docs", "docs/decisions"] {
        for entry in fs::read_dir(root().join(folder))? {
            documents.push(entry?.path());
        }
    }
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    assert!(documents.len() > 10, "the documents were not found");
    Ok(documents)
}

/// The headings of a document, as links name them: in lower case, with hyphens for spaces.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
    };
    headings.map(anchor).collect()
}
