//! Templates are what they should be, and writing one never harms what is there.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsStr;

use super::*;
use crate::tests::TestResult;

/// Every file under a folder, with its contents.
fn tree(folder: &Path) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(tree(&path)?);
        } else {
            files.insert(path.clone(), fs::read(&path)?);
        }
    }
    Ok(files)
}

/// The template's own files: all but the schema, which is every template's.
fn files(name: &str) -> Result<Vec<Planned>, TemplateError> {
    let mut files = files_of(name, Path::new(""))?;
    files.retain(|file| !file.is_schema());
    Ok(files)
}

/// What `write` is to write: these files of the template, and the schema where there is one.
fn expected(into: &Path, own: &[&str]) -> Vec<PathBuf> {
    let schema = TEMPLATES.get_file(SCHEMA).map(|_| SCHEMA);
    let mut paths: Vec<PathBuf> = own.iter().copied().chain(schema).map(|name| into.join(name)).collect();
    paths.sort();
    paths
}

fn spec_of(name: &str) -> Result<toml::Table, Box<dyn Error>> {
    let files = files(name)?;
    let spec = files.iter().find(|file| file.path == Path::new(SPEC)).ok_or("no job.toml")?;
    Ok(toml::from_str(std::str::from_utf8(spec.contents)?)?)
}

#[test]
fn quickstart_is_listed_first() {
    let names: Vec<_> = all().iter().map(|template| template.name).collect();
    let others = [
        "custom-container",
        "heterogeneous",
        "huggingface",
        "mxnet",
        "pytorch",
        "pytorch-distributed",
        "sklearn",
        "spot-with-checkpoints",
        "tensorflow",
        "xgboost",
        "xgboost-builtin",
    ];
    assert_eq!(names, [&["quickstart"][..], &others].concat());
}

#[test]
fn no_folder_lacks_a_spec() {
    assert_eq!(all().len(), TEMPLATES.dirs().count());
    let beside: Vec<_> =
        TEMPLATES.files().map(include_dir::File::path).filter(|path| *path != Path::new(SCHEMA)).collect();
    assert!(beside.is_empty(), "only folders and the schema stand in job-templates/: {beside:?}");
}

#[test]
fn every_spec_begins_with_its_schema_and_a_comment_that_is_the_summary() -> TestResult {
    for template in all() {
        let spec = TEMPLATES.get_file(Path::new(template.name).join(SPEC)).ok_or("no job.toml")?;
        let lines: Vec<&str> = spec.contents_utf8().ok_or("not text")?.lines().take(2).collect();
        assert_eq!(lines, ["#:schema ./job.schema.json", &format!("# {}", template.summary)]);
        assert!((20..100).contains(&template.summary.len()), "{}", template.summary);
    }
    Ok(())
}

#[test]
fn every_spec_names_files_that_its_template_has() -> TestResult {
    for template in all() {
        let spec = spec_of(template.name)?;
        let entry_point = spec.get("source").map(|source| &source["entry_point"]);
        let channels = spec.get("channels").and_then(toml::Value::as_table).cloned().unwrap_or_default();
        let sources = channels.values().map(|channel| channel.get("source").unwrap_or(channel));
        let files = files(template.name)?;
        for name in sources.chain(entry_point) {
            let name = name.as_str().ok_or("a path is text")?;
            assert!(files.iter().any(|file| file.path == Path::new(name)), "{}: {name}", template.name);
        }
    }
    Ok(())
}

#[test]
fn every_hyperparameter_is_an_argument_of_the_script() -> TestResult {
    for template in all() {
        let (files, spec) = (files(template.name)?, spec_of(template.name)?);
        let Some(script) = files.iter().find(|file| file.path == Path::new("train.py")) else {
            assert!(spec.contains_key("algorithm"), "{} has no script", template.name);
            continue;
        };
        let script = std::str::from_utf8(script.contents)?;
        for name in spec["hyperparameters"].as_table().ok_or("a table")?.keys() {
            assert!(script.contains(&format!("add_argument(\"--{name}\"")), "{}: {name}", template.name);
        }
    }
    Ok(())
}

#[test]
fn every_metric_has_one_group() -> TestResult {
    for template in all() {
        let spec = spec_of(template.name)?;
        // An algorithm has metrics of its own, and the API takes no others.
        assert_ne!(spec.contains_key("metrics"), spec.contains_key("algorithm"), "{}", template.name);
        for (name, expression) in spec.get("metrics").and_then(toml::Value::as_table).into_iter().flatten() {
            let expression = regex::Regex::new(expression.as_str().ok_or("text")?)?;
            assert_eq!(expression.captures_len(), 2, "{}: {name}", template.name);
        }
    }
    Ok(())
}

fn is_litter(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".") || ["__pycache__", "model", "output"].iter().any(|litter| name == *litter)
}

/// What a run by hand or an editor leaves in the folder would otherwise go into the binary unnoticed.
#[test]
fn nothing_but_small_text_files_is_built_in() -> TestResult {
    for template in all() {
        for file in files(template.name)? {
            let place = format!("{}/{}", template.name, file.path.display());
            assert!(!file.path.iter().any(is_litter), "{place}");
            assert!(std::str::from_utf8(file.contents).is_ok(), "{place} is not text");
            assert!(file.contents.len() < 64 * 1024, "{place} is large");
        }
    }
    Ok(())
}

#[test]
fn the_penguins_are_all_there() -> TestResult {
    let file = TEMPLATES.get_file("quickstart/data/penguins.csv").ok_or("no data")?;
    let rows: Vec<_> = file.contents_utf8().ok_or("not text")?.lines().skip(1).collect();
    let count = |species: &str| rows.iter().filter(|row| row.starts_with(species)).count();
    assert_eq!((rows.len(), count("Adelie,"), count("Chinstrap,"), count("Gentoo,")), (344, 152, 68, 124));
    for folder in TEMPLATES.dirs() {
        let copy = folder.get_file(folder.path().join("data/penguins.csv"));
        assert!(copy.is_none_or(|copy| copy.contents() == file.contents()), "{}", folder.path().display());
    }
    Ok(())
}

#[test]
fn a_template_is_written_whole_into_a_folder_that_is_made() -> TestResult {
    let place = tempfile::tempdir()?;
    let into = place.path().join("a/new/folder");
    let written = write("quickstart", &into)?;
    let expected = expected(&into, &["data/SOURCE.md", "data/penguins.csv", "job.toml", "train.py"]);
    assert_eq!(written, expected);
    assert_eq!(tree(&into)?.into_keys().collect::<Vec<_>>(), expected);
    let spec = TEMPLATES.get_file("quickstart/job.toml").ok_or("no job.toml")?;
    assert_eq!(fs::read(into.join(SPEC))?, spec.contents());
    Ok(())
}

#[test]
fn other_files_of_the_folder_are_no_hindrance() -> TestResult {
    let place = tempfile::tempdir()?;
    fs::create_dir(place.path().join("data"))?;
    fs::write(place.path().join("data/mine.csv"), "mine")?;
    write("quickstart", place.path())?;
    assert_eq!(fs::read(place.path().join("data/mine.csv"))?, b"mine");
    Ok(())
}

#[test]
fn writing_twice_is_refused_and_edits_stay() -> TestResult {
    let place = tempfile::tempdir()?;
    let written = write("quickstart", place.path())?;
    fs::write(place.path().join("train.py"), "edited")?;
    let before = tree(place.path())?;
    let error = write("quickstart", place.path()).err().ok_or("was not refused")?;
    let own: Vec<_> = written.into_iter().filter(|path| path.file_name() != Some(SCHEMA.as_ref())).collect();
    assert!(matches!(&error, TemplateError::Exists(paths) if *paths == own), "{error}");
    assert!(error.to_string().ends_with("train.py already exist"), "{error}");
    assert_eq!(tree(place.path())?, before);
    Ok(())
}

#[test]
fn one_file_in_the_way_stops_all() -> TestResult {
    let place = tempfile::tempdir()?;
    let mine = place.path().join("train.py");
    fs::write(&mine, "mine")?;
    let error = write("sklearn", place.path()).err().ok_or("was not refused")?;
    assert_eq!(error.to_string(), format!("{} already exists", mine.display()));
    assert_eq!(tree(place.path())?, BTreeMap::from([(mine, b"mine".to_vec())]));
    Ok(())
}

/// A template's script and the schema, in a folder.
fn script_and_schema(folder: &Path) -> Vec<Planned> {
    let planned = |name, contents| Planned { path: folder.join(name), contents };
    vec![planned(SCHEMA, &b"schema"[..]), planned("train.py", &b"script"[..])]
}

#[test]
fn the_schema_that_is_there_stays() -> TestResult {
    let place = tempfile::tempdir()?;
    let (schema, script) = (place.path().join(SCHEMA), place.path().join("train.py"));
    assert_eq!(write_missing(script_and_schema(place.path()))?, [schema.clone(), script.clone()]);
    fs::remove_file(&script)?;
    assert_eq!(write_missing(script_and_schema(place.path()))?, [script]);
    assert_eq!(fs::read(schema)?, b"schema");
    Ok(())
}

#[test]
fn another_schema_is_in_the_way() -> TestResult {
    let place = tempfile::tempdir()?;
    let schema = place.path().join(SCHEMA);
    fs::write(&schema, "of another version")?;
    let error = write_missing(script_and_schema(place.path())).err().ok_or("was not refused")?;
    assert!(matches!(&error, TemplateError::Exists(paths) if *paths == [schema.clone()]), "{error}");
    assert_eq!(tree(place.path())?, BTreeMap::from([(schema, b"of another version".to_vec())]));
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_dangling_link_is_in_the_way_and_not_written_through() -> TestResult {
    let place = tempfile::tempdir()?;
    let (into, target) = (place.path().join("job"), place.path().join("elsewhere.py"));
    fs::create_dir(&into)?;
    std::os::unix::fs::symlink(&target, into.join("train.py"))?;
    let error = write("sklearn", &into).err().ok_or("was not refused")?;
    assert!(matches!(error, TemplateError::Exists(_)), "{error}");
    assert!(!target.exists());
    Ok(())
}

#[test]
fn a_file_where_a_folder_should_be_is_an_error_and_nothing_is_written() -> TestResult {
    let place = tempfile::tempdir()?;
    let in_the_way = place.path().join("data");
    fs::write(&in_the_way, "mine")?;
    for into in [place.path(), in_the_way.as_path()] {
        let error = write("quickstart", into).err().ok_or("was not refused")?;
        assert!(matches!(error, TemplateError::Write { .. }), "{error}");
    }
    assert_eq!(tree(place.path())?, BTreeMap::from([(in_the_way, b"mine".to_vec())]));
    Ok(())
}

/// A file that comes into being after the check is the only way to get here.
#[test]
fn what_was_written_before_a_failure_is_removed_again() -> TestResult {
    let place = tempfile::tempdir()?;
    let (ours, theirs) = (place.path().join("a.py"), place.path().join("b.py"));
    fs::write(&theirs, "theirs")?;
    let files = [&ours, &theirs].map(|path| Planned { path: path.clone(), contents: b"ours" });
    let error = write_all(&files).err().ok_or("was not refused")?;
    assert!(matches!(&error, TemplateError::Write { path, .. } if *path == theirs), "{error}");
    assert_eq!(tree(place.path())?, BTreeMap::from([(theirs, b"theirs".to_vec())]));
    Ok(())
}

#[cfg(unix)]
#[test]
fn shell_scripts_can_be_run_and_nothing_else_can() -> TestResult {
    use std::os::unix::fs::PermissionsExt as _;
    let place = tempfile::tempdir()?;
    for (name, executable) in [("train.sh", true), ("train.py", false)] {
        let mode = create_new(&place.path().join(name))?.metadata()?.permissions().mode();
        assert_eq!(mode & 0o100 != 0, executable, "{name}: {mode:o}");
    }
    Ok(())
}

#[test]
fn a_name_that_is_no_template_writes_nothing() -> TestResult {
    let place = tempfile::tempdir()?;
    for name in ["", ".", "..", "/", "quickstart/", "quickstart/data", "../job-templates/quickstart", "QUICKSTART"] {
        let error = write(name, place.path()).err().ok_or("was written")?;
        assert!(matches!(error, TemplateError::Unknown(_)), "{name}: {error}");
    }
    assert!(tree(place.path())?.is_empty());
    Ok(())
}

#[test]
fn a_mistyped_name_is_recognised_and_a_foreign_one_is_not() {
    for name in ["quikstart", "Quickstart", "quick-start", "quick", "quckstrat"] {
        assert_eq!(nearest(name), Some("quickstart"), "{name}");
    }
    for name in ["sklern", "scikit-learn", "sk-learn"] {
        assert_eq!(nearest(name), Some("sklearn"), "{name}");
    }
    for name in ["xgboots", "xg-boost", "XGBoost"] {
        assert_eq!(nearest(name), Some("xgboost"), "{name}");
    }
    for name in ["", "lightgbm", "x", "🐧"] {
        assert_eq!(nearest(name), None, "{name}");
    }
}
