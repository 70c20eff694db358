//! Data as it is listed.

use std::os::unix::fs::symlink;

use super::*;
use crate::tests::TestResult;

/// A folder `data` with such files, and what lies beside it.
fn folder(files: &[&str]) -> Result<tempfile::TempDir, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    for name in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(path, "x")?;
    }
    Ok(folder)
}

fn tree(folder: &tempfile::TempDir) -> DataTree {
    DataTree { path: folder.path().join("data"), ..DataTree::default() }
}

fn names(tree: &DataTree) -> Result<Vec<String>, DataError> {
    let entries = list_data(tree)?.entries.into_iter();
    let mut names: Vec<String> = entries.map(|entry| entry.name.display().to_string()).collect();
    names.sort();
    Ok(names)
}

/// The listed secrets, each with what it is.
fn secrets(tree: &DataTree) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let Err(DataError::Secrets { secrets, .. }) = list_data(tree) else { return Err("they were not refused".into()) };
    let mut secrets: Vec<String> = secrets.0.iter().map(ToString::to_string).collect();
    secrets.sort();
    Ok(secrets)
}

#[test]
fn data_is_data_whatever_tools_call_it() -> TestResult {
    let folder = folder(&["data/a.csv", "data/.git/HEAD", "data/__pycache__/x.pyc", "data/.gitignore", "data/b/c"])?;
    fs::write(folder.path().join("data/.gitignore"), "*.csv\n")?;
    assert_eq!(names(&tree(&folder))?, [".git/HEAD", ".gitignore", "__pycache__/x.pyc", "a.csv", "b/c"]);
    Ok(())
}

#[test]
fn secrets_are_refused_by_name_all_of_them() -> TestResult {
    let files = ["data/a.csv", "data/.env", "data/.aws/credentials", "data/x/.ssh/id_rsa", "data/terraform.tfstate"];
    let folder = folder(&files)?;
    let found = secrets(&tree(&folder))?;
    let starts: Vec<&str> = found.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(starts, [".aws/", ".env", "terraform.tfstate", "x/.ssh/"]);
    let allow_secrets = [".aws/", "/.env", "*.tfstate", ".ssh/"].map(str::to_owned).to_vec();
    let allowed = list_data(&DataTree { allow_secrets, ..tree(&folder) })?;
    assert_eq!(allowed.entries.len(), files.len());
    assert!(allowed.allowed.contains(&".env".to_owned()), "{:?}", allowed.allowed);
    Ok(())
}

#[test]
fn the_source_itself_is_judged_by_its_name_too() -> TestResult {
    let folder = folder(&["data/.aws/credentials", "data/.env"])?;
    for below in [".aws", ".env"] {
        let tree = DataTree { path: folder.path().join("data").join(below), ..DataTree::default() };
        assert_eq!(secrets(&tree)?.len(), 1, "{below}");
        let allow_secrets = vec!["*".to_owned()];
        assert_eq!(list_data(&DataTree { allow_secrets, ..tree })?.entries.len(), 1, "{below}");
    }
    Ok(())
}

#[test]
fn links_inside_are_followed_and_links_out_refused() -> TestResult {
    let folder = folder(&["data/a", "data/b/c", "outside/d", "home/.aws/config"])?;
    let data = folder.path().join("data");
    symlink("a", data.join("a-too"))?;
    symlink("b", data.join("b-too"))?;
    assert_eq!(names(&tree(&folder))?, ["a", "a-too", "b-too/c", "b/c"]);
    symlink("../outside/d", data.join("link"))?;
    let error = list_data(&tree(&folder)).err().ok_or("it was followed")?;
    assert!(matches!(&error, DataError::LinkOutside { link, .. } if link.ends_with("link")), "{error}");
    let external = DataTree { external_symlinks: true, ..tree(&folder) };
    assert!(names(&external)?.contains(&"link".to_owned()));
    symlink("../home/.aws/config", data.join("config"))?;
    assert_eq!(secrets(&external)?, ["config: AWS credentials"]);
    Ok(())
}

#[test]
fn a_source_that_is_a_link_is_what_it_leads_to() -> TestResult {
    let folder = folder(&["elsewhere/a", "elsewhere/b/c"])?;
    symlink("elsewhere", folder.path().join("data"))?;
    symlink("../a", folder.path().join("elsewhere/b/a"))?;
    assert_eq!(names(&tree(&folder))?, ["a", "b/a", "b/c"]);
    symlink("elsewhere/a", folder.path().join("file"))?;
    let file = DataTree { path: folder.path().join("file"), ..DataTree::default() };
    assert_eq!(names(&file)?, ["file"]);
    Ok(())
}

#[test]
fn broken_links_and_loops_are_errors() -> TestResult {
    for (target, is_loop) in [("nowhere", false), ("loop", true), ("..", true), (".", true)] {
        let folder = folder(&["data/b/a"])?;
        symlink(target, folder.path().join("data/b/loop"))?;
        let error = list_data(&tree(&folder)).err().ok_or(target)?;
        let fits =
            if is_loop { matches!(error, DataError::Loop(_)) } else { matches!(error, DataError::BrokenLink { .. }) };
        assert!(fits, "{target}: {error}");
    }
    Ok(())
}

#[test]
fn another_file_in_the_place_of_one_that_was_listed_is_not_opened() -> TestResult {
    let folder = folder(&["data/b/a", "outside/a"])?;
    let entries = list_data(&tree(&folder))?.entries;
    let entry = entries.first().ok_or("nothing was listed")?;
    assert!(entry.open().is_ok());
    fs::rename(folder.path().join("data/b"), folder.path().join("data/c"))?;
    symlink("../outside", folder.path().join("data/b"))?;
    assert!(matches!(entry.open(), Err(DataError::Changed(_))));
    Ok(())
}

#[test]
fn certificates_are_no_secret() -> TestResult {
    let folder = folder(&["data/ca.pem", "data/key.pem"])?;
    fs::write(folder.path().join("data/ca.pem"), "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n")?;
    assert_eq!(secrets(&tree(&folder))?, ["key.pem: a private key, by convention"]);
    Ok(())
}
