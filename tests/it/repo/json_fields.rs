//! `docs/json.md` has every field of every JSON object that commands print, and no other.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::support::TestResult;

/// Fields by the name of the struct.
type Fields = BTreeMap<String, Vec<String>>;

#[test]
fn every_field_is_documented() -> TestResult {
    let documented = documented()?;
    let printed = printed()?;
    assert!(printed.len() > 10, "only {} structs were found", printed.len());
    assert_eq!(documented, printed, "docs/json.md (left) differs from the structs in src/view (right)");
    Ok(())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The fields in each table, which stands below the name of its struct.
fn documented() -> TestResult<Fields> {
    let text = fs::read_to_string(root().join("docs/json.md"))?;
    let row = Regex::new(r"(?m)^\| `(\w+)` \| [a-z ,]+ \| .+ \|$")?;
    let sections = text.split("<!-- ").skip(1).filter_map(|section| section.split_once(" -->"));
    Ok(sections.map(|(name, table)| (name.to_owned(), names(&row, table))).collect())
}

/// The fields of the structs that `src/view` serializes, in their order.
fn printed() -> TestResult<Fields> {
    let item =
        Regex::new(r"(?s)#\[derive\([^)]*\bSerialize\b[^)]*\)\]\s*(?:pub\(\w+\) )?struct (\w+)[^{]*\{\n(.*?)\n\}")?;
    let skipped = Regex::new(r"(?s)#\[serde\(skip\)\]\s*(?:pub\(\w+\) )?\w+:")?;
    let field = Regex::new(r"(?m)^    (?:pub\(\w+\) )?(\w+): ")?;
    let mut fields = Fields::new();
    for file in sources(&root().join("src/view"))? {
        let text = fs::read_to_string(&file)?;
        for found in item.captures_iter(&text) {
            let body = skipped.replace_all(&found[2], "");
            if body.contains("rename") || body.contains("flatten") {
                return Err(format!("{}: this test reads no renamed fields", &found[1]).into());
            }
            fields.insert(found[1].to_owned(), names(&field, &body));
        }
    }
    Ok(fields)
}

fn names(pattern: &Regex, text: &str) -> Vec<String> {
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

fn sources(folder: &Path) -> TestResult<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files.extend(sources(&path)?) } else { files.push(path) }
    }
    Ok(files)
}
